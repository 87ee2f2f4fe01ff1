#!/usr/bin/env python3
"""Wraps comments that are wider than 100 columns: what clang-format leaves alone (ReflowComments is off, because
it would join the lines of doc comments). usage: wrap-comments.py FILE...

Text that does not fit moves to the start of the next line of the same comment; a comment behind code moves to the
line above it. Lines that are not comments are left as they are.
"""
import re
import sys

WIDTH = 100


def cut(line, prefix_len):
    """Splits before the last word that fits, or returns None where there is none."""
    at = line.rfind(" ", prefix_len + 1, WIDTH + 1)
    while at > prefix_len and re.match(r"(-+ )?\*/$", line[at:].strip()):
        at = line.rfind(" ", prefix_len + 1, at) # the end of the comment does not stand alone
    return (line[:at].rstrip(), line[at:].strip()) if at > prefix_len else None


def wrap(lines):
    out, inside, index = [], False, 0
    lines = list(lines)
    while index < len(lines):
        line = lines[index]
        opens = re.match(r"^(\s*)(/\*+ )", line)
        continues = re.match(r"^(\s*\*+ +)", line) if inside else None
        slashes = re.match(r"^(\s*// +)", line)
        behind = re.match(r"^(\s*)(\S.*?\S) +(/\*.*\*/)$", line)
        is_long = len(line) > WIDTH
        if is_long and opens and not line.rstrip().endswith("\\"):
            parts = cut(line, len(opens.group(0)))
            next_prefix = opens.group(1) + " * "
        elif is_long and continues:
            parts = cut(line, len(continues.group(0)))
            next_prefix = continues.group(1)
        elif is_long and slashes:
            parts = cut(line, len(slashes.group(0)))
            next_prefix = slashes.group(1)
        elif is_long and behind and not inside:
            lines[index:index + 1] = [behind.group(1) + behind.group(3),
                                      behind.group(1) + behind.group(2)]
            continue
        else:
            parts, next_prefix = None, ""
        if parts:
            following = lines[index + 1] if index + 1 < len(lines) else ""
            joins = (not parts[1].endswith("*/") and following.startswith(next_prefix)
                     and re.match(r"[a-z(`'\"]", following[len(next_prefix):]))
            hangs = re.match(r"^(\s*\*\s{4,})(?=[a-z(`])", following)
            if hangs and len(hangs.group(1)) > len(next_prefix) and not parts[1].endswith("*/"):
                lines[index + 1] = hangs.group(1) + parts[1] + " " + following[len(hangs.group(1)):]
            elif joins:
                lines[index + 1] = next_prefix + parts[1] + " " + following[len(next_prefix):]
            else:
                lines.insert(index + 1, next_prefix + parts[1])
            line = parts[0]
        out.append(line)
        if "/*" in line and "*/" not in line[line.rfind("/*"):]:
            inside = True
        elif "*/" in line:
            inside = False
        index += 1
    return out


def main():
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if any(len(line) > WIDTH for line in text.split("\n")):
            with open(path, "w", encoding="utf-8") as file:
                file.write("\n".join(wrap(text.split("\n"))))


main()
