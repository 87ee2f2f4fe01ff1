"""Reads the public interface: declarations with their doc comments, types, macros, codes, and tests."""
import re

import source


def headers():
    return source.files(("include",), (".h",))


def declarations():
    """(path, line, name, result type, parameters, doc comment or "") of every CW_API function."""
    for path in headers():
        text = source.read(path)
        bare = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)),
                      text, flags=re.M)
        last_end, last_doc = -1, ""
        for match in re.finditer(r"^CW_API\s+([^;]*?)(\w+)\s*\(([^;]*)\)[^;()]*;", _same_length(bare),
                                 re.M):
            before = bare[:match.start()].rstrip()
            doc = ""
            if before.endswith("*/"):
                doc = before[before.rfind("/*"):]
            elif last_end >= 0 and bare[last_end:match.start()].strip(" ") == "\n":
                doc = last_doc
            last_end, last_doc = match.end(), doc
            yield (path, source.line_of(text, match.start()), match.group(2),
                   match.group(1).strip(), " ".join(match.group(3).split()), doc)


def _same_length(text):
    """The text with comments blanked by as many spaces, so that offsets stay true."""
    return re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)


def version():
    text = source.read("include/causeway/base.h")
    return tuple(int(re.search(rf"CW_VERSION_{part} (\d+)", text).group(1))
                 for part in ("MAJOR", "MINOR"))


def functions():
    return {row[2] for row in declarations()}


def words():
    """Every identifier in the public headers."""
    found = set()
    for path in headers():
        found.update(re.findall(r"\b(?:cw|CW)_\w+", source.read(path)))
    text = source.read("include/causeway/error.h")
    found.update("CW_E_" + name for name, *_ in statuses(text))
    return found


def statuses(text=None):
    """(name, number, cause, remedy) of each row of CW_STATUS_TABLE."""
    text = text or source.read("include/causeway/error.h")
    table = text[text.index("#define CW_STATUS_TABLE"):]
    table = table[:re.search(r"[^\\]\n", table).end()].replace("\\\n", " ")
    return [(m.group(1), int(m.group(2)), m.group(3), m.group(4)) for m in re.finditer(
        r'X\(\s*(\w+)\s*,\s*(-?\d+)\s*,\s*"([^"]*)"\s*,\s*"([^"]*)"\s*\)', table)]


def tests():
    """The ctest names, `module.unit.claim`, of the C tests in the tree."""
    found = set()
    for path in source.files(("tests",), (".c",)):
        parts = path.split("/")
        for unit, claim in re.findall(r"^TEST\((\w+),\s*(\w+)\)", source.read(path), re.M):
            found.add(f"{parts[1]}.{unit}.{claim}")
    return found
