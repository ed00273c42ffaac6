#!/usr/bin/env python3
"""Checks docs/journeys.md: each file exists and is named once in its journey, and no journey has more files than its
bound. With `--count` it also prints how many files each journey has.

Prints `file:line: why` for each finding, and exits with 1 if there is one."""

import os
import re
import sys

PAGE = "docs/journeys.md"
# The most files of each journey. A journey that has become shorter gets a lower bound; none gets a higher one without a
# reason in its commit.
BOUNDS = {
    "A request and its answer": 67,
    "A span and its export": 21,
    "A question and its verdict": 50,
    "A setting and its use": 5,
    "An error of libcurl and the client's JSON": 8,
}


def journeys():
    """The page's journeys in their order: the heading, its line, and the files with theirs."""
    found = []
    with open(PAGE, encoding="utf-8") as page:
        for number, line in enumerate(page, 1):
            if line.startswith("## "):
                found.append((line[3:].strip(), number, []))
            row = re.match(r"\| `([^`]+)` \| .+ \|$", line)
            if row:
                found[-1][2].append((row.group(1), number))
    return found


def findings(found):
    for missing in sorted(set(BOUNDS) - {heading for heading, _, _ in found}):
        yield 1, f"lacks the journey \"{missing}\""
    for heading, place, files in found:
        if heading not in BOUNDS:
            yield place, f"\"{heading}\" has no bound in scripts/journeys.py"
            continue
        seen = set()
        for name, number in files:
            if not os.path.isfile(name):
                yield number, f"names {name}, which is not there"
            if name in seen:
                yield number, f"names {name} twice in one journey"
            seen.add(name)
        if not BOUNDS[heading] >= len(files) > 0:
            yield place, f"\"{heading}\" has {len(files)} files, and may have 1 to {BOUNDS[heading]}"


def main():
    found = journeys()
    if "--count" in sys.argv[1:]:
        for heading, _, files in found:
            print(f"{len(files):4} of {BOUNDS.get(heading, 0):3}  {heading}")
    problems = list(findings(found))
    for number, why in problems:
        print(f"{PAGE}:{number}: {why}")
    return 1 if problems else 0


sys.exit(main())
