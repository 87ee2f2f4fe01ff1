#!/usr/bin/env python3
"""lint.sizes: files, headers, functions and lines stay within the budgets of CONVENTIONS.md.

Exceptions stand in cmake/sizes.txt as `path what limit reason...`, `what` being a function's name or
`file`; a row that is no longer needed is an offence too, so that the numbers only go down.
"""
import source

FILE_LINES_MAX = 1200
HEADER_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
LINE_COLUMNS_MAX = 110
DISPATCH_LINES_MAX = 400


def main():
    offences = []
    granted = {}
    for row in source.table("cmake/sizes.txt"):
        if len(row) < 4:
            offences.append(f"cmake/sizes.txt: a row without a reason: {' '.join(row)}")
            continue
        granted[(row[0], row[1])] = int(row[2])
        if row[1] != "file" and int(row[2]) > DISPATCH_LINES_MAX:
            offences.append(f"cmake/sizes.txt: {row[0]} {row[1]}: no function may have over "
                            f"{DISPATCH_LINES_MAX} lines")
    used = set()

    def measure(path, line, what, lines, standard):
        limit = granted.get((path, what), standard)
        if lines > standard:
            used.add((path, what))
        if lines > limit:
            offences.append(f"{path}:{line}: {what} has {lines} lines, the limit is {limit}")

    for path in source.files():
        text = source.read(path)
        rows = text.split("\n")
        is_public = path.startswith("include/")
        measure(path, 1, "file", len(rows) - 1, HEADER_LINES_MAX if is_public else FILE_LINES_MAX)
        for number, row in enumerate(rows, 1):
            if len(row) > LINE_COLUMNS_MAX:
                offences.append(f"{path}:{number}: {len(row)} columns, the limit is "
                                f"{LINE_COLUMNS_MAX}")
        if path.startswith(("src/", "include/", "tests/", "examples/", "fuzz/", "bench/")):
            for name, line, lines in source.functions(text):
                measure(path, line, name, lines, FUNCTION_LINES_MAX)
    for path, what in sorted(set(granted) - used):
        offences.append(f"cmake/sizes.txt: {path} {what} needs no exception any more")
    source.finish(offences, "size budgets, CONVENTIONS.md section 1")


main()
