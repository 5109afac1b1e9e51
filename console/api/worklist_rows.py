"""A case's contacts as its list has them: the tracer's document, what is decided, what is due."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Final

import orjson

from console.access import Principal
from console.api.errors import ApiError, not_found
from console.api.runs import StoredRun, newest_run
from console.api.state import Console
from console.api.worklist_schemas import WorkContact
from console.store import cases, worklist
from console.store.engine import utc_now
from console.store.errors import Conflict
from console.store.one_person import ids_of, open_cases_by_id
from console.store.visits import visits_of
from console.store.worklist import Guard, Work
from console.worklist.areas import covers
from console.worklist.axes import Classification
from console.worklist.followup import Visit, plan
from schemas.cases import Case, NamedContact
from schemas.clock import LOCAL, local_midnight
from schemas.ids import person_bits
from streams.clickhouse import ClickHouse
from tracer.answers import judge
from tracer.documents import confirmed
from tracer.identity import by_person
from tracer.ruleset import RuleSet, load_rule_sets

_OF_PERSONS: Final = """
SELECT document FROM trace_contacts
WHERE case_id = {case:String} AND run = {run:UInt32} AND attempt = {attempt:UUID}
  AND person IN {persons:Array(UInt64)}
ORDER BY rank
"""


@dataclass(frozen=True)
class Row:
    """One contact of a case. `document`: of the newest run, None if that does not have it."""

    case: Case
    person: str
    run: StoredRun | None
    document: dict[str, Any] | None
    named: NamedContact | None
    excluded: str | None  # why the case rules the person out, if it does
    work: Work

    @property
    def standing(self) -> dict[str, Any] | None:
        """`document` with the decision as it stands: of a closed case there is no newer run."""
        made = self.work.classification is Classification.CONFIRMED
        return confirmed(self.document) if made and self.document else self.document

    @property
    def last_exposure(self) -> datetime | None:
        """By the newest run, else by the interview, else as it was when last touched (UTC)."""
        if self.standing:
            return datetime.fromisoformat(self.standing["last_exposure"])
        if self.named:
            return local_midnight(self.named.last_contact)
        return self.work.last_exposure

    @property
    def tier(self) -> str:
        """The tracer's tier; `named` for who was named in the interview; else `withdrawn`."""
        if self.named:
            return "named"
        return str(self.document["tier"]) if self.document else "withdrawn"


def entered(case: Case) -> tuple[dict[str, NamedContact], dict[str, str]]:
    """Whom the case names, and whom it rules out and why: each under the one id of the person."""
    people = by_person(case)
    return (
        {contact.person: contact for contact in people.named},
        {entry.person: entry.reason.value for entry in people.excluded},
    )


def case_of(console: Console, principal: Principal, case_id: str) -> tuple[Case, bool]:
    """The case, and whether it is in the asker's area; 404 unless it is, or some is handed over."""
    case = cases.case(console.store, case_id)
    if case is not None and principal.reaches(case.ward):
        return case, True
    handed = worklist.handed_to(console.store, principal.area) if case else []
    if case is None or all(work.case_id != case_id for work in handed):
        raise absent()
    return case, False


def row_of(console: Console, principal: Principal, case_id: str, person: str) -> Row:
    """One contact that the asker may read; else 404, whatever the reason."""
    case = cases.case(console.store, case_id)
    if case is None:
        raise absent()
    work = worklist.work(console.store, case_id, person)
    theirs = work.area is not None and covers(principal.area, work.area)
    if not principal.reaches(case.ward) and not theirs:
        raise absent()
    run = newest_run(console.clickhouse, case_id)
    found = documents_of(console.clickhouse, run, [person])
    named, excluded = entered(case)
    if not (found or person in named or person in excluded or work.version):
        raise absent()
    return Row(case, person, run, found.get(person), named.get(person), excluded.get(person), work)


