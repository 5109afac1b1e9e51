"""What officers add to a case's scans: place-time points, and what people answered when asked."""

import polars as pl

from schemas.cases import Case
from schemas.ids import person_bits
from tracer.frames import ANSWERS, NO_ANSWERS
from tracer.ground import Grounds
from tracer.identity import as_one, same_of
from tracer.parameters import Parameters
from tracer.stays import STAYS, stays


def bits_of(case: Case) -> int | None:
    """The case's person; None where it is place-time points alone."""
    return None if case.person is None else person_bits(case.person)


def stays_of_case(
    case: Case, itinerary: pl.DataFrame, ground: Grounds, answers: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The stays of the case's own scans, and one more for each of its place-time points.

    Columns `stays.STAYS`; a point has no scans, and its source as provenance of both ends. A
    point and a stay at the same place are two pieces of evidence and stay two.
    """
    scanned = stays(itinerary, ground, answers)
    if not case.points:
        return scanned
    return pl.concat([scanned, _points(case, ground.parameters)])


def answers_of(case: Case) -> pl.DataFrame:
    """What the case and others answered, shape `frames.ANSWERS`."""
    if not case.answers:
        return NO_ANSWERS
    rows = [(person_bits(a.person), a.place, a.begin, a.end) for a in case.answers]
    return as_one(pl.DataFrame(rows, schema=dict(ANSWERS), orient="row"), same_of(case))


def _points(case: Case, parameters: Parameters) -> pl.DataFrame:
    person = bits_of(case)
    rows = [
        {
            "person": person,
            "place": point.place,
            "start": point.begin,
            "end": point.end,
            "start_provenance": point.source.value,
            "end_provenance": point.source.value,
            "confidence": parameters.point_confidence[point.source.value],
        }
        for point in sorted(set(case.points), key=lambda p: (p.place, p.begin, p.end, p.source))
    ]
    return pl.DataFrame(rows, schema=dict(STAYS), orient="row")
