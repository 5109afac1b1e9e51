"""Cells that a spreadsheet shows as they are: no formula is run, no number is made of an id.

OWASP, "CSV Injection": a cell that begins with one of these is taken for a formula, also behind
blanks, and an apostrophe before it makes it text. `1234E5678` and `0912345678` begin with none,
but a spreadsheet makes numbers of them and loses what they were: they get the apostrophe, too.
"""

import re
from typing import Final

_FORMULA: Final = re.compile(r"^[\s\x00]*[=+\-@|%]|^[\t\r\n\x00]")
_NUMBER: Final = re.compile(r"^\s*[0-9][0-9.,\s]*([eE][+-]?[0-9]+)?\s*$")
_BREAKS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def defused(text: str) -> str:
    """The text, never a formula."""
    clean = _BREAKS.sub(" ", text)
    return f"'{clean}" if _FORMULA.search(text) else clean


def kept(text: str) -> str:
    """The text, neither a formula nor a number: for ids, codes and phones in a CSV."""
    safe = defused(text)
    return f"'{safe}" if _NUMBER.match(safe) else safe
