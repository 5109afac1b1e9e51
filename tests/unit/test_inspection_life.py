"""Where steps lead, what is set aside, and whose turn it is then."""

from datetime import date, timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from console.inspections.ahead import Turn, ahead
from console.inspections.authorities import may_decide
from console.inspections.life import Aside, life_of
from console.inspections.steps import AnyContent, Content, Seen, is_current, is_good
from issuer.standing import Standing
from schemas.inspections import Authority, Ending, Kind, Stage
from tests.inspections_kit import (
    ASKS_TIME,
    CLOSED,
    DAY,
    DEFECTS,
    DUE,
    MENDED,
    MISTAKE,
    MORE_TIME,
    NOT_POSSIBLE,
    OPENED,
    ORDERED,
    PASSED,
    REFERRED,
    REMINDED,
    defects,
    event_id,
    life,
    passed,
    step,
)

LATER = DUE + timedelta(days=1)
DECIDED = CLOSED.model_copy(update={"ending": Ending.DECIDED})
GONE = CLOSED.model_copy(update={"ending": Ending.GONE})
DISTRICT = REMINDED.model_copy(update={"by": Authority.DISTRICT_CHAIR})


@pytest.mark.parametrize(
    ("contents", "stage", "due_on"),
    [
        ((OPENED,), Stage.PLANNED, None),
        ((NOT_POSSIBLE,), Stage.PLANNED, None),
        ((OPENED, PASSED, CLOSED), Stage.CLOSED, None),
        ((DEFECTS, ORDERED), Stage.ORDERED, DUE),
        ((DEFECTS, ORDERED, NOT_POSSIBLE), Stage.ORDERED, DUE),
        ((DEFECTS, ORDERED, MENDED), Stage.REPLIED, DUE),
        ((DEFECTS, ORDERED, MENDED, PASSED), Stage.CHECKED, None),
        ((DEFECTS, ORDERED, DEFECTS), Stage.CHECKED, DUE),
        ((DEFECTS, ORDERED, DEFECTS, REFERRED), Stage.REFERRED, DUE),
        ((DEFECTS, REFERRED, MENDED), Stage.REFERRED, None),
        ((DEFECTS, REFERRED, PASSED), Stage.REFERRED, None),
        ((DEFECTS, REFERRED, REMINDED), Stage.DECIDED, None),
        ((DEFECTS, REFERRED, MORE_TIME), Stage.ORDERED, date(2026, 12, 20)),
        ((DEFECTS, REFERRED, PASSED, MORE_TIME), Stage.DECIDED, None),
        ((DEFECTS, REFERRED, REMINDED, DECIDED), Stage.CLOSED, None),
        ((OPENED, GONE), Stage.CLOSED, None),
    ],
)
def test_where_steps_lead(contents: tuple[Content, ...], stage: Stage, due_on: date | None) -> None:
    found = life(*contents)
    assert (found.state.stage, found.state.due_on, found.aside) == (stage, due_on, {})


@pytest.mark.parametrize(
    ("contents", "why"),
    [
        ((ORDERED,), Aside.NOT_CHECKED),
        ((MENDED,), Aside.NOT_CHECKED),
        ((NOT_POSSIBLE, ORDERED), Aside.NOT_CHECKED),
        ((PASSED, ORDERED), Aside.NO_DEFECTS),
        ((PASSED, REFERRED), Aside.NO_DEFECTS),
        ((DEFECTS, OPENED), Aside.BEGUN),
        ((DEFECTS, REFERRED, ORDERED), Aside.WITH_AUTHORITY),
        ((DEFECTS, REFERRED, REFERRED), Aside.WITH_AUTHORITY),
        ((DEFECTS, REFERRED, GONE), Aside.WITH_AUTHORITY),
        ((DEFECTS, REMINDED), Aside.NOT_REFERRED),
        ((DEFECTS, REFERRED, DISTRICT), Aside.NOT_REFERRED),
        ((DEFECTS, CLOSED), Aside.NOT_PASSED),
        ((PASSED, DECIDED), Aside.NOT_DECIDED),
        ((PASSED, MISTAKE, DEFECTS), Aside.CLOSED),
    ],
)
def test_what_does_not_fit_is_set_aside_with_why(contents: tuple[Content, ...], why: Aside) -> None:
    found = life(*contents)
    assert found.aside == {event_id(len(contents) - 1): why}
    assert found.state == life(*contents[:-1]).state


def test_an_order_that_arrives_before_its_check_counts_once_the_check_is_there() -> None:
    order, check = step(1, ORDERED, minute=10), step(2, DEFECTS, minute=5)
    assert life_of([order]).aside == {order.event_id: Aside.NOT_CHECKED}
    assert life_of([order]).state.stage is None
    both = life_of([order, check, order])
    assert [s.event_id for s in both.steps] == [check.event_id, order.event_id]
    assert (both.state.stage, both.aside) == (Stage.ORDERED, {})


def test_steps_of_one_moment_follow_each_other_as_they_must() -> None:
    contents: list[Content] = [CLOSED, PASSED, MENDED, ORDERED, DEFECTS, OPENED]
    made = [
        step(n, content, minute=0 if content != PASSED else 1) for n, content in enumerate(contents)
    ]
    found = life_of(made)
    assert [s.content.kind for s in found.steps] == [
        Kind.OPENED, Kind.CHECKED, Kind.ORDERED, Kind.REPLIED, Kind.CLOSED, Kind.CHECKED,
    ]  # fmt: skip
    assert list(found.aside.values()) == [Aside.NOT_PASSED]


