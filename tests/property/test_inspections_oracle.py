"""The life of an inspection, against a slow and obvious one that carries no state along."""

import random
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from console.inspections.life import life_of, refusal
from console.inspections.steps import Content, Step
from schemas.inspections import Authority, Ending, Kind, Outcome, Result
from tests.inspections_kit import (
    ASKS_TIME,
    AT,
    CLOSED,
    DEFECTS,
    MENDED,
    MISTAKE,
    MORE_TIME,
    NOT_POSSIBLE,
    OPENED,
    ORDERED,
    PASSED,
    REFERRED,
    REMINDED,
    event_id,
)

_OTHERS: list[Content] = [
    REFERRED.model_copy(update={"to": Authority.DISTRICT_CHAIR}),
    REMINDED.model_copy(update={"by": Authority.DISTRICT_CHAIR}),
    CLOSED.model_copy(update={"ending": Ending.DECIDED}),
    CLOSED.model_copy(update={"ending": Ending.GONE}),
    ORDERED.model_copy(update={"by": date(2026, 12, 9)}),
]
CONTENTS: list[Content] = [
    OPENED, PASSED, DEFECTS, NOT_POSSIBLE, ORDERED, MENDED, ASKS_TIME, REFERRED, REMINDED,
    MORE_TIME, CLOSED, MISTAKE, *_OTHERS,
]  # fmt: skip


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    """Mostly what may follow what was there, so that lives get long; some at the same moment."""
    made: list[Step] = []
    minute = 0
    for n in range(draw(st.integers(0, 14))):
        state = life_of(made).state
        fitting = [c for c in CONTENTS if c.kind != Kind.CLOSED and refusal(state, c) is None]
        anything = not fitting or draw(st.integers(0, 3)) == 0
        content = draw(st.sampled_from(CONTENTS if anything else fitting))
        minute += draw(st.sampled_from([-2, 0, 1, 1, 1]))
        made.append(Step(event_id(n), AT + timedelta(minutes=minute), content))
    return made


@given(steps(), st.integers(0, 2**32))
def test_the_same_steps_in_any_order_and_number_are_the_same_life(
    made: list[Step], seed: int
) -> None:
    chance = random.Random(seed)
    again = [step for step in made for _ in range(chance.randint(1, 3))]
    chance.shuffle(again)
    assert life_of(again) == life_of(made)


@settings(max_examples=1500, deadline=None)
@given(steps())
def test_the_life_is_that_of_the_oracle(made: list[Step]) -> None:
    found = life_of(made)
    oracle = Oracle(made)
    assert [s.event_id for s in found.steps] == [s.event_id for s in oracle.steps]
    assert {s.event_id for s in oracle.counting()} == {
        s.event_id for s in made if s.event_id not in found.aside
    }
    state = found.state
    assert (state.stage.value if state.stage else None) == oracle.stage()
    assert state.due_on == oracle.due_on()
    check = oracle.last_check(len(made))
    assert state.check == check
    assert state.referred == oracle.referred(len(made))


class Oracle:
    """Every question is answered by looking back over the steps that counted."""

    def __init__(self, made: list[Step]) -> None:
        left, self.steps = list(made), []
        kinds = list(Kind)
        while left:  # the earliest, by hand
            first = left[0]
            for other in left[1:]:
                mine = (first.occurred_at, kinds.index(first.content.kind), first.event_id)
                if (other.occurred_at, kinds.index(other.content.kind), other.event_id) < mine:
                    first = other
            left.remove(first)
            self.steps.append(first)
        self._known: dict[int, bool] = {}

    def counting(self, before: int | None = None) -> list[Step]:
        end = len(self.steps) if before is None else before
        return [self.steps[n] for n in range(end) if self.counts(n)]

    def counts(self, n: int) -> bool:
        if n not in self._known:
            self._known[n] = self._counts(n)
        return self._known[n]

    def _counts(self, n: int) -> bool:
        content: Any = self.steps[n].content
        past = self.counting(n)
        kinds = [s.content.kind for s in past]
        if Kind.CLOSED in kinds:
            return False
        check, referred = self.last_check(n), self.referred(n)
        match content.kind:
            case Kind.OPENED:
                return not kinds
            case Kind.CHECKED:
                return True
            case Kind.ORDERED | Kind.REFERRED:
                bad = check is not None and check.content.result == Result.DEFECTS
                return bad and not referred
            case Kind.REPLIED:
                return check is not None
            case Kind.DECIDED:
                return referred and self.asked(n) == content.by
            case _:
                if content.ending == Ending.MISTAKE:
                    return True
                good = check is not None and check.content.result == Result.PASSED
                decided = Kind.DECIDED in kinds
                fits = {Ending.MENDED: good, Ending.DECIDED: decided, Ending.GONE: True}
                return fits[content.ending] and not referred

    def last_check(self, n: int) -> Any:
        for s in reversed(self.counting(n)):
            if s.content.kind == Kind.CHECKED and s.content.result != Result.NOT_POSSIBLE:
                return s
        return None

    def asked(self, n: int) -> Authority | None:
        for s in reversed(self.counting(n)):
            if s.content.kind == Kind.REFERRED:
                return s.content.to
        return None

    def referred(self, n: int) -> bool:
        for s in reversed(self.counting(n)):
            if s.content.kind in (Kind.REFERRED, Kind.DECIDED):
                return s.content.kind == Kind.REFERRED
        return False

    def due_on(self) -> date | None:
        found = None
        for n, s in enumerate(self.steps):
            if not self.counts(n):
                continue
            content: Any = s.content
            if content.kind == Kind.CHECKED and content.result == Result.PASSED:
                found = None
            if content.kind == Kind.ORDERED:
                found = content.by
            if self._more_time(n):
                found = content.until
        return found

    def _more_time(self, n: int) -> bool:
        content: Any = self.steps[n].content
        if content.kind != Kind.DECIDED or content.outcome != Outcome.MORE_TIME:
            return False
        return bool(self.last_check(n).content.result == Result.DEFECTS)

    def stage(self) -> str | None:
        for n in reversed(range(len(self.steps))):
            content: Any = self.steps[n].content
            if not self.counts(n):
                continue
            if content.kind == Kind.CHECKED and content.result == Result.NOT_POSSIBLE:
                if any(True for _ in self.counting(n)):
                    continue  # somebody went there in vain: it stands where it stood
                return "planned"
            if content.kind in (Kind.CHECKED, Kind.REPLIED) and self.referred(n):
                return "referred"
            if self._more_time(n):
                return "ordered"
            return "planned" if content.kind == Kind.OPENED else str(content.kind)
        return None
