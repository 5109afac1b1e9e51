"""What tests of inspections share: steps that happened some minutes after a moment."""

from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

from PIL import Image

from console.inspections.life import Life, life_of
from console.inspections.steps import (
    Checked,
    Closed,
    Content,
    Decided,
    Opened,
    Ordered,
    Referred,
    Replied,
    Seen,
    Step,
)
from schemas.inspections import Authority, Ending, Mend, Outcome, Result, Says

AT = datetime(2026, 11, 23, 2, 10, tzinfo=UTC)  # 09:10 in Ho Chi Minh City
DAY = date(2026, 11, 23)
DUE = date(2026, 11, 30)


def event_id(number: int) -> str:
    return f"0190f5a4-0000-7000-8000-{number:012d}"


def step(
    number: int, content: Content, minute: float | None = None, seen: Seen | None = None
) -> Step:
    at = AT + timedelta(minutes=number if minute is None else minute)
    return Step(event_id(number), at, content, seen or Seen())


def life(*contents: Content) -> Life:
    """Of these steps, a minute apart."""
    return life_of([step(n, content) for n, content in enumerate(contents)])


def passed(**changes: Any) -> Checked:
    fields = {"result": Result.PASSED, "posted": True, "visible": True}
    return Checked.model_validate(fields | changes)


def defects(**changes: Any) -> Checked:
    return Checked.model_validate({"result": Result.DEFECTS, "posted": False} | changes)


OPENED = Opened(planned_on=DAY)
PASSED = passed()
DEFECTS = defects()
NOT_POSSIBLE = Checked(result=Result.NOT_POSSIBLE)
ORDERED = Ordered(mend=(Mend.PUT_UP,), by=DUE)
MENDED = Replied(says=Says.MENDED)
ASKS_TIME = Replied(says=Says.ASKS_TIME, until=date(2026, 12, 5))
REFERRED = Referred(to=Authority.WARD_CHAIR)
REMINDED = Decided(by=Authority.WARD_CHAIR, outcome=Outcome.REMINDED)
MORE_TIME = Decided(by=Authority.WARD_CHAIR, outcome=Outcome.MORE_TIME, until=date(2026, 12, 20))
CLOSED = Closed(ending=Ending.MENDED)
MISTAKE = Closed(ending=Ending.MISTAKE)


def picture(form: str = "PNG", size: tuple[int, int] = (6, 4), **more: Any) -> bytes:
    """A picture's file, red at the left and blue at the right."""
    drawn = Image.new("RGB", size, "red")
    drawn.paste("blue", (size[0] // 2, 0, *size))
    out = BytesIO()
    drawn.save(out, form, **more)
    return out.getvalue()
