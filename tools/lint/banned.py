#!/usr/bin/env python3
"""lint.banned: no call of a function that CONVENTIONS.md section 8 bans.

Exceptions stand in cmake/banned.txt as `path name reason...`.
"""
import fnmatch
import re

import source

EVERYWHERE = "strcpy strcat sprintf vsprintf strtok gets alloca atoi strerror rand setjmp longjmp"
ALLOCATION = "malloc calloc realloc free strdup strndup aligned_alloc posix_memalign reallocarray"
PRINTING = "printf fprintf vprintf vfprintf puts fputs putchar perror"
EXTENSIONS = "__attribute__ __asm__ asm __extension__ typeof __typeof__"
LEAVING = "exit abort _exit quick_exit signal sigaction"

RULES = (
    # names, folders, folders or files left out, why
    (EVERYWHERE, source.CODE_FOLDERS, (), "is banned"),
    (ALLOCATION, ("src",), ("src/core/alloc.c",), "belongs in core/alloc.c; use cwi_alloc and co."),
    (PRINTING, ("src",), ("src/cli/*", "src/conformance/*"), "prints; only cli may"),
    (EXTENSIONS, ("src",), ("src/core/compiler.h",), "is a compiler extension; see core/compiler.h"),
    (LEAVING, ("src",), ("src/cli/*",), "ends the process or takes its signals; only cli may"),
)


def main():
    offences = []
    granted = {(row[0], row[1]) for row in source.table("cmake/banned.txt") if len(row) > 2}
    rules = [(re.compile(r"(?<![\w.>])(" + "|".join(names.split()) + r")\s*\("), folders, out, why)
             for names, folders, out, why in RULES]
    builtin = re.compile(r"\b__builtin_\w+")
    used = set()
    for path in source.files():
        text = source.blank(source.read(path))
        for pattern, folders, left_out, why in rules:
            if path.split("/")[0] not in folders:
                continue
            if any(fnmatch.fnmatch(path, glob) for glob in left_out):
                continue
            for match in pattern.finditer(text):
                name = match.group(1)
                if (path, name) in granted:
                    used.add((path, name))
                    continue
                offences.append(f"{path}:{source.line_of(text, match.start())}: {name} {why}")
        if path.startswith("src/") and path != "src/core/compiler.h":
            for match in builtin.finditer(text):
                if (path, match.group(0)) in granted:
                    used.add((path, match.group(0)))
                    continue
                offences.append(f"{path}:{source.line_of(text, match.start())}: {match.group(0)} "
                                "belongs in core/compiler.h")
    for path, name in sorted(granted - used):
        offences.append(f"cmake/banned.txt: {path} {name} needs no exception any more")
    source.finish(offences, "banned calls, CONVENTIONS.md section 8")


main()
