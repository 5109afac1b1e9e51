"""Cards as pages: CR80, the size of a bank card, singly or eight on a sheet of A4.

What a card says stands in templates/card.typ: no name, no place, nothing of the person; only the
code, the number to say when it is lost, and a line for a name written by hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from issuer.cards import said
from issuer.symbol import QUIET_MODULES, UnreadableError, make_symbol
from issuer.typesetting import typeset

CODE_MM: Final = 50  # with its quiet zone: Hà Nội's size for a person (RULES, Shapes of others)
ON_A_SHEET: Final = 8


class Layout(StrEnum):
    """For a printer of plastic cards, or for any printer and scissors."""

    CR80 = "cr80"
    A4 = "a4"


@dataclass(frozen=True)
class Printable:
    """A card to print: its nine digits, and the text of its code."""

    id: int
    text: str


def cards_pdf(cards: Sequence[Printable], layout: Layout) -> bytes:
    """One PDF of these cards, in this order; each symbol read back by another program.

    Raises ValueError for none, UnreadableError that names the card whose symbol does not read.
    """
    if not cards:
        raise ValueError("there is nothing to print")
    drawn = []
    for card in cards:
        try:
            symbol = make_symbol(card.text)
        except UnreadableError:  # its own words have the text
            raise UnreadableError(f"card {card.id}: its symbol does not read") from None
        across = symbol.modules + 2 * QUIET_MODULES
        drawn.append(
            {
                "said": said(card.id),
                "svg": symbol.svg,
                "symbol_mm": CODE_MM * symbol.modules / across,
            }
        )
    data = {"layout": layout.value, "code_mm": CODE_MM, "cards": drawn}
    return typeset("card", data, tagged=False)
