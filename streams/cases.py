"""Reading `cases.v1`: what a record says of a case."""

import traceback
from typing import Final

from polars.exceptions import PolarsError
from pydantic import ValidationError

from schemas.cases import (
    HIGHEST_VERSION,
    OPEN_STATUSES,
    WORKED,
    Case,
    CaseStatus,
    is_a_day,
    system_of,
)
from schemas.errors import InvalidEvent
from schemas.ids import person_bits
from streams.watched import Watched
from tracer.identity import same_of
from tracer.stated import bits_of

# One case, whatever is wrong with it, must not stop a city: `cases.v1` keeps it, so every worker
# would stop again after each start. What neighbours raise is none of these.
REFUSED: Final = (
    ValueError, ArithmeticError, LookupError, TypeError, AttributeError, AssertionError, PolarsError
)  # fmt: skip


def read_case(key: bytes | None, value: bytes | None) -> Case | None:
    """The case a record carries; None for a tombstone. Raises InvalidEvent, saying why.

    Another system's case (its id begins with its producer's id and a slash) is suspected until
    an epidemiologist confirms it here.
    """
    if value is None:
        return None
    try:
        case = Case.model_validate_json(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "record"
        raise InvalidEvent(f"case record: {field}: {first['msg']}") from None
    if case.version > HIGHEST_VERSION:
        raise InvalidEvent(f"case record: version: {case.version} is too high")
    days = [("onset", case.onset), ("sampled_on", case.sampled_on)]
    days += [("named.last_contact", entry.last_contact) for entry in case.named]
    for field, day in days if case.status in OPEN_STATUSES else ():  # it can always be ended
        if day is not None and not is_a_day(day):
            raise InvalidEvent(f"case record: {field}: {day} stands for no day")
    if case.result_on is not None and not is_a_day(case.result_on):
        case = case.model_copy(update={"result_on": None})  # it decides nothing
    if key != case.id.encode():
        raise InvalidEvent(f"case record: the key is not the case's id {case.id}")
    system = system_of(case.id)
    if system is not None and case.registered_by != system:
        raise InvalidEvent(f"case record: {case.registered_by} may not write case {case.id}")
    return as_traced(case)


def as_traced(case: Case) -> Case:
    """As workers know it: another system's case is suspected, whoever has confirmed it."""
    if system_of(case.id) is not None and case.status is CaseStatus.CONFIRMED:
        return case.model_copy(update={"status": CaseStatus.SUSPECTED})
    return case


def but_for_work(case: Case) -> Case:
    """What stays and windows depend on: not what the work on its list says of contacts, and not the
    day of the result, which decides nothing."""
    return case.model_copy(update={"version": 0, "result_on": None} | dict.fromkeys(WORKED, ()))


def said(error: Exception) -> str:
    """What is wrong with a case: the words of one who looked for it, else also where it broke."""
    if isinstance(error, ValueError):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.name} ({last.filename}:{last.lineno}): {error}"


def as_said(case: Case) -> Watched:
    """What is watched of a case by its record alone, before anything is read."""
    out = frozenset(person_bits(entry.person) for entry in case.excluded)
    return Watched(case.id, case.version, bits_of(case), (), same=same_of(case), excluded=out)
