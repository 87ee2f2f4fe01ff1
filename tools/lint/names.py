#!/usr/bin/env python3
"""lint.names: names and forms of the public interface, file names, and the symbols of the static library.

usage: names.py [libcauseway.a]
"""
import os
import re
import subprocess
import sys

import public
import source


def check_public(offences):
    for path in public.headers():
        text = source.read(path)
        bare = source.blank(text)
        for match in re.finditer(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", bare, re.M):
            name = match.group(1)
            if not re.fullmatch(r"(CW|CAUSEWAY)_[A-Z0-9_]+", name) or "__" in name:
                offences.append(f"{path}:{source.line_of(bare, match.start())}: macro {name} is not "
                                "CW_UPPER_CASE")
        for match in re.finditer(r"\b(?:struct|enum)\s+(\w+)\s*\{|\btypedef\b[^;{]*?\(\*(\w+)\)",
                                 bare):
            name = match.group(1) or match.group(2)
            if not re.fullmatch(r"cw_[a-z0-9_]+", name) or name.endswith("_t") or "__" in name:
                offences.append(f"{path}:{source.line_of(bare, match.start())}: type {name} is not "
                                "cw_snake_case")
        for match in re.finditer(r"\bunion\b|\.\.\.|\w\s*:\s*\d+\s*;", bare):
            if match.group(0) == "..." and re.search(
                    r"#[^\n]*$", bare[:match.start()].replace("\\\n", " ")):
                continue # a variadic macro
            offences.append(f"{path}:{source.line_of(bare, match.start())}: `{match.group(0)}`: no "
                            "union, bit-field or variadic function where hosts look")
    for path, line, name, result, parameters, _ in public.declarations():
        if not re.fullmatch(r"cw_[a-z0-9_]+", name) or "__" in name:
            offences.append(f"{path}:{line}: function {name} is not cw_snake_case")
        if "cw_error *err" in parameters and not parameters.endswith("cw_error *err"):
            offences.append(f"{path}:{line}: {name}: `cw_error *err` comes last")


def check_files(offences):
    for path in source.files():
        if not re.fullmatch(r"[a-z0-9_]+\.[ch]", os.path.basename(path)):
            offences.append(f"{path}: file names are snake_case")
        if path.startswith("src/") and re.search(r"^[ \t]*#[ \t]*define[ \t]+_?\w*__\w*",
                                                 source.blank(source.read(path)), re.M):
            offences.append(f"{path}: a macro with a double underscore")


def check_symbols(archive, offences):
    listing = subprocess.run(["nm", "--defined-only", "-g", "-P", archive], capture_output=True,
                             text=True, check=True).stdout
    for line in listing.split("\n"):
        parts = line.split()
        if len(parts) < 2 or line.endswith(":"):
            continue
        name, kind = parts[0], parts[1]
        # sanitizers, coverage and the compiler add their own
        if kind in "uVvwW" or re.match(r"_|cwi?_|asan|\.|DW\.", name):
            continue
        offences.append(f"{name}: a symbol of the library begins with cw_ or cwi_")


def main():
    offences = []
    check_public(offences)
    check_files(offences)
    if len(sys.argv) > 1:
        check_symbols(sys.argv[1], offences)
    source.finish(offences, "names, CONVENTIONS.md sections 2 and 3")


main()
