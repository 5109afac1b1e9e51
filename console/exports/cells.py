"""Cells that a spreadsheet shows as they are: no formula is run, no number or date is made of them.

OWASP, "CSV Injection": a cell that begins with one of these, also in full width, is taken for a
formula, also behind blanks, and an apostrophe before it makes it text. A spreadsheet splits by its
own country's separator, not by the file's, and quotes do not hold then: so a formula behind a
separator or a line break inside a text gets its apostrophe, too. `1234E5678`, `0912345678`, `1-2`
and `3/4` begin with none of them, but a spreadsheet makes numbers and dates of them and loses what
they were: they get it as well, where nothing but a text is meant.
"""

import re
from typing import Final

FORMULA: Final = "=+-@|%＝＋－＠"
_UNSEEN: Final = r"\s\"\ufeff\u200b-\u200f\u2060"  # before a formula it is one all the same
_BEGINS: Final = re.compile(rf"^(?=[\t\r\n])|(^|[;,\t\r\n])(?=[{_UNSEEN}]*[{re.escape(FORMULA)}])")
_UNPRINTED: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# 12345E678; 10:30 AM; 1 May, Mar-3, MARCH1. What has no letter at all is looked for by itself.
_MONTH: Final = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_READ_AS: Final = re.compile(
    r"[0-9][0-9.,\s]*e[+-]?[0-9]+"
    r"|[0-9]{1,2}(:[0-9]{2}){0,2}\s*([ap]\.?m\.?|(?<=\s)[ap])"
    rf"|[0-9]{{1,4}}[-/.,\s]*{_MONTH}([-/.,\s]*[0-9]{{1,4}})?"
    rf"|{_MONTH}[-/.,\s]*[0-9]{{1,4}}([-/.,\s]+[0-9]{{1,4}})?",
    re.IGNORECASE,
)


def defused(text: str) -> str:
    """The text, never a formula, wherever it is split."""
    return _BEGINS.sub(r"\g<0>'", _UNPRINTED.sub(" ", text))


def kept(text: str) -> str:
    """The text, neither a formula nor a number nor a date: for ids, codes, phones and names."""
    safe = defused(text)
    return f"'{safe}" if not safe.startswith("'") and _read_as_another(safe.strip()) else safe


def _read_as_another(text: str) -> bool:
    if not any(map(str.isalpha, text)):
        return any(map(str.isdigit, text))
    return _READ_AS.fullmatch(text) is not None
