#!/usr/bin/env python3
"""lint.abi: libcauseway.so exports what the public headers declare, and what tests/abi/abi.txt lists.

usage: abi.py libcauseway.so [--write]      --write rewrites the list, for review (make golden)
"""
import os
import subprocess
import sys

import public
import source

LIST = "tests/abi/abi.txt"


def main():
    listing = subprocess.run(["nm", "-D", "--defined-only", "-P", sys.argv[1]], capture_output=True,
                             text=True, check=True).stdout
    exported = {line.split()[0].split("@")[0] for line in listing.split("\n") if line}
    exported = {name for name in exported if not name.startswith(("_", "asan", "ubsan"))}
    offences = []
    for name in sorted(exported):
        if not name.startswith("cw_"):
            offences.append(f"{name} is exported, but is not public")
    declared = public.functions()
    for name in sorted(declared - exported):
        offences.append(f"{name} is declared in include/causeway, but not exported")
    for name in sorted(n for n in exported - declared if n.startswith("cw_")):
        offences.append(f"{name} is exported, but declared in no public header with CW_API")
    path = os.path.join(source.ROOT, LIST)
    if "--write" in sys.argv:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(name + "\n" for name in sorted(exported)))
    elif os.path.exists(path):
        known = set(source.read(LIST).split())
        for name in sorted(exported - known):
            offences.append(f"{name} is new: `make golden` adds it to {LIST}")
        for name in sorted(known - exported):
            offences.append(f"{name} is gone from the library, but stands in {LIST}")
    source.finish(offences, "the ABI changes on purpose only, CONVENTIONS.md section 8")


main()
