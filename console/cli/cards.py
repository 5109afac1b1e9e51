"""`truyvet cards …`: cards of persons without a phone; `cards_print` prints them.

They work on the database itself. Nobody is told whom a card stands for.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from console.cli.cards_print import add_print
from console.cli.out import json_line, line, note
from console.cli.session import BY, Json, Session, session_of, store_of
from schemas.clock import local_text
from schemas.errors import UserError

if TYPE_CHECKING:
    from console.store.cards import By, Card

CardId = Annotated[
    str, typer.Argument(metavar="CARD", help="Số thẻ, chín chữ số. / Its nine digits.")
]
Reason = Annotated[
    str, typer.Option(help="Lý do, không ghi tên người. / Why; no names of persons.")
]
Ward = Annotated[str, typer.Option(help="Mã xã, phường: 11413. / The ward's code.")]
_STDIN: Final = "-"


def add_to(app: typer.Typer) -> None:
    """These commands."""
    group = typer.Typer(
        no_args_is_help=True, help="Thẻ cho người không có điện thoại. / Cards without a phone."
    )
    group.command("issue", help="Cấp thẻ. / Issue cards.")(issue)
    group.command("revoke", help="Khoá thẻ bị mất. / Revoke a card that is lost.")(revoke)
    group.command("replace", help="Thay thẻ: khoá thẻ cũ, cấp thẻ mới. / Revoke and issue.")(
        replace
    )
    group.command("show", help="Một thẻ và các thẻ trước. / A card, and those before it.")(show)
    group.command("list", help="Các thẻ. / Cards, by number.")(list_)
    group.command("verify", help="Thẻ này là gì. / What a card that was read is.")(verify)
    add_print(group)
    app.add_typer(group, name="cards")


def issue(
    context: typer.Context,
    ward: Ward,
    batch: Annotated[
        str | None,
        typer.Option(help="Tên của cả loạt thẻ; cùng tên không cấp thêm. / Their common name."),
    ] = None,
    count: Annotated[
        int, typer.Option(min=1, max=100_000, help="Bao nhiêu thẻ. / How many of the batch.")
    ] = 1,
    person: Annotated[
        str | None, typer.Option(help="Mã người đã có. / A person who has a pseudonym.")
    ] = None,
    as_json: Json = False,
) -> None:
    """A batch for people who are still to come, or one card for --person.

    The same again makes only what is missing.
    """
    import re

    from console.store.cards import issue_batch, issue_card
    from issuer.units import area_name
    from schemas.ids import PERSON_PATTERN

    if (batch is None) == (person is None) or (person is not None and count != 1):
        raise UserError(
            "Nêu --batch (và --count), hoặc --person. / Give --batch (and --count), or --person."
        )
    if person is not None and not re.fullmatch(PERSON_PATTERN, person):
        raise UserError(
            "--person: mã người gồm 13 ký tự Crockford viết hoa. / "
            "--person: a person is 13 Crockford characters, upper case."
        )
    try:
        area_name(f"ward/{ward}")
    except ValueError:
        raise UserError(
            f"--ward: không có xã, phường {ward}. / --ward: there is no ward {ward}."
        ) from None
    session = session_of(context)
    by = _by(session)
    with store_of(session) as store:
        if person is not None:
            card, made = issue_card(store, person, ward, by)
            found, new = [card], int(made)
        else:
            assert batch is not None
            found, new = issue_batch(store, ward, batch, count, by)
    _tell(session, found, new, as_json)


def revoke(context: typer.Context, card: CardId, reason: Reason, as_json: Json = False) -> None:
    """Scans made from now on are refused, within a second; those made before stay."""
    from console.store.cards import revoke_card

    session = session_of(context)
    with store_of(session) as store:
        after = revoke_card(store, number_of(card), _said(reason), BY)
    if as_json:
        json_line({"card": document(after)})
    else:
        line(_shown(after, session))


def replace(context: typer.Context, card: CardId, reason: Reason, as_json: Json = False) -> None:
    """The person stays who they were: their scans by the old and the new card are one person's."""
    from console.store.cards import replace_card

    session = session_of(context)
    by = _by(session)
    with store_of(session) as store:
        after, made = replace_card(store, number_of(card), _said(reason), by)
    _tell(session, [after], int(made), as_json)


def show(context: typer.Context, card: CardId, as_json: Json = False) -> None:
    """With all cards the same person has had, the first one first."""
    from console.store.cards import card_by_id, cards_of

    session = session_of(context)
    number = number_of(card)
    with store_of(session) as store:
        found = card_by_id(store, number)
        if found is None:
            raise UserError(f"Không có thẻ {number}. / There is no card {number}.")
        same = cards_of(store, found.person)
    if as_json:
        json_line({"card": document(found), "of_the_same": [document(one) for one in same]})
        return
    for one in same:
        line(("> " if one.id == number else "  ") + _shown(one, session))


