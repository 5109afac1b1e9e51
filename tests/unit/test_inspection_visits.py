"""A ward's round: who is first, who is left in peace, and that it is a walk."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from console.inspections.visits import Door, Hand, Reason, visit_of, visits
from issuer.walk import walk_key
from schemas.inspections import Stage

TODAY = date(2026, 11, 25)
SEEN = datetime(2026, 9, 1, 3, tzinfo=UTC)


def door(place: int, *hands: Hand, at: datetime | None = None, address: str | None = None) -> Door:
    return Door(place, walk_key("11413", address, f"Site {place}", place, False, place), at, hands)


def hand(stage: Stage, days: int | None = None, planned: int | None = None) -> Hand:
    def day(away: int | None) -> date | None:
        return None if away is None else TODAY + timedelta(days=away)

    return Hand(f"{stage}", stage, day(planned), day(days))


@pytest.mark.parametrize(
    ("hands", "at", "reason"),
    [
        ((), None, Reason.NEVER),
        ((), SEEN, Reason.OLDEST),
        ((hand(Stage.PLANNED),), None, Reason.PLANNED),
        ((hand(Stage.PLANNED, planned=0),), None, Reason.PLANNED),
        ((hand(Stage.PLANNED, planned=1),), None, None),
        ((hand(Stage.ORDERED, 0),), SEEN, None),
        ((hand(Stage.ORDERED, -1),), SEEN, Reason.OVERDUE),
        ((hand(Stage.REPLIED, 3),), SEEN, Reason.ANSWERED),
        ((hand(Stage.REPLIED, -3),), SEEN, Reason.OVERDUE),
        ((hand(Stage.DECIDED),), SEEN, Reason.ANSWERED),
        ((hand(Stage.REFERRED, -9),), SEEN, None),
        ((hand(Stage.CHECKED, -9),), SEEN, Reason.OLDEST),
        ((hand(Stage.CHECKED), hand(Stage.ORDERED, -2)), SEEN, Reason.OVERDUE),
        ((hand(Stage.PLANNED), hand(Stage.ORDERED, 2)), SEEN, Reason.PLANNED),
    ],
)
def test_why_somebody_should_go(
    hands: tuple[Hand, ...], at: datetime | None, reason: Reason | None
) -> None:
    visit = visit_of(door(1, *hands, at=at), TODAY)
    assert (visit.reason if visit else None) is reason


def test_the_most_pressing_first_then_the_walk() -> None:
    doors = [
        door(1, hand(Stage.ORDERED, -9)),
        door(2, hand(Stage.ORDERED, -2)),
        door(3, hand(Stage.PLANNED, planned=-1)),
        door(4, hand(Stage.REPLIED)),
        door(5, address="2 Lạch Tray"),
        door(6, address="10 Lạch Tray"),
        door(7, address="1 Văn Cao"),
        door(8, at=SEEN, address="9 Lạch Tray"),
        # of the same week, so that the next door is next
        door(9, at=SEEN - timedelta(days=1), address="11 Lạch Tray"),
        door(10, at=SEEN + timedelta(days=30), address="1 Lạch Tray"),
        door(11, hand(Stage.ORDERED, 4), at=SEEN),
    ]
    for seed in range(5):
        mixed = random.Random(seed).sample(doors, len(doors))
        assert [visit.door.place for visit in visits(mixed, TODAY)] == list(range(1, 11))


def test_the_last_look_is_a_local_day() -> None:
    visit = visit_of(door(1, at=datetime(2026, 11, 20, 18, tzinfo=UTC)), TODAY)
    assert visit is not None
    assert visit.since == date(2026, 11, 21)
