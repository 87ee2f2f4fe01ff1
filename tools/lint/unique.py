#!/usr/bin/env python3
"""lint.unique: .c file names are unique in the tree, so that `file:line` in a log is never ambiguous."""
import os

import source


def main():
    seen, offences = {}, []
    for path in source.files(endings=(".c",)):
        name = os.path.basename(path)
        if name in seen:
            offences.append(f"{path}: {seen[name]} has that name too")
        seen[name] = path
    source.finish(offences, "unique .c file names, CONVENTIONS.md section 1")


main()
