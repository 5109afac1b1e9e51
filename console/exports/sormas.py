"""SORMAS's contact import: its column names, its codes, one contact a line.

Where each name was read is in docs/exports.md. The importer itself sets the reporting user
(`ContactImporter.importDataFromCsvLine`), so there is no column for it; it reads dates by the
language of whoever imports (`Language`), so the way they are written is the asker's choice.
"""

import re
from collections.abc import Callable, Generator, Iterable, Sequence
from datetime import date, datetime
from typing import Final, Literal

from console.exports.cells import defused
from console.exports.columns import Line
from console.exports.csvfile import BOM, Separator, written
from console.worklist.axes import Classification
from console.worklist.followup import last_day
from issuer.units import ward
from schemas.cases import Relation
from schemas.clock import LOCAL
from tracer.documents import NAMED, near

Dates = Literal["dmy", "dotted", "mdy"]
_PHONE: Final = re.compile(r"\+[0-9 ]{4,24}")
FORMATS: Final[dict[Dates, str]] = {"dmy": "%d/%m/%Y", "dotted": "%d.%m.%Y", "mdy": "%m/%d/%Y"}


def _until(line: Line, dates: str) -> str:
    last = line.row.last_exposure
    return _written(last_day(last), dates) if last and line.row.work.follow_up else ""


_RELATIONS: Final = {
    Relation.HOUSEHOLD: "SAME_HOUSEHOLD",
    Relation.COLLEAGUE: "SAME_ENVIRONMENT",
    Relation.CLASSMATE: "SAME_ENVIRONMENT",
    Relation.CARE: "MEDICAL_CARE",
    Relation.OTHER: "OTHER",
}
SORMAS_COLUMNS: Final[dict[str, Callable[[Line, str], str]]] = {
    "caseIdExternalSystem": lambda o, _: o.row.case.id,
    "disease": lambda _o, _: "CORONAVIRUS",
    "diseaseDetails": lambda _o, _: "COVID-19",
    "reportDateTime": lambda o, dates: _written(_reported(o), dates),
    "region": lambda o, _: _unit(o, 2),
    "district": lambda o, _: _unit(o, 1),
    "community": lambda o, _: _unit(o, 0),
    "multiDayContact": lambda o, _: "true" if len(_days(o)) > 1 else "false",
    "firstContactDate": lambda o, dates: (
        _written(min(_days(o)), dates) if len(_days(o)) > 1 else ""
    ),
    "lastContactDate": lambda o, dates: _written(max(_days(o)), dates) if _days(o) else "",
    "contactIdentificationSource": lambda o, _: "CASE_PERSON" if _named(o) else "TRACING_APP",
    "tracingApp": lambda o, _: "" if _named(o) else "OTHER",
    "tracingAppDetails": lambda o, _: "" if _named(o) else "truyvet",
    "contactProximity": lambda o, _: _proximity(o),
    "relationToCase": lambda o, _: _relation(o),
    "contactCategory": lambda o, _: o.row.work.category or "",
    "contactClassification": lambda o, _: o.row.work.classification,
    "contactStatus": lambda o, _: o.row.work.status,
    "followUpStatus": lambda o, _: o.row.work.follow_up or "",
    "followUpUntil": _until,
    "description": lambda o, _: _description(o),
    "externalID": lambda o, _: f"{o.row.case.id}/{o.row.person}",
    "person.firstName": lambda o, _: o.identity.first_name if o.identity else "",
    "person.lastName": lambda o, _: o.identity.last_name if o.identity else "",
    "person.sex": lambda _o, _: "UNKNOWN",
    "person.phone": lambda o, _: o.identity.phone if o.identity else "",
}


def sormas_pieces(
    pages: Iterable[Sequence[Line]],
    *,
    bom: bool = True,
    separator: Separator = ",",
    dates: Dates = "dmy",
) -> Generator[bytes]:
    """The header and a piece a page, perhaps empty. Left out: who was ruled out or is another's
    double; or neither in the newest run nor named nor confirmed by an officer, so that nothing
    says any more that they were a contact.

    No end line: SORMAS would read it as a contact. Ids keep no apostrophe, either.
    """
    yield (BOM if bom else b"") + written([list(SORMAS_COLUMNS)], separator)
    for page in pages:
        yield written([_cells(o, FORMATS[dates]) for o in page if _goes_out(o)], separator)


def _cells(line: Line, dates: str) -> list[str]:
    return [_cell(name, str(cell(line, dates))) for name, cell in SORMAS_COLUMNS.items()]


def _cell(name: str, text: str) -> str:
    """An importer takes a phone's apostrophe for a part of it."""
    phone = name == "person.phone" and _PHONE.fullmatch(text)
    return text if phone else defused(text)


def _goes_out(line: Line) -> bool:
    work = line.row.work
    ruled_out = work.classification is Classification.NO_CONTACT or line.row.excluded
    confirmed = work.classification is Classification.CONFIRMED
    there = line.row.document is not None or _named(line) or confirmed
    return (
        there and not ruled_out and work.duplicate_of is None and line.row.last_exposure is not None
    )


def _relation(line: Line) -> str:
    """By SORMAS's `ContactRelation`; of whom the case has not named, nothing is known."""
    return _RELATIONS[line.row.named.relation] if line.row.named else ""


def _named(line: Line) -> bool:
    """The case named them, whether or not scans show them too; not by the run's document, which
    the tracer writes for both."""
    return line.row.tier == NAMED


def _reported(line: Line) -> date:
    moment = line.row.run.view.traced_at if line.row.run else line.row.case.registered_at
    return moment.astimezone(LOCAL).date()


def _days(line: Line) -> set[date]:
    """The local days of the exposures that make them a contact, and the one that the case named;
    where there is none, that of the last exposure that is known."""
    exposures = near(line.row.standing) if line.row.standing else ()
    days = {_local(datetime.fromisoformat(exposure["end"])) for exposure in exposures}
    if line.row.named:
        days.add(line.row.named.last_contact)
    if not days and line.row.last_exposure:
        days.add(_local(line.row.last_exposure))
    return days


def _local(moment: datetime) -> date:
    return moment.astimezone(LOCAL).date()


def _proximity(line: Line) -> str:
    """The nearest that an officer was told, else what the place says; never a guess."""
    answers = line.row.work.answers
    if answers.get("touch") == "yes":
        return "PHYSICAL_CONTACT"
    if answers.get("within_2_m") == "yes":
        return "CLOSE_CONTACT"
    document = line.row.document
    return "SAME_ROOM" if document and document["tier"] == "same_small_enclosed" else ""


def _description(line: Line) -> str:
    document = line.row.document
    named = "named in the interview" if _named(line) else ""
    if not document or not document["exposures"]:
        return named
    clauses = f", clauses {' '.join(document['clauses'])}" if document["clauses"] else ""
    seen = f"{document['tier']}, {document['minutes']:.0f} min{clauses}, {document['band']}"
    return f"{named}; {seen}" if named else seen


def _unit(line: Line, level: int) -> str:
    """Ward, district or province of the case, by the names of the administrative units."""
    try:
        unit = ward(line.row.case.ward)
    except ValueError:
        return ""
    return (unit.name, unit.district_name, unit.province_name)[level]


def _written(day: date, dates: str) -> str:
    return f"{day:{dates}}"
