"""What every lint script stands on: where sources lie, and C text with comments and strings taken out."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CODE_FOLDERS = ("include", "src", "tests", "fuzz", "bench", "examples")
SKIPPED = {"build", "node_modules", "__pycache__", "vectors", "corpus", "golden", ".dart_tool"}

_BLANK = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Za-z_])\'(?:\\.|[^\'\\\n])+\'', re.S)


def files(folders=CODE_FOLDERS, endings=(".c", ".h")):
    """Paths relative to the root, sorted, of the files in `folders` with one of `endings`."""
    found = []
    for folder in folders:
        for where, folders_below, names in os.walk(os.path.join(ROOT, folder)):
            folders_below[:] = [f for f in folders_below if f not in SKIPPED and f[:6] != "build-"]
            for name in names:
                if name.endswith(endings):
                    found.append(os.path.relpath(os.path.join(where, name), ROOT))
    return sorted(found)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def blank(text):
    """The text with comments and literals blanked, line for line."""
    def hide(match):
        token = match.group(0)
        if token[0] == '"':
            return '""' + "\n" * token.count("\n")
        if token[0] == "'":
            return "' '"
        return " " + "\n" * token.count("\n")
    return _BLANK.sub(hide, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def functions(text):
    """(name, first line, lines) of each function body in C text laid out by our clang-format."""
    lines = blank(text).split("\n")
    head, start, inside, name = "", 0, False, None
    for number, line in enumerate(lines, 1):
        if inside:
            if line.startswith("}"):
                if name:
                    yield name, start, number - start + 1
                inside, head = False, ""
            continue
        if not line.strip() or line[0] in "#}":
            head = ""
            continue
        if line[0] not in " \t":
            if not head or head.rstrip().endswith((";", "}")):
                head, start = "", number
        elif not head:
            continue
        head += line + "\n"
        stripped = line.rstrip()
        if stripped.endswith("{"):
            signature = re.search(r"(\w+)\s*\(", head)
            is_body = signature and "=" not in head.split("(")[0] and re.search(
                r"\)[^()]*\{\s*$", head)
            name = None
            if is_body:
                name = signature.group(1)
                test = re.search(r"\bTEST\s*\(\s*(\w+)\s*,\s*(\w+)", head)
                if test:
                    name = test.group(1) + "_" + test.group(2)
            inside = True
        elif stripped.endswith((";", "}")):
            head = ""


def table(path):
    """Rows of a table file: words split at blanks, `#` opens a comment line."""
    rows = []
    full = os.path.join(ROOT, path)
    if os.path.exists(full):
        for line in read(path).split("\n"):
            if line.strip() and not line.startswith("#"):
                rows.append(line.split())
    return rows


def finish(offences, rule):
    """Prints what was found and leaves with the status that ctest reads."""
    for offence in offences:
        print(offence)
    if offences:
        print(f"{len(offences)} against the rule: {rule}")
    sys.exit(1 if offences else 0)
