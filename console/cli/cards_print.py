"""`truyvet cards print`: cards as a PDF, singly or eight on a sheet."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from console.cli.out import json_line, line, note, number, progress
from console.cli.outfile import Replace, check_out
from console.cli.session import Json, Session, session_of, store_of
from issuer.card_print import ON_A_SHEET, Layout
from schemas.errors import UserError

if TYPE_CHECKING:
    from console.store.cards import Card
    from issuer.card_print import Printable
    from issuer.keyring import KeyRing

_MOST: Final = 10_000
_AT_ONCE: Final = 50 * ON_A_SHEET


def add_print(group: typer.Typer) -> None:
    """This command."""
    group.command("print", help="In thẻ. / Cards as a PDF to print.")(print_)


def print_(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", help="Tệp .pdf. / The PDF to write.")],
    cards: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CARD]…", help="Số thẻ. / Numbers of cards."),
    ] = None,
    batch: Annotated[str | None, typer.Option(help="Cả loạt. / A whole batch.")] = None,
    ward: Annotated[str | None, typer.Option(help="Của xã, phường. / The batch's ward.")] = None,
    layout: Annotated[
        Layout,
        typer.Option("--format", help="cr80: máy in thẻ; a4: tám thẻ một tờ để cắt. / to cut."),
    ] = Layout.CR80,
    replace: Replace = False,
    as_json: Json = False,
) -> None:
    """Each symbol is read back before the file is there. Revoked cards are left out."""
    from tempfile import TemporaryDirectory

    from console.codekeys import ring_of
    from issuer.card_print import cards_pdf
    from issuer.printing.join import join_pdfs

    session = session_of(context)
    if out.suffix.lower() != ".pdf":
        raise UserError(f"--out {out}: cần một tệp .pdf. / --out {out}: it is a .pdf.")
    check_out(out, replace)
    ring = ring_of(session.settings())
    found = _chosen(session, cards, batch, ward)
    printed = [card for card in found if card.revoked_at is None]
    if not printed:
        raise UserError("Không có thẻ nào để in. / There is no card to print.")
    if len(printed) > _MOST:
        raise UserError(
            f"{len(printed)} thẻ là quá nhiều cho một tệp (nhiều nhất {_MOST}). / "
            f"{len(printed)} cards are too many for one file (at most {_MOST})."
        )
    sheets = [_printable(card, ring) for card in printed]
    with TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as directory:
        pieces = []
        with progress(session.words("in thẻ", "printing"), len(sheets)) as advance:
            for begin in range(0, len(sheets), _AT_ONCE):
                piece = Path(directory, f"{begin:06}.pdf")
                piece.write_bytes(cards_pdf(sheets[begin : begin + _AT_ONCE], layout))
                pieces.append(piece)
                advance(begin)
        whole = Path(directory, "whole.pdf")
        pages = join_pdfs(pieces, whole)
        with whole.open("rb") as file:
            os.fsync(file.fileno())
        whole.replace(out)
    revoked = [card.id for card in found if card.revoked_at is not None]
    if as_json:
        about = {"cards": len(printed), "pages": pages, "bytes": out.stat().st_size}
        json_line({"file": str(out), "format": layout.value, **about, "revoked": revoked})
        return
    line(session.words(f"{number(len(printed))} thẻ: {out}", f"{number(len(printed))} cards"))
    if revoked:
        count = number(len(revoked))
        note(session.words(f"Bỏ qua {count} thẻ đã khoá.", f"Left out, {count} revoked."))


def _chosen(
    session: Session, cards: list[str] | None, batch: str | None, ward: str | None
) -> "list[Card]":
    """The cards named, or a batch in the order of its lines. Raises UserError."""
    from console.cli.cards import number_of
    from console.store.cards import card_by_id, list_cards

    if bool(cards) == bool(batch):
        raise UserError("Nêu số thẻ, hoặc --batch. / Name cards, or else --batch.")
    with store_of(session) as store:
        if batch:
            wards = [ward] if ward else None
            found = list_cards(store, wards, batch, limit=_MOST + 1)
            return sorted(found, key=lambda card: (card.ward, card.line or 0))
        named = []
        for text in cards or ():
            card = card_by_id(store, number_of(text))
            if card is None:
                raise UserError(f"CARD: không có thẻ {text}. / CARD: there is no card {text}.")
            named.append(card)
        return named


def _printable(card: "Card", ring: "KeyRing") -> "Printable":
    """With the key that signed it first, so that a card printed again is the same card."""
    from issuer.card_print import Printable
    from issuer.cards import card_text

    key = ring.key(card.key)
    if key is None:
        raise UserError(
            f"Khoá ký thẻ {card.id} không còn: hãy thay thẻ (`cards replace`). / "
            f"The key that signed card {card.id} is gone: replace it (`cards replace`)."
        )
    return Printable(card.id, card_text(key, card.number))
