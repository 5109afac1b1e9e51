"""Formats of a poster: its paper, how large its code is, and from how far that is meant to be read.

A phone reads a symbol from about ten times its width. To add a format: a line here, a template
`templates/poster_<format>.typ`; a test prints every one.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Format(StrEnum):
    """What a poster is printed on."""

    A3 = "a3"
    A4 = "a4"
    A5 = "a5"


@dataclass(frozen=True)
class Shape:
    """Millimetres; `code_mm` is the symbol without its quiet zone. `vi`, `en`: where it hangs."""

    width_mm: int
    height_mm: int
    code_mm: int
    vi: str
    en: str


# Hà Nội's print size for a place is 15 × 15 cm (RULES, Shapes of others): A4 and A3 keep to it,
# a stand on a table is read from nearer.
SHAPES: Final = {
    Format.A3: Shape(297, 420, 210, "sảnh, chợ, cổng đông người", "halls, markets, busy gates"),
    Format.A4: Shape(210, 297, 150, "cửa ra vào", "entrances"),
    Format.A5: Shape(148, 210, 90, "để bàn, quầy", "stands on tables and counters"),
}
