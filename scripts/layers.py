#!/usr/bin/env python3
"""Checks that the folders of each target layer: no two of them use each other's types, directly or by a detour.

The files at a target's root put the folders together. They may use every folder, and no folder may use them.
Prints a line for each circle, with the places that close it, and exits with 1 if there is one."""

import collections
import os
import re
import subprocess
import sys

ROOT = "(root)"
DECLARATION = re.compile(
    r"^(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|final|indirect)\s+)*"
    r"(?:struct|class|enum|protocol|actor|typealias)\s+(\w+)", re.MULTILINE)


def code(path):
    """The text of a file without its comments and the contents of its string literals."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r'"""(.|\n)*?"""', '""', text)
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', text)
    return re.sub(r"//.*", "", text)


def uses_of(files):
    """For each folder the folders that it uses, each with the uses as (file, type)."""
    texts = {path: code(path) for path in files}
    owners = {}
    for path, folder in files.items():
        for match in DECLARATION.finditer(texts[path]):
            owners.setdefault(match.group(1), folder)
    uses = collections.defaultdict(lambda: collections.defaultdict(list))
    for path, folder in files.items():
        for name in sorted(set(re.findall(r"\b[A-Z]\w*\b", texts[path]))):
            owner = owners.get(name)
            if owner and owner != folder:
                uses[folder][owner].append((path, name))
    return uses


def way(uses, start, end):
    """The shortest way from one folder to another along what they use; None if there is none."""
    ways = collections.deque([[start]])
    seen = {start}
    while ways:
        steps = ways.popleft()
        for folder in sorted(uses[steps[-1]]):
            if folder == end:
                return steps + [end]
            if folder not in seen:
                seen.add(folder)
                ways.append(steps + [folder])
    return None


def main():
    targets = collections.defaultdict(dict)
    tracked = subprocess.run(["git", "ls-files", "Sources"], check=True, capture_output=True, text=True).stdout
    for path in tracked.splitlines():
        parts = path.split("/")
        if path.endswith(".swift") and os.path.exists(path):
            targets[parts[1]][path] = parts[2] if len(parts) > 3 else ROOT
    failed = False
    for target, files in sorted(targets.items()):
        uses = uses_of(files)
        reported = set()
        for folder in sorted(uses):
            circle = way(uses, folder, folder)
            if not circle or frozenset(circle) in reported:
                continue
            reported.add(frozenset(circle))
            failed = True
            print(f"Sources/{target}: the folders {' -> '.join(circle)} use each other")
            for user, used in zip(circle, circle[1:]):
                path, name = uses[user][used][0]
                print(f"  {path} uses {name} of {used}, and {len(uses[user][used]) - 1} more such uses")
    return 1 if failed else 0


sys.exit(main())
