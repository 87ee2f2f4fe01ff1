#!/usr/bin/env python3
"""Writes docs/errors.md from CW_STATUS_TABLE.

usage: errors.py            print it
       errors.py --write    rewrite docs/errors.md
       errors.py --check    exit 1 where the file is not what would be written (lint.errors)
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lint"))
import public  # noqa: E402
import source  # noqa: E402

HEAD = """# Errors

Written by `tools/errors.py` from `CW_STATUS_TABLE` in `include/causeway/error.h`; `make golden` rewrites it.

Every failure is a `cw_error` with one of these codes. A code is stable: its number is never used for anything
else. The message of the error says which file, argument or limit it was; `outcome` says whether nothing had
happened, something may have, or the operation had completed.

| code | number | cause | remedy |
|---|---|---|---|
| `CW_OK` | 0 | none: it worked | |
"""


def main():
    text = HEAD + "".join(f"| `CW_E_{name}` | {number} | {cause} | {remedy} |\n"
                          for name, number, cause, remedy in public.statuses())
    path = os.path.join(source.ROOT, "docs", "errors.md")
    if "--write" in sys.argv:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    elif "--check" in sys.argv:
        offences = []
        if not os.path.exists(path) or source.read("docs/errors.md") != text:
            offences.append("docs/errors.md is not what the table gives; run `make golden`")
        numbers = [number for _, number, _, _ in public.statuses()]
        if len(set(numbers)) != len(numbers):
            offences.append("CW_STATUS_TABLE: a number is used twice")
        for name, _, cause, remedy in public.statuses():
            if not cause or not remedy:
                offences.append(f"CW_E_{name} lacks a cause or a remedy")
        source.finish(offences, "docs/errors.md is generated")
    else:
        print(text, end="")


main()