@pytest.mark.parametrize(
    ("contents", "today", "turn", "proposed", "overdue"),
    [
        ((OPENED,), DAY, Turn.OFFICER, [Kind.CHECKED], False),
        ((OPENED,), LATER, Turn.OFFICER, [Kind.CHECKED], True),
        ((PASSED,), DAY, Turn.OFFICER, [Kind.CLOSED], False),
        ((DEFECTS,), DAY, Turn.OFFICER, [Kind.ORDERED], False),
        ((DEFECTS, ORDERED), DUE, Turn.OWNER, [Kind.REPLIED], False),
        ((DEFECTS, ORDERED), LATER, Turn.OFFICER, [Kind.CHECKED], True),
        ((DEFECTS, ORDERED, MENDED), DAY, Turn.OFFICER, [Kind.CHECKED], False),
        ((DEFECTS, ORDERED, ASKS_TIME), DAY, Turn.OFFICER, [Kind.ORDERED, Kind.CHECKED], False),
        ((DEFECTS, ORDERED, DEFECTS), LATER, Turn.OFFICER, [Kind.ORDERED, Kind.REFERRED], True),
        ((DEFECTS, REFERRED), DAY, Turn.AUTHORITY, [Kind.DECIDED], False),
        ((DEFECTS, REFERRED, REMINDED), DAY, Turn.OFFICER, [Kind.CHECKED, Kind.CLOSED], False),
        ((PASSED, CLOSED), DAY, Turn.NOBODY, [], False),
    ],
)
def test_whose_turn_it_is(
    contents: tuple[Content, ...], today: date, turn: Turn, proposed: list[Kind], overdue: bool
) -> None:
    next_ = ahead(life(*contents).state, today)
    assert (next_.turn, list(next_.proposed), next_.overdue) == (turn, proposed, overdue)


def test_a_referral_is_proposed_and_to_the_next_above_after_a_decision() -> None:
    contents: list[Content] = [DEFECTS, ORDERED, DEFECTS]
    assert ahead(life(*contents).state, DUE).refer_to is None
    assert ahead(life(*contents).state, LATER).refer_to is Authority.WARD_CHAIR
    contents += [REFERRED, REMINDED, DEFECTS]
    found = life(*contents)
    assert ahead(found.state, LATER).refer_to is Authority.DISTRICT_CHAIR
    assert ahead(found.state, LATER, districts=False).refer_to is Authority.CITY_CHAIR
    assert found.state.stage is Stage.CHECKED  # nobody has referred it by the day alone


def test_the_scan_says_whether_the_poster_is_current_not_the_eye() -> None:
    valid, old = Seen(Standing.VALID, True, 2), Seen(Standing.EXPIRED, True, 1)
    elsewhere = Seen(Standing.VALID, False)
    check = passed(current=True)
    assert [is_current(check, seen) for seen in (Seen(), valid, old, elsewhere)] == [
        True, True, False, False,
    ]  # fmt: skip
    assert [is_good(check, seen) for seen in (Seen(), valid, old, elsewhere)] == [
        True, True, False, False,
    ]  # fmt: skip
    assert not is_good(defects(posted=True, visible=False), valid)
    contradicted = life_of([step(0, passed(), seen=old)])
    assert ahead(contradicted.state, DAY).proposed == (Kind.CHECKED,)


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "checked", "result": "passed"},
        {"kind": "checked", "result": "passed", "posted": False},
        {"kind": "checked", "result": "passed", "posted": True, "visible": False},
        {"kind": "checked", "result": "passed", "posted": True, "visible": True, "current": False},
        {"kind": "checked", "result": "defects"},
        {"kind": "checked", "result": "defects", "posted": False, "scanned": "X"},
        {"kind": "checked", "result": "defects", "posted": False, "who": "Nguyễn"},
        {"kind": "ordered", "mend": [], "by": "2026-11-30"},
        {"kind": "decided", "by": "ward_chair", "outcome": "more_time"},
        {"kind": "decided", "by": "ward_chair", "outcome": "reminded", "until": "2026-11-30"},
        {"kind": "closed", "ending": "mended", "note": " "},
    ],
)
def test_a_step_that_contradicts_itself_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(AnyContent).validate_python(said)


@pytest.mark.parametrize(
    ("area", "sector", "mine"),
    [
        ("ward/11413", None, {Authority.WARD_CHAIR}),
        ("district/306", None, {Authority.WARD_CHAIR, Authority.DISTRICT_CHAIR}),
        ("city/31", None, set(Authority)),
        ("*", None, set(Authority)),
        ("city/31", "education", {Authority.SECTOR_DEPARTMENT}),
        ("city/31", "health", {Authority.SECTOR_DEPARTMENT, Authority.HEALTH_INSPECTORATE}),
        ("district/306", "health", set()),
        ("", None, set()),
    ],
)
def test_who_may_record_whose_decision(area: str, sector: str | None, mine: set[Authority]) -> None:
    assert {a for a in Authority if may_decide(area, sector, a)} == mine
