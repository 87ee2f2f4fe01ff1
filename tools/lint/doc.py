#!/usr/bin/env python3
"""lint.doc: every public function has a doc comment with the lines of the template that apply to it.

What a future that is returned means for ownership and cancelling is future.h's to say; a comment repeats it only
where it differs. `Since:` is asked for from version 0.2 on, when there is something to tell apart.
Declarations that follow each other without a blank line share the comment above them. The lines
`Thread rule:`, `Since:`, `Ownership:`, `Cancel:` and `Errors:` of a header's @file comment hold for every
function in it that does not say otherwise.
"""
import re

import public
import source


def lacks(doc, result, parameters, given):
    """The lines of the template that the comment lacks."""
    def has(label):
        return re.search(r"\b" + label + r":", doc) is not None
    needed = ["Threads"] + (["Since"] if public.version() != (0, 1) else [])
    is_async = re.search(r"\bcw_(future|stream)\s*\*$", result)
    if is_async:
        needed.append("Errors")
    elif result.endswith("*"):
        needed.append("Ownership")
    if result == "cw_status" and "void" != parameters:
        needed.append("Errors")
    missing = [label for label in needed if label not in given and not has(label)]
    for name in re.findall(r"@param\s+(\w+)", doc):
        if not re.search(r"\b" + name + r"\b", parameters):
            missing.append(f"truth: @param {name} is no parameter")
    return missing


def main():
    offences = []
    codes = {"CW_E_" + name for name, *_ in public.statuses()} | {"CW_E_UNKNOWN"}
    given = {}
    for path in public.headers():
        text = source.read(path)
        top = text[text.find("@file"):text.find("*/", text.find("@file"))]
        given[path] = [label for label, mark in (
            ("Threads", "Thread rule:"), ("Since", "Since:"), ("Ownership", "Ownership:"),
            ("Cancel", "Cancel:"), ("Errors", "Errors:")) if mark in top]
        if "@file" not in text:
            offences.append(f"{path}:1: no @file comment that says what the header is for")
        elif path != "include/causeway/causeway.h" and "Thread rule:" not in text:
            offences.append(f"{path}:1: no `Thread rule:` in its @file comment")
        for code in sorted(set(re.findall(r"\bCW_E_[A-Z0-9_]+\b", text)) - codes):
            if not code.endswith("_") and path != "include/causeway/error.h":
                offences.append(f"{path}: {code} is not in CW_STATUS_TABLE")
    for path, line, name, result, parameters, doc in public.declarations():
        if not doc.startswith("/**"):
            offences.append(f"{path}:{line}: {name} has no doc comment")
            continue
        missing = lacks(doc, result, parameters, given[path])
        if missing:
            offences.append(f"{path}:{line}: {name}: the comment lacks {', '.join(missing)}")
    source.finish(offences, "doc comments, CONVENTIONS.md section 3")


main()
