"""Erasing a person: the list, the worker's step, the relational rows, the routes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import orjson
import pytest
from sqlalchemy import select

from console.access import Right
from console.store import case_ends, cases, erasures, forgetting, outbox, tables, worklist
from console.store.cards import By, issue_card
from console.store.engine import Store
from console.store.errors import Conflict
from console.store.keys import Role
from schemas.cases import CaseStatus
from schemas.erasures import NOBODY, Erasure
from schemas.errors import Fatal
from schemas.ids import person_bits, person_text
from schemas.scan import format_timestamp
from streams.convert import offsets
from streams.erasures import Erasures, hash_text, hashes, list_key
from tests.console_kit import WARD, migrated, running
from tests.scans import PERSON
from tests.unit.test_steps import NOW, NOW_MS, World, scan

KEY = (1, 2)
OTHER = "7ZK3M9QX2B4CD"
PERSON_KEY = "11" * 32


def erased(person: str, before: datetime = NOW, version: int = 1) -> Erasure:
    return Erasure(hash=hash_text(person_bits(person), KEY), before=before, version=version)


def test_the_hash_is_siphash_2_4() -> None:
    # of ClickHouse: SELECT sipHash64Keyed((toUInt64(1), toUInt64(2)), toUInt64(5))
    assert hash_text(5, KEY) == f"{14194129601922269977:016x}"
    # the authors' test vector of eight bytes 00 … 07 under the key 00 … 0f
    key = tuple(int.from_bytes(bytes(range(b, b + 8)), "little") for b in (0, 8))
    message = int.from_bytes(bytes(range(8)), "little")
    assert hashes(np.array([message], np.uint64), (key[0], key[1]))[0] == 0x93F5F5799A932462
    assert list_key("") is None
    assert list_key(PERSON_KEY) != list_key("22" * 32)


def test_records_of_before_the_moment_are_counted_and_not_written() -> None:
    world = World()
    world.erasures.put([erased(PERSON, NOW - timedelta(minutes=1))])
    late, fresh = NOW - timedelta(hours=2), NOW - timedelta(seconds=30)
    judged = world.judge(
        scan(event=1, scanned_at=format_timestamp(late)),  # scanned before: however late it comes
        scan(event=2, scanned_at=format_timestamp(fresh)),
        scan(event=1, scanned_at=format_timestamp(late)),  # again: no duplicate of nothing
        scan(event=3, person=OTHER, scanned_at=format_timestamp(late)),
    )
    assert judged.rows.tables["erased"]["kafka_offset"].to_pylist() == [0, 2]
    assert judged.rows.tables["scans"]["kafka_offset"].to_pylist() == [1, 3]
    assert judged.rows.tables["duplicates"].num_rows == 0
    assert offsets(judged.rows).tolist() == [0, 1, 2, 3]


def test_what_cannot_be_read_and_names_the_person_is_erased_too() -> None:
    world = World()
    world.erasures.put([erased(PERSON, NOW + timedelta(minutes=1))])
    values = [
        b'{"person": "%s", ' % PERSON.encode(),
        b'{"person": "%s"}' % PERSON.lower().encode(),
        b"x" + PERSON.encode() + b"y",
        b"garbage",
    ]
    judged = world.judge(*values, keys=[None, None, None, OTHER.encode()])
    assert judged.rows.tables["erased"]["kafka_offset"].to_pylist() == [0, 1, 2]
    assert judged.rows.tables["rejects"]["kafka_offset"].to_pylist() == [3]
    assert PERSON.encode() not in b"".join(judged.rows.tables["rejects"]["original"].to_pylist())
    later = world.judge(*values, first=10, appended_ms=NOW_MS + 120_000)
    assert later.rows.tables["erased"].num_rows == 0
    keyed = world.judge(b"garbage", first=20, keys=[PERSON.encode()])
    assert keyed.rows.tables["erased"].num_rows == 1


def test_the_newest_moment_counts_and_a_list_needs_its_key() -> None:
    known = Erasures(KEY)
    known.put([erased(PERSON, NOW, 2), erased(PERSON, NOW - timedelta(days=1), 1)])
    who = np.array([person_bits(PERSON), person_bits(OTHER)], np.uint64)
    assert known.among(who, np.full(2, NOW_MS - 1)).tolist() == [True, False]
    assert known.among(who, np.full(2, NOW_MS)).tolist() == [False, False]
    Erasures(None).put([])
    with pytest.raises(Fatal, match="TRUYVET_PERSON_KEY"):
        Erasures(None).put([erased(PERSON)])


def test_relational_rows_go_but_for_those_of_open_cases(tmp_path: Path) -> None:
    _, store = migrated(tmp_path / "s")
    third = person_text(99)
    made = []
    for patient in (OTHER, OTHER, PERSON):
        case = cases.register_case(
            store, cases.NewCase(person=patient, ward=WARD), registered_by="t"
        )
        made.append(case.id)
        if patient == OTHER:
            for person in (PERSON, third):
                _touch(store, case.id, person)
    ended, open_, own = made
    for case_id in (ended, own):
        case_ends.close(store, case_id, by="t")
    issue_card(store, PERSON, WARD, By("t", "1"))
    outbox.mark_published(store, [row.id for row in outbox.pending(store, 99)], datetime.now(UTC))
    with store.write() as connection:
        kept = {
            case
            for case, status in forgetting.statuses(connection).items()
            if status in (CaseStatus.SUSPECTED, CaseStatus.CONFIRMED)
        }
        assert kept == {open_}
        removed = forgetting.forget(connection, PERSON, kept, "t")
        assert forgetting.cases_with(connection, PERSON) == {open_}
    assert removed["contact_work"] == 1
    assert removed["cards"] == 1
    assert removed["cases"] == 1
    with store.read() as connection:
        for table in tables.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                text = orjson.dumps([str(value) for value in row])
                if PERSON.encode() in text:
                    fields = dict(row._mapping)
                    assert open_ in (fields.get("case_id"), fields.get("id"), fields.get("key"))
    mine = cases.case(store, own)
    assert mine is not None
    assert mine.person == NOBODY
    assert [row.key for row in outbox.pending(store, 99)] == [own]
    assert len(worklist.works(store, ended)) == 1  # the third person's
    # and when it is closed, the rest
    case_ends.close(store, open_, by="t")
    with store.write() as connection:
        forgetting.forget(connection, PERSON, frozenset(), "t")
        assert forgetting.cases_with(connection, PERSON) == set()


def test_a_case_that_was_just_opened_again_keeps_what_it_needs(tmp_path: Path) -> None:
    _, store = migrated(tmp_path / "s")
    case = cases.register_case(store, cases.NewCase(person=OTHER, ward=WARD), registered_by="t")
    _touch(store, case.id, PERSON)
    case_ends.close(store, case.id, by="t")
    with store.read() as connection:
        assert set(forgetting.statuses(connection).values()) == {"closed"}
    confirmed = {"status": CaseStatus.CONFIRMED}
    case_ends.reopen(store, case.id, confirmed, by="t")
    with store.write() as connection:
        forgetting.forget(connection, PERSON, frozenset(), "t")
        assert forgetting.cases_with(connection, PERSON) == {case.id}
    case_ends.close(store, case.id, by="t")
    with store.write() as connection:
        forgetting.forget(connection, PERSON, frozenset(), "t")
        forgetting.forget(connection, OTHER, frozenset(), "t")
    with pytest.raises(Conflict, match="erased on request"):
        case_ends.reopen(store, case.id, confirmed, by="t")


def test_a_case_whose_person_is_to_be_erased_is_not_opened_again(tmp_path: Path) -> None:
    _, store = migrated(tmp_path / "s")
    case = cases.register_case(store, cases.NewCase(person=PERSON, ward=WARD), registered_by="t")
    case_ends.close(store, case.id, by="t")
    erasures.ask(store, PERSON, "0123456789abcdef", "r", "t")
    with pytest.raises(Conflict, match="erased on request"):
        case_ends.reopen(store, case.id, {"status": CaseStatus.CONFIRMED}, by="t")


def _touch(store: Store, case_id: str, person: str) -> None:
    worklist.change(
        store, case_id, person, {"category": "LOW_RISK"}, by="t", what="x", guard=lambda *_: None
    )


def test_over_http(tmp_path: Path) -> None:
    with running(tmp_path / "c", person_key=PERSON_KEY) as console:
        head = console.key(Role.PRIVACY)
        ask = {"person": PERSON, "reason": "đơn số 17"}
        officer = console.key(Role.OFFICER)
        assert (
            console.client.post("/v1/persons/erase", json=ask, headers=officer).status_code == 403
        )
        none = console.client.post("/v1/persons/erase", json={"person": PERSON}, headers=head)
        assert none.status_code == 422
        said = console.client.post("/v1/persons/erase", json=ask, headers=head)
        assert said.status_code == 202, said.text
        body = said.json()
        assert PERSON not in said.text
        assert body["state"] == "running"
        assert {left["what"] for left in body["still"]} >= {"topic scans.v1", "backups"}
        again = console.client.post("/v1/persons/erase", json=ask, headers=head).json()
        assert again["id"] == body["id"]
        one = console.client.get(f"/v1/persons/erasures/{body['id']}", headers=head).json()
        assert one == body
        assert console.client.get("/v1/persons/erasures/9", headers=head).status_code == 404
        listed = console.client.get("/v1/persons/erasures", headers=head)
        assert PERSON not in listed.text
        unknown = {"event_id": "0193f6d0-7c1f-7000-8000-0123456789ab", "reason": "đơn"}
        answer = console.client.post("/v1/persons/erase", json=unknown, headers=head)
        assert answer.status_code == 404
        key = list_key(PERSON_KEY)
        assert key is not None
        [listed_one] = erasures.the_list(console.store)
        assert listed_one.hash == hash_text(person_bits(PERSON), key)
        console.client.get("/live")
        wanted = [r for r in console.relayed.records if r.topic == "erasures.v1"]
        assert all(PERSON.encode() not in r.value + r.key for r in wanted)
    assert Right.PERSONS_ERASE.value == "persons.erase"


def test_without_the_person_key_it_says_so(tmp_path: Path) -> None:
    with running(tmp_path / "c") as console:
        head = console.key(Role.PRIVACY)
        ask = {"person": PERSON, "reason": "đơn số 17"}
        answer = console.client.post("/v1/persons/erase", json=ask, headers=head)
        assert answer.status_code == 409
        assert "TRUYVET_PERSON_KEY" in answer.text
