#!/usr/bin/env python3
"""Checks that no function, initializer or subscript takes three or more values without a label.

Prints a line for each declaration that does, and exits with 1 if there is one. Operators have no labels, and neither do
the values of a variadic or of a parameter pack, which are one parameter each."""

import bisect
import re
import sys

MOST = 2
# Joins its texts as a variadic would, without the array of one.
EXEMPT = ("String+concatenation.swift",)
DECLARATION = re.compile(r"\b(?:func\s+`?[A-Za-z_]\w*`?|init[?!]?|subscript)\s*(?=[<(])")
# Comments, and string literals: raw ones, those of several lines, and plain ones.
UNREAD = re.compile(r'//[^\n]*|/\*.*?\*/|(#*)""".*?"""\1|#+"[^\n]*?"#+|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def code(path):
    """The text of a file, with its comments and string literals blank and each other character at its place."""
    with open(path, encoding="utf-8") as file:
        return UNREAD.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), file.read())


def parts(text, start):
    """The parts between the bracket at `start` and the one that closes it, and the place behind that one."""
    found, depth, begin = [], 0, start + 1
    for place in range(start, len(text)):
        letter = text[place]
        # The arrow of a closure's type closes nothing.
        closes = letter in ")]}" or (letter == ">" and text[place - 1] != "-")
        if letter in "([{<":
            depth += 1
        elif closes:
            depth -= 1
        if depth == 0 or (depth == 1 and letter == ","):
            found.append(text[begin:place])
            begin = place + 1
        if depth == 0:
            return found, place + 1
    return found, len(text)


def declarations(text):
    """The place and the number of unlabelled parameters of each function, initializer and subscript."""
    for match in DECLARATION.finditer(text):
        place = match.end()
        if text[place] == "<":
            place = parts(text, place)[1]
            place += len(text[place:]) - len(text[place:].lstrip())
        if text[place:place + 1] != "(":
            continue
        # A subscript's parameters have a label only if they have two names.
        unlabelled = r"\s*(?:@\w+\s+)*(?:_\s+)?`?\w+`?\s*:" if match.group().startswith("subscript") \
            else r"\s*(?:@\w+\s+)*_(?:\s+`?\w+`?)?\s*:"
        yield match.start(), sum(re.match(unlabelled, part) is not None for part in parts(text, place)[0])


def main(paths):
    failed = False
    for path in paths:
        if path.endswith(EXEMPT):
            continue
        text = code(path)
        lines = [match.start() for match in re.finditer("\n", text)]
        for place, count in declarations(text):
            if count > MOST:
                failed = True
                number = bisect.bisect_left(lines, place) + 1
                print(f"{path}:{number}: takes {count} values without a label: name all but {MOST} at most")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
