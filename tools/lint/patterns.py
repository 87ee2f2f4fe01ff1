#!/usr/bin/env python3
"""lint.patterns: the functions, types and tests that docs/patterns.md names exist."""
import os
import re

import public
import source

PAGE = "docs/patterns.md"


def main():
    offences = []
    if os.path.exists(os.path.join(source.ROOT, PAGE)):
        text = source.read(PAGE)
        words, tests = public.words(), public.tests()
        modules = "|".join(sorted({name.split(".")[0] for name in tests}))
        for number, line in enumerate(text.split("\n"), 1):
            for code in re.findall(r"`([^`]+)`", line):
                for name in re.findall(r"\b(?:cw|CW)_\w+", code):
                    if name not in words:
                        offences.append(f"{PAGE}:{number}: {name} is in no public header")
                if re.fullmatch(rf"(?:{modules})\.\w+\.\w+", code) and code not in tests:
                    offences.append(f"{PAGE}:{number}: there is no test {code}")
    source.finish(offences, "docs/patterns.md names what exists")


main()
