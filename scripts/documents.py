#!/usr/bin/env python3
"""Checks the documents: their width, words and links, what docs/architecture.md says of suites and of Redis keys, the
errors of docs/api.md, and the code of the documentation catalogue.

Prints `file:line: why` for each finding, and exits with 1 if there is one."""

import os
import re
import subprocess
import sys

LIMIT = 120
ARCHITECTURE = "docs/architecture.md"
API = "docs/api.md"
KEYS = "Sources/Common/Keys/Keys.swift"

findings = []


def found(name, number, why):
    findings.append(f"{name}:{number}: {why}")


def lines(name):
    """Each line of a document: its number, its text, and whether it stands in a block of code."""
    is_code = False
    with open(name, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            text = line.rstrip("\n")
            if text.lstrip().startswith("```"):
                is_code = not is_code
                continue
            yield number, text, is_code


def anchors(name):
    """The places of a document that links can name, as GitHub makes them."""
    seen, names = {}, set()
    for _, text, is_code in lines(name):
        heading = re.match(r"#+ (.*)", text)
        if is_code or not heading:
            continue
        slug = re.sub(r"[^\w\- ]", "", heading.group(1).lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        names.add(f"{slug}-{count}" if count else slug)
    return names


def check_width(name):
    """A table's row and a line of code cannot be wrapped."""
    for number, text, is_code in lines(name):
        if len(text) > LIMIT and not is_code and not text.lstrip().startswith("|"):
            found(name, number, f"passes {LIMIT} columns: wrap it")


def check_words(name):
    """A sentence says which part or person it is about."""
    for number, text, is_code in lines(name):
        for word in re.findall(r"\b(?:nobody|whoever|whatever|somebody|wherever)\b", text, re.IGNORECASE):
            if not is_code:
                found(name, number, f"says {word}: name the subject")


def check_links(name, known):
    for number, text, is_code in lines(name):
        if is_code:
            continue
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
            if not os.path.exists(file):
                found(name, number, f"links to {target}, which is not there")
            elif anchor and file in known and anchor not in known[file]:
                found(name, number, f"links to {target}, and {file} has no such heading")


def check_promises(tracked):
    """Each promise of the contract names tests that exist."""
    suites = {os.path.basename(name).removesuffix(".swift") for name in tracked if name.startswith("Tests/")}
    promise, tests = None, 0
    for number, text, _ in lines(ARCHITECTURE):
        heading = re.match(r"##+ (2\.\d+)? ?", text)
        if heading:
            if promise and not tests:
                found(ARCHITECTURE, number, f"§{promise} names no test")
            promise, tests = heading.group(1), 0
        for suite in re.findall(r"\b[A-Z]\w*Tests\b(?!/)", text):
            tests += 1
            if suite not in suites:
                found(ARCHITECTURE, number, f"there is no suite {suite} in Tests")
        for path in re.findall(r"\b\w+/test_\w+\.py\b", text):
            tests += 1
            if f"Tests/{path}" not in tracked:
                found(ARCHITECTURE, number, f"there is no Tests/{path}")


def check_keys():
    """The table of Redis keys has each key of `Keys`, and no other."""
    with open(KEYS, encoding="utf-8") as file:
        source = file.read()
    made = set(re.findall(r'"(gateway/[^"\\]*)"', source))
    shown = {}
    for number, text, _ in lines(ARCHITECTURE):
        cell = re.match(r"\| (`.*?) \|", text)
        for key in re.findall(r"`(gateway/[^`{]*)", cell.group(1)) if cell else []:
            shown[key] = number
    for key in sorted(made - set(shown)):
        found(ARCHITECTURE, 1, f"the table of Redis keys lacks {key}, which {KEYS} makes")
    for key in sorted(set(shown) - made):
        found(ARCHITECTURE, shown[key], f"{KEYS} makes no key {key}")


def check_errors(tracked):
    """The tables of errors have each code that the sources make, and no other. A code has one type."""
    made, named, types = {}, set(), {}
    for source in tracked:
        if not source.startswith("Sources/") or not source.endswith(".swift"):
            continue
        with open(source, encoding="utf-8") as file:
            text = file.read()
        made |= {code: source for code in re.findall(r'\bcode: "([a-z0-9_]+)"', text)}
        named |= set(re.findall(r'"([a-z0-9_]+)"', text))
        pairs = re.findall(r'type: "([a-z_]+)",\s*code: "([a-z0-9_]+)"', text)
        pairs += [("invalid_request_error", code) for code in re.findall(r'invalidRequest\(\s*(?:\d+,\s*)?code: "(\w+)"', text)]
        for kind, code in pairs:
            if types.setdefault(code, kind) != kind:
                found(source, 1, f"the error {code} has the type {kind} here and {types[code]} elsewhere")
    shown, is_errors = {}, False
    for number, text, _ in lines(API):
        if text.startswith("## "):
            is_errors = text == "## Errors"
        row = re.match(r"\| [\d, ]+ \| (.*?) \|", text) if is_errors else None
        shown |= {code: number for code in re.findall(r"`(\w+)`", row.group(1))} if row else {}
    for code in sorted(set(made) - set(shown)):
        found(API, 1, f"the tables of errors lack {code}, which {made[code]} makes")
    for code in sorted(set(shown) - named):
        found(API, shown[code], f"nothing in Sources makes the error {code}")


def check_example(tracked):
    """The Swift code of the documentation catalogue stands in Examples, which is built."""
    sources = []
    for name in tracked:
        if name.startswith("Examples/") and name.endswith(".swift"):
            with open(name, encoding="utf-8") as file:
                sources.append(file.read())
    for name in tracked:
        if ".docc/" not in name or not name.endswith(".md"):
            continue
        with open(name, encoding="utf-8") as file:
            text = file.read()
        for block in re.finditer(r"^```swift\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            if not any(block.group(1) in source for source in sources):
                found(name, text.count("\n", 0, block.start()) + 1, "shows Swift code that stands in no file of Examples")


def main():
    tracked = subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True).stdout.splitlines()
    documents = [name for name in tracked if name.endswith(".md")]
    known = {name: anchors(name) for name in documents}
    for name in documents:
        check_width(name)
        check_words(name)
        check_links(name, known)
    check_promises(set(tracked))
    check_keys()
    check_errors(tracked)
    check_example(tracked)
    print("\n".join(findings), end="\n" if findings else "")
    return 1 if findings else 0


sys.exit(main())