def list_(
    context: typer.Context,
    ward: Annotated[str | None, typer.Option(help="Của xã, phường. / Of a ward.")] = None,
    batch: Annotated[str | None, typer.Option(help="Của một loạt. / Of a batch.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 1_000,
    after: Annotated[int, typer.Option(help="Chỉ số lớn hơn. / Numbers above this.")] = 0,
    as_json: Json = False,
) -> None:
    """Those that are revoked, too."""
    from console.store.cards import list_cards

    session = session_of(context)
    with store_of(session) as store:
        found = list_cards(store, [ward] if ward else None, batch, limit=limit + 1, after=after)
    more, found = len(found) > limit, found[:limit]
    if as_json:
        json_line({"cards": [document(card) for card in found], "more": more})
        return
    for card in found:
        line(_shown(card, session))
    if not found:
        note(session.words("Không có thẻ nào.", "There are no such cards."))
    if more:
        note(session.words(f"Còn nữa: --after {found[-1].id}", f"More: --after {found[-1].id}"))


def verify(
    context: typer.Context,
    texts: Annotated[
        list[str],
        typer.Argument(metavar="TEXT…|-", help="Nội dung mã; - đọc từ stdin. / - is stdin."),
    ],
    as_json: Json = False,
) -> None:
    """As a scanner delivers it, in any case or keyboard layout. Exit code 1 if one is not good."""
    import sys

    from console.cardstanding import SENTENCES, CardStanding, card_in
    from console.codekeys import ring_of

    session = session_of(context)
    ring = ring_of(session.settings())
    given = [row for t in texts for row in (sys.stdin if t == _STDIN else [t]) if row.strip()]
    with store_of(session) as store:
        found = [card_in(store, ring, text) for text in given]
    good = [standing is CardStanding.VALID for standing, _ in found]
    if as_json:
        json_line(
            {
                "cards": [
                    {"good": fine, "standing": standing.value}
                    | {"sentence": dict(zip(("vi", "en"), SENTENCES[standing], strict=True))}
                    | ({"card": document(card)} if card else {})
                    for fine, (standing, card) in zip(good, found, strict=True)
                ]
            }
        )
    else:
        for fine, (standing, card) in zip(good, found, strict=True):
            which = f" {_shown(card, session)}" if card else ""
            line(f"{'✓' if fine else '✗'} {session.words(*SENTENCES[standing])}{which}")
    if not all(good) or not good:
        raise typer.Exit(1)


def number_of(text: str) -> int:
    """The nine digits in what was written. Raises UserError if the check digit does not fit."""
    from issuer.cards import is_card_id

    digits = "".join(text.split()).replace("-", "").replace(".", "")
    if not digits.isascii() or not digits.isdecimal() or not is_card_id(int(digits)):
        raise UserError(
            f"CARD: {text} không phải số thẻ, hoặc sai một chữ số: hãy hỏi lại. / "
            f"CARD: {text} is no card's number, or a digit is wrong: ask again."
        )
    return int(digits)


def document(card: "Card") -> dict[str, Any]:
    """What is said of a card: neither the number in its code nor the person."""
    return {k: v for k, v in vars(card).items() if k not in ("number", "person", "key")}


def _tell(session: Session, cards: "list[Card]", made: int, as_json: bool) -> None:
    if as_json:
        json_line({"cards": [document(card) for card in cards], "made": made})
        return
    for card in cards[:50]:
        line(_shown(card, session))
    line(session.words(f"Thẻ mới: {made}.", f"New cards: {made}."))


def _shown(card: "Card", session: Session) -> str:
    from issuer.cards import said

    of = f"{card.batch} #{card.line}" if card.batch else ""
    which = session.words(f"thẻ thứ {card.version}", f"card {card.version} of its person")
    words = f"{said(card.id)}  {card.ward}  {which}  {local_text(card.issued_at)}  {of}".rstrip()
    if card.revoked_at:
        revoked = session.words("đã khoá", "revoked")
        words += f"  {revoked} {local_text(card.revoked_at)} ({card.revoked_reason})"
    return words


def _said(reason: str) -> str:
    if not reason.strip():
        raise UserError("--reason: cần lý do. / --reason: a reason is needed.")
    return reason


def _by(session: Session) -> "By":
    from console.codekeys import ring_of
    from console.store.cards import By

    return By(BY, ring_of(session.settings()).keys[0].id)
