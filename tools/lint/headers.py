#!/usr/bin/env python3
"""lint.headers: each public header compiles alone, as strict C11 and as C++17.

usage: headers.py C-COMPILER [C++-COMPILER]
"""
import os
import subprocess
import sys

import public
import source

FLAGS = ["-fsyntax-only", "-pedantic-errors", "-Wall", "-Wextra", "-Wshadow", "-Werror",
         "-I" + os.path.join(source.ROOT, "include")]


def main():
    offences = []
    for path in public.headers():
        name = path[len("include/"):]
        if name != "causeway/causeway.h" and f'"{name}"' not in source.read(
                "include/causeway/causeway.h"):
            offences.append(f"include/causeway/causeway.h does not include {name}")
    text = "".join(f'#include "{path[len("include/"):]}"\n' for path in public.headers())
    compilers = [(sys.argv[1], "c11", "c", ["-Wstrict-prototypes"])]
    if len(sys.argv) > 2:
        compilers.append((sys.argv[2], "c++17", "c++", []))
    jobs = []
    for compiler, standard, language, extra in compilers:
        # one by one in the first language, so that none leans on another; together in the second
        units = [f'#include "{p[len("include/"):]}"\n' for p in public.headers()]
        for unit in units if language == "c" else [text]:
            jobs.append((standard, unit, subprocess.Popen(
                [compiler, "-std=" + standard, "-x", language] + FLAGS + extra + ["-"],
                stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)))
    for standard, unit, job in jobs:
        _, errors = job.communicate(unit)
        if job.returncode != 0:
            offences.append(f"{standard}: {unit.strip()}\n{errors}")
    source.finish(offences, "public headers are strict C11 and C++17")


main()
