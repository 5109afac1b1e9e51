"""Vietnamese as it is typed: with and without accents, composed or not, with odd spaces."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

_NOT_WORD: Final = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=65_536)
def plain(text: str) -> str:
    """Lower-case words of a-z and 0-9, a space between: `Phường Đằng Lâm` is `phuong dang lam`."""
    apart = unicodedata.normalize("NFD", text.replace("Đ", "D").replace("đ", "d"))
    letters = "".join(c for c in apart if not unicodedata.combining(c))
    return _NOT_WORD.sub(" ", letters.lower()).strip()


@lru_cache(maxsize=65_536)  # and the same cells of a long list are one text in memory
def tidy(text: str) -> str:
    """Composed, without control characters, one space where there were several."""
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(c if c.isprintable() else " " for c in composed)
    return " ".join(kept.split())


def holds(text: str, words: str) -> bool:
    """Whether `words` stand in `text` as whole words; both are `plain`."""
    return f" {words} " in f" {text} "
