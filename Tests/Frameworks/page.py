"""The blocks of docs/clients.md."""

import os
import re
from dataclasses import dataclass

PAGE = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "clients.md")


@dataclass(frozen=True)
class Block:
    """A block of code: its heading, its language and its text."""

    heading: str
    language: str
    code: str


def blocks():
    """All blocks that say a language, in the page's order."""
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    found, heading = [], ""
    for title, language, code in re.findall(r"^## ([^\n]+)$|^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if title:
            heading = title
        elif language:
            found.append(Block(heading, language, code))
    return found
