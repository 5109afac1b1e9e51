"""What goes in and out of the routes of cards. No answer has the person a card stands for."""

from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from console.api.register_schemas import Reason
from console.api.schemas import ApiModel, Sentence, example
from console.cardstanding import CardStanding
from console.store.cards import Card
from issuer.delivered import MAX_TEXT
from schemas.ids import PERSON_PATTERN
from schemas.scan import Timestamp

MOST_CARDS: Final = 1_000
CARD_EXAMPLE: Final[dict[str, Any]] = {
    "id": 482177306,
    "version": 1,
    "ward": "11413",
    "batch": "to-dan-pho-5",
    "line": 12,
    "issued_at": "2026-11-20T01:00:00.000Z",
    "issued_by": "key/7",
    "revoked_at": None,
    "revoked_by": None,
    "revoked_reason": None,
}

Batch = Annotated[
    str,
    Field(
        pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$",
        description="What the ward calls these cards; the same again makes no more.",
    ),
]


class IssueCards(ApiModel):
    """A card for one person, or `count` cards of a batch for people who are still to come."""

    model_config = example({"ward": "11413", "batch": "to-dan-pho-5", "count": 100})

    ward: str
    person: Annotated[str, Field(pattern=PERSON_PATTERN)] | None = None
    batch: Batch | None = None
    count: Annotated[int, Field(ge=1, le=MOST_CARDS)] = 1

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.person is None) == (self.batch is None):
            raise ValueError(
                "Nêu một người hoặc một lô, chỉ một trong hai. / "
                "Name a person or a batch, one of them."
            )
        if self.person is not None and self.count != 1:
            raise ValueError("Mỗi người chỉ có một thẻ. / A person has one card.")
        return self


class EndCard(ApiModel):
    """Why, for the history."""

    model_config = example({"reason": "mất thẻ"})

    reason: Reason


class CardRecord(ApiModel):
    """A card as it stands. `version`: which of its person's cards it is."""

    model_config = example(CARD_EXAMPLE)

    id: Annotated[int, Field(description="Printed on it, said over the telephone.")]
    version: int
    ward: str
    batch: str | None
    line: int | None
    issued_at: Timestamp
    issued_by: str
    revoked_at: Timestamp | None
    revoked_by: str | None
    revoked_reason: str | None

    @classmethod
    def of(cls, card: Card) -> Self:
        """What is shown of it: neither the number in its code nor the person."""
        return cls(**{name: getattr(card, name) for name in cls.model_fields})


class IssuedCards(ApiModel):
    """The cards asked for; `made`: how many of them there were not before."""

    model_config = example({"cards": [CARD_EXAMPLE], "made": 1})

    cards: list[CardRecord]
    made: int


class CardLines(ApiModel):
    """Cards of the key's area by id. `after`: ask for more with it; null: that was all."""

    model_config = example({"cards": [CARD_EXAMPLE], "after": None})

    cards: list[CardRecord]
    after: int | None


class CardWhole(ApiModel):
    """A card, and all cards its person has had, the first one first."""

    model_config = example({"card": CARD_EXAMPLE, "of_the_same": [CARD_EXAMPLE]})

    card: CardRecord
    of_the_same: list[CardRecord]


class VerifyCard(ApiModel):
    """What a scanner delivers, in any case or keyboard layout."""

    model_config = example({"text": "u7m2k4p9q1hx8d3fz0gw"})

    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


class CardSaid(ApiModel):
    """What a card is. `card` only within the key's area."""

    model_config = example(
        {
            "good": True,
            "standing": "valid",
            "sentence": {"vi": "Thẻ còn hiệu lực.", "en": "The card is valid."},
            "card": CARD_EXAMPLE,
        }
    )

    good: bool
    standing: CardStanding
    sentence: Sentence
    card: CardRecord | None = None
