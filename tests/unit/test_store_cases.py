"""Cases and keys in the store."""

import threading
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from console.store import case_ends, case_entries, cases, outbox, pairs, worklist
from console.store.errors import Conflict, NotFound
from console.store.keys import Role, create_key, ensure_key, find_key, list_keys, revoke_key
from console.worklist.axes import Classification
from schemas.cases import Case, CaseStatus, SamePerson
from schemas.clock import LOCAL
from schemas.cloudevents import attributes
from schemas.errors import UserError
from schemas.ids import person_text
from schemas.topics import CASES
from tests.console_kit import ADMIN, PERSON, WARD, migrated

NEW = cases.NewCase(person=PERSON, ward=WARD, onset=date(2026, 11, 20))


def test_a_case_is_a_cloud_event_under_its_id(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    case = cases.register_case(store, NEW, registered_by="key/1")
    year = datetime.now(LOCAL).year
    assert case.id == f"C-{year}-000001"
    assert (case.version, case.status, case.registered_by) == (1, CaseStatus.CONFIRMED, "key/1")
    assert cases.case(store, case.id) == case
    [row] = outbox.pending(store, 10)
    assert (row.topic, row.key) == (CASES.name, case.id)
    assert Case.model_validate_json(row.value) == case
    said = attributes((name, text.encode()) for name, text in row.headers.items())
    assert said.pop("time").endswith("Z")
    assert said == {
        "specversion": "1.0",
        "id": f"{case.id}/1",
        "source": "truyvet/console",
        "type": "vn.truyvet.case.registered",
    }
    assert row.headers["content-type"] == "application/json"
    assert cases.register_case(store, NEW, registered_by="key/1").id == f"C-{year}-000002"


def test_one_request_makes_one_case_also_from_many_threads(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    made: list[Case] = []

    def register() -> None:
        made.append(cases.register_case(store, NEW, registered_by="key/1", request_key="1:abc"))

    threads = [threading.Thread(target=register) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({case.id for case in made}) == 1
    assert outbox.count_pending(store) == 1
    other = cases.NewCase(person=PERSON, ward=WARD, onset=date(2026, 11, 19))
    with pytest.raises(Conflict, match="Idempotency-Key"):
        cases.register_case(store, other, registered_by="key/1", request_key="1:abc")


def test_changes_rise_and_only_changes(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    case = cases.register_case(store, NEW, registered_by="key/1")
    at = datetime(2026, 11, 22, 3, tzinfo=UTC)
    amended = cases.amend(
        store, case.id, {"onset": date(2026, 11, 18), "isolated_at": at}, by="key/1"
    )
    assert (amended.version, amended.onset, amended.isolated_at) == (2, date(2026, 11, 18), at)
    assert cases.amend(store, case.id, {"onset": date(2026, 11, 18)}, by="key/1") == amended
    closed = case_ends.close(store, case.id, by="key/1", reason="followed to the end")
    assert (closed.version, closed.status) == (3, CaseStatus.CLOSED)
    assert case_ends.close(store, case.id, by="key/1") == closed
    with pytest.raises(Conflict, match="closed or voided"):
        cases.amend(store, case.id, {"onset": None}, by="key/1")
    voided = case_ends.void(store, case.id, by="key/1")
    assert (voided.version, voided.status) == (4, CaseStatus.VOIDED)
    with pytest.raises(Conflict, match="voided"):
        case_ends.close(store, case.id, by="key/1")
    kinds = [row.headers["ce_type"].rpartition(".")[2] for row in outbox.pending(store, 10)]
    assert kinds == ["registered", "amended", "closed", "voided"]
    with pytest.raises(NotFound, match="no case C-1"):
        case_ends.void(store, "C-1", by="key/1")


def test_a_case_that_is_opened_again_has_what_was_worked_meanwhile(tmp_path: Path) -> None:
    a, b, c, d = (person_text(n) for n in (11, 12, 13, 14))
    _, store = migrated(tmp_path)
    case = cases.register_case(store, NEW, registered_by="key/1")
    anybody: dict[str, Any] = {"by": "key/1", "guard": lambda *_: None}

    def classify(person: str, what: Classification, **answers: str) -> None:
        changes = {"classification": what}
        worklist.change(
            store, case.id, person, changes, what="x", answers=answers or None, **anybody
        )

    classify(a, Classification.CONFIRMED)
    pairs.decide(store, case.id, c, d, True, **anybody)
    case_ends.close(store, case.id, by="key/1")
    classify(a, Classification.UNCONFIRMED)
    classify(b, Classification.NO_CONTACT, touch="no", masks="unknown")
    pairs.decide(store, case.id, a, b, True, **anybody)
    pairs.decide(store, case.id, c, d, False, **anybody)
    ended = cases.case(store, case.id)
    assert ended is not None
    assert ([e.person for e in ended.decided], len(ended.same)) == ([a], 1)
    opened = case_ends.reopen(store, case.id, {"status": CaseStatus.SUSPECTED}, by="key/1")
    assert [(e.person, e.classification) for e in opened.decided] == [(b, "NO_CONTACT")]
    assert [(e.person, e.answers) for e in opened.said] == [(b, {"touch": "no"})]
    assert [(e.person, e.of) for e in opened.same] == [(b, a)]
    assert (opened.status, opened.version) == (CaseStatus.SUSPECTED, ended.version + 1)


def test_what_was_settled_before_a_case_was_closed_stays_as_it_was(tmp_path: Path) -> None:
    """Also where somebody has entered otherwise with the case itself, and where a row of the list
    was touched meanwhile for something else."""
    a, b, c, d, e = (person_text(n) for n in range(11, 16))
    _, store = migrated(tmp_path)
    case = cases.register_case(store, NEW, registered_by="key/1")
    anybody: dict[str, Any] = {"by": "key/1", "guard": lambda *_: None}
    pairs.decide(store, case.id, a, b, True, **anybody)
    pairs.decide(store, case.id, c, d, False, **anybody)
    joined = SamePerson(person=b, of=a)
    other = SamePerson(person=d, of=c)
    before = case_entries.change_entries(
        store, case.id, {"same": [other]}, {"same": [joined]}, by="key/1"
    )
    assert before.same == (other,)
    changes = {"classification": Classification.CONFIRMED}
    for person in (e, a):
        worklist.change(store, case.id, person, changes, what="x", **anybody)
    case_ends.close(store, case.id, by="key/1")
    worklist.change(store, case.id, e, {"category": "LOW_RISK"}, what="x", **anybody)
    opened = case_ends.reopen(store, case.id, {"status": CaseStatus.CONFIRMED}, by="key/1")
    assert [entry.person for entry in opened.decided] == [e, a], "in the order that they had"
    assert opened.same == (other,)


def test_a_list_has_the_area_only_the_newest_first(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    here = [cases.register_case(store, NEW, registered_by="key/1") for _ in range(3)]
    away = cases.NewCase(person=PERSON, ward="unknown", onset=date(2026, 11, 20))
    lost = cases.register_case(store, away, registered_by="key/1")
    assert cases.list_cases(store, "city/31") == here[::-1]
    assert cases.list_cases(store, f"ward/{WARD}", limit=1, offset=1) == [here[1]]
    assert cases.list_cases(store, "city/01") == []
    assert lost in cases.list_cases(store, "*")


def test_a_key_is_shown_once_and_kept_as_a_hash(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    secret = create_key(store, Role.PRODUCER, "*", producer="gate-1", name="Cổng 1")
    key = find_key(store, secret)
    assert key is not None
    assert (key.role, key.area, key.producer) == (Role.PRODUCER, "*", "gate-1")
    assert find_key(store, "tv_" + "B" * 43) is None
    assert find_key(store, "nonsense") is None
    store.close()
    files = b"".join(path.read_bytes() for path in tmp_path.glob("console.db*"))
    assert secret.encode() not in files
    assert secret[3:].encode() not in files


def test_a_bootstrap_key_is_made_once_and_revoking_lasts(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    first = ensure_key(store, ADMIN, Role.EPIDEMIOLOGIST, "*", name="admin")
    assert ensure_key(store, ADMIN, Role.EPIDEMIOLOGIST, "*", name="admin") == first
    revoke_key(store, first.id)
    ensure_key(store, ADMIN, Role.EPIDEMIOLOGIST, "*", name="admin")
    assert find_key(store, ADMIN) is None
    assert [key.revoked_at is None for key in list_keys(store)] == [False]
    with pytest.raises(NotFound):
        revoke_key(store, 99)


def test_a_key_that_makes_no_sense_is_not_made(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    with pytest.raises(UserError, match="43 random characters"):
        ensure_key(store, "tv_short", Role.OFFICER, "*", name="x")
    with pytest.raises(UserError, match="no area"):
        create_key(store, Role.OFFICER, "city/zz", name="x")
    with pytest.raises(UserError, match="names the producer"):
        create_key(store, Role.PRODUCER, "*", name="x")
    with pytest.raises(UserError, match="names the producer"):
        create_key(store, Role.OFFICER, "*", producer="gate-1", name="x")
