"""What a run takes from the environment."""

import os
import sys


def number(name, default):
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 10**9):
        sys.exit(f"error: {name}: `{text}` must be a whole number from 1; for example {default}")
    return int(text)
