"""Routes of cards of persons without a phone: issued, revoked, replaced, and what one is.

There is none that tells whom a card stands for: a photograph of one would then be a person. Only
the gateway knows it, and puts the person in the card's place (`console/gateway/cards.py`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, Path, Query

from console.access import Principal, Requires, Right
from console.api.cards_schemas import (
    CardLines,
    CardRecord,
    CardSaid,
    CardWhole,
    EndCard,
    IssueCards,
    IssuedCards,
    VerifyCard,
)
from console.api.codes import ring_of
from console.api.documented import answers
from console.api.errors import field_problem, invalid, not_found
from console.api.register_reading import Limit
from console.api.schemas import Sentence
from console.api.state import Console, console_of
from console.cardstanding import SENTENCES, CardStanding, card_in
from console.store import cards
from console.store.cards import By, Guard
from console.store.errors import NotFound

log = structlog.get_logger()
router = APIRouter(prefix="/v1/cards", tags=["cards"])

ConsoleOf = Annotated[Console, Depends(console_of)]
Manages = Annotated[Principal, Depends(Requires(Right.CARDS_MANAGE))]
CardId = Annotated[int, Path(ge=1, lt=10**9, description="The nine digits on the card.")]
Ward = Annotated[str | None, Query(max_length=64, description="Of this ward; all without it.")]
Batch = Annotated[str | None, Query(max_length=64)]
After = Annotated[int, Query(ge=0, lt=10**9, description="Cards above this.")]

_NO_CARD: Final = (
    "Không có thẻ này trong địa bàn của khoá.",
    "There is no such card in this key's area.",
)


@router.post("", summary="Issue cards", responses=answers(409, 503))
def issue(body: IssueCards, principal: Manages, console: ConsoleOf) -> IssuedCards:
    """One for a person who has none that can be used, or those of a batch that are missing."""
    if not principal.reaches(body.ward):
        vi, en = "Nằm ngoài địa bàn của khoá.", "It is outside this key's area."
        raise invalid(field_problem("ward", "outside_area", vi, en))
    by = _by(principal, console)
    if body.person is not None:
        card, made = cards.issue_card(console.store, body.person, body.ward, by)
        found, new = [card], int(made)
    else:
        assert body.batch is not None
        found, new = cards.issue_batch(console.store, body.ward, body.batch, body.count, by)
    log.info("cards_issued", ward=body.ward, made=new)
    return IssuedCards(cards=[CardRecord.of(card) for card in found], made=new)


@router.get("", summary="Cards in the key's area")
def listed(
    principal: Manages,
    console: ConsoleOf,
    ward: Ward = None,
    batch: Batch = None,
    limit: Limit = 100,
    after: After = 0,
) -> CardLines:
    """By id, those that are revoked too. A ward outside the area has none."""
    wards = principal.wards(ward)
    found = cards.list_cards(console.store, wards, batch, limit=limit + 1, after=after)
    more, found = len(found) > limit, found[:limit]
    lines = [CardRecord.of(card) for card in found]
    return CardLines(cards=lines, after=lines[-1].id if more else None)


@router.get("/{card_id}", summary="A card", responses=answers(404))
def shown(card_id: CardId, principal: Manages, console: ConsoleOf) -> CardWhole:
    """With the cards that the same person had before and has had since, in the key's area."""
    card = cards.card_by_id(console.store, card_id)
    if card is None or not principal.reaches(card.ward):
        raise not_found(*_NO_CARD)
    same = cards.cards_of(console.store, card.person)
    within = [CardRecord.of(one) for one in same if principal.reaches(one.ward)]
    return CardWhole(card=CardRecord.of(card), of_the_same=within)


@router.post("/{card_id}/revoke", summary="Revoke a card", responses=answers(404))
def revoke(card_id: CardId, body: EndCard, principal: Manages, console: ConsoleOf) -> CardRecord:
    """Scans made from now on are refused; earlier ones stay. Revoked before, it stays as it is."""
    with _within(principal) as guard:
        card = cards.revoke_card(console.store, card_id, body.reason, principal.by, guard=guard)
    log.info("card_revoked", card=card_id)
    return CardRecord.of(card)


@router.post("/{card_id}/replace", summary="Replace a card", responses=answers(404, 503))
def replace(card_id: CardId, body: EndCard, principal: Manages, console: ConsoleOf) -> IssuedCards:
    """Revoke it and issue the person's next one. Replaced before, that one is the answer."""
    by = _by(principal, console)
    with _within(principal) as guard:
        card, made = cards.replace_card(console.store, card_id, body.reason, by, guard=guard)
    log.info("card_replaced", card=card_id, made=made)
    return IssuedCards(cards=[CardRecord.of(card)], made=int(made))


@router.post("/verify", summary="What a card is", responses=answers(503))
def verify(body: VerifyCard, principal: Manages, console: ConsoleOf) -> CardSaid:
    """Whether a scan of it now would be accepted, and which card it is; never whose."""
    standing, card = card_in(console.store, ring_of(console), body.text)
    vi, en = SENTENCES[standing]
    return CardSaid(
        good=standing is CardStanding.VALID,
        standing=standing,
        sentence=Sentence(vi=vi, en=en),
        card=CardRecord.of(card) if card and principal.reaches(card.ward) else None,
    )


def _by(principal: Principal, console: Console) -> By:
    return By(principal.by, ring_of(console).keys[0].id)


@contextmanager
def _within(principal: Principal) -> Iterator[Guard]:
    """A guard for the change inside; what is outside the area is as if it were not there."""

    def guard(ward: str) -> None:
        if not principal.reaches(ward):
            raise not_found(*_NO_CARD)

    try:
        yield guard
    except NotFound:
        raise not_found(*_NO_CARD) from None