def documents_of(
    clickhouse: ClickHouse, run: StoredRun | None, persons: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """The run's documents of these persons; at most a page of them. Raises Retryable."""
    wanted = [person_bits(person) for person in persons]
    if run is None or not wanted:
        return {}
    what = {"case": run.case_id, "run": run.view.run, "attempt": run.attempt, "persons": wanted}
    documents = [orjson.loads(text) for (text,) in clickhouse.rows(_OF_PERSONS, what)]
    return {document["person"]: document for document in documents}


def may_work(principal: Principal) -> Guard:
    """Raises unless the contact is the asker's area's to work."""

    def guard(ward: str, work: Work) -> None:
        responsible = work.responsible(ward)
        if covers(principal.area, responsible):
            return
        if not principal.reaches(ward):
            raise absent()
        raise Conflict(
            f"Đã bàn giao cho {responsible}: nơi đó phụ trách. / "
            f"Handed over to {responsible}, which is responsible for it now."
        )

    return guard


def said(console: Console, principal: Principal, rows: Sequence[Row]) -> list[WorkContact]:
    """As they go out."""
    visits = visits_of(console.store, [(row.case.id, row.person) for row in rows])
    known = cases_among(console, principal, rows)
    today = local_today()
    return [
        _said(row, visits[row.case.id, row.person], today, known.get(row.person)) for row in rows
    ]


def cases_among(console: Console, principal: Principal, rows: Sequence[Row]) -> dict[str, str]:
    """Which of these contacts are open cases themselves, of those that the asker may see; by
    whichever of their ids that the list's case or that one knows of."""
    ids = {row.person: ids_of(row.case, row.person) for row in rows}
    every = {one for some in ids.values() for one in some}
    known = open_cases_by_id(console.store, every, principal.reaches)
    found = {p: next((known[one] for one in sorted(some) if one in known), None)
             for p, some in ids.items()}  # fmt: skip
    return {person: case for person, case in found.items() if case is not None}


def _said(row: Row, visits: Mapping[date, Visit], today: date, is_case: str | None) -> WorkContact:
    work = row.work
    due = plan(work.follow_up, work.follow_up_from, row.last_exposure, visits, today)
    touched = work.version > 0
    return WorkContact(
        case=row.case.id,
        person=row.person,
        in_run=row.document is not None,
        version=work.version,
        classification=work.classification,
        status=work.status,
        follow_up=work.follow_up,
        category=work.category,
        answers=work.answers,  # type: ignore[arg-type]
        assigned_to=work.assigned_to,
        reachability=work.reachability,
        responsible=work.responsible(row.case.ward),
        converted_to=work.converted_to,
        is_case=is_case,
        duplicate_of=work.duplicate_of,
        excluded=row.excluded,
        changed_at=work.changed_at if touched else None,
        changed_by=work.changed_by if touched else None,
        rule_set=row.run.view.rule_set if row.run else None,
        proposal=proposal_of(row, work.answers),
        plan=asdict(due),  # type: ignore[arg-type]
        possible=row.document,
        named=row.named.model_dump(mode="json") if row.named else None,
    )


def proposal_of(row: Row, answers: Mapping[str, str]) -> Any:
    """What the clauses of the run's rule-set come to; None if there is no run of a known one."""
    rule_set = rule_set_of(row)
    if rule_set is None or (row.document is None and row.named is None):
        return None
    exposures = row.document["exposures"] if row.document else []
    found = judge(rule_set, exposures, answers)
    proposed = Classification(found.proposed or Classification.UNCONFIRMED)
    return {
        "classification": proposed if rule_set.clauses else None,
        "clauses": [asdict(clause) for clause in found.clauses],
        "ask": found.ask,
    }


def rule_set_of(row: Row) -> RuleSet | None:
    """The rule-set of the row's run, if it is loaded."""
    return rule_sets().get(row.run.view.rule_set) if row.run else None


@cache
def rule_sets() -> dict[str, RuleSet]:
    """All that are loaded, by id."""
    return {rule_set.id: rule_set for rule_set in load_rule_sets()}


def local_today() -> date:
    """The calendar day in Asia/Ho_Chi_Minh."""
    return utc_now().astimezone(LOCAL).date()


def absent() -> ApiError:
    """404: there is none, or it is outside the area."""
    return not_found(
        "Không có ca hoặc người tiếp xúc này trong địa bàn của khoá.",
        "There is no such case or contact in this key's area.",
    )
