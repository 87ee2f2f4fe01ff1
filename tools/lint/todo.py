#!/usr/bin/env python3
"""lint.todo: what is left to do has an issue number, as in `TODO(#12): ...`."""
import re

import source


def main():
    pattern = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))")
    endings = (".c", ".h", ".S", ".def", ".cmake", ".txt", ".py", ".dart", ".ts", ".mjs", ".js", ".sh")
    offences = []
    for path in source.files(source.CODE_FOLDERS + ("hosts", "cmake", "tools"), endings):
        if path == "tools/lint/todo.py":
            continue
        text = source.read(path)
        for match in pattern.finditer(text):
            offences.append(f"{path}:{source.line_of(text, match.start())}: {match.group(1)} "
                            "without an issue number")
    source.finish(offences, "no unnumbered work in comments, CONVENTIONS.md section 5")


main()
