"""A batch that is read again after its code came, or its producer was shut out."""

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from schemas.erasures import Erasure
from schemas.ids import person_bits
from schemas.places import Producer, place_key
from schemas.reasons import Reason
from streams.convert import OUTCOMES
from streams.erasures import hash_text
from streams.pending import Pending
from streams.present import NOTHING, Present
from streams.standing import Standing, standing
from streams.steps import Judged
from tests.letters import unpacked
from tests.scans import PERSON, raw_batch
from tests.unit.test_steps import HOME, NOW, NOW_MS, World, code, place, reasons, scan

STORED = (Reason.UNKNOWN_CODE, "no such code was ever issued")


def present(**where: str) -> Standing:
    """Offsets by table, as `o3="rejects"`; those refused are so for an unknown code."""
    found = sorted((int(name[1:]), OUTCOMES.index(table)) for name, table in where.items())
    offsets = np.array([offset for offset, _ in found], np.uint64)
    table = np.array([number for _, number in found], np.uint8)
    refused = offsets[table == OUTCOMES.index("rejects")]
    return Standing(Present(offsets, table), refused, (STORED,) * len(refused))


def again(world: World, before: Standing | None, *values: bytes, first: int = 0) -> Judged:
    raw = raw_batch(values, first=first, partition=HOME)
    return world.steps.judge(world.steps.read(raw, before), world.window)


def where(judged: Judged) -> dict[str, list[int]]:
    rows = {n: t.column("kafka_offset").to_pylist() for n, t in judged.rows.tables.items()}
    return {name: offsets for name, offsets in rows.items() if offsets}


def learn(world: World, number: int) -> None:
    record = place(number, code(number))
    world.directory.put_site_records([(place_key(number), record.model_dump_json().encode())])


def test_one_that_was_refused_stays_refused_and_its_repeat_is_written() -> None:
    world = World()
    learn(world, 77)
    judged = again(world, present(o0="rejects"), scan(77), scan(event=2))
    assert where(judged) == {"scans": [1], "rejects": [0]}
    assert [(r.reason, r.detail) for r in judged.verdicts.rejected] == [STORED]
    [letter] = unpacked(Pending.of(judged).letters)
    assert letter.value == scan(77)
    assert dict(letter.headers)["reason"] == b"unknown_code"
    repeat = again(world, None, scan(77), first=9)
    assert where(repeat) == {"scans": [9]}, "the window must not know it as written"


def test_one_that_was_written_is_looked_at_and_is_never_a_letter() -> None:
    values = [scan(event=1), scan(2, event=2), scan(event=3, producer="off"), scan(77, event=4)]
    world = World()
    assert where(again(world, None, *values, first=10)) == {"scans": [10], "rejects": [11, 12, 13]}
    judged = again(world, present(o0="scans", o1="scans", o2="scans", o3="scans"), *values)
    assert where(judged) == {"scans": [0, 1, 2, 3]}
    assert Pending.of(judged).letters == []
    scans = judged.rows.tables["scans"]
    assert scans.column("place").to_pylist() == [1, 2, 1, 77]
    assert scans.column("code_version").to_pylist() == [1] * 4
    assert scans.column("producer").to_pylist() == ["sim", "sim", "off", "sim"]


def test_those_written_lie_in_their_order_among_new_ones() -> None:
    values = [scan(n, event=e) for e, n in enumerate((1, 5, 1, 1), 1)]
    values[1] = scan(5, 2, event=2)
    plain = again(World(), None, *values)
    judged = again(World(), present(o1="scans", o3="scans"), *values)
    assert judged.rows.tables["scans"].equals(plain.rows.tables["scans"])


@pytest.mark.parametrize("table", ["duplicates", "expired", "erased"])
def test_one_that_is_elsewhere_is_neither_looked_at_nor_known(table: str) -> None:
    world = World()
    judged = again(world, present(o0=table), scan(event=1), b"garbage")
    assert "scans" not in where(judged)
    assert len(world.window) == 0
    assert judged.rows.count == 2, "it keeps a place, or the range would not read back"
    assert where(again(world, None, scan(event=1), first=9)) == {"scans": [9]}


def test_garbage_that_was_refused_is_a_letter_with_what_is_stored() -> None:
    judged = again(World(), present(o0="rejects"), b"garbage", b"garbage")
    assert reasons(judged) == [Reason.UNKNOWN_CODE, Reason.NOT_JSON]


def test_one_that_has_left_the_rejects_meanwhile_is_no_letter() -> None:
    before = Standing(present(o0="rejects").present, np.zeros(0, np.uint64), ())
    judged = again(World(), before, scan(77))
    assert (reasons(judged), judged.rows.count) == ([], 1)


def test_who_was_erased_is_neither_looked_at_nor_a_letter() -> None:
    world = World()
    gone = hash_text(person_bits(PERSON), (1, 2))
    erasure = Erasure(hash=gone, before=NOW + timedelta(hours=1), version=1)
    world.erasures.put([erasure])
    judged = again(world, present(o0="scans", o1="rejects"), scan(event=1), scan(77, event=2))
    assert where(judged) == {"erased": [0, 1]}


def test_a_refused_one_that_can_be_read_is_told_by_when_it_was_scanned() -> None:
    """Asked for after the scan and before it was appended: its text alone would be kept."""
    world = World()
    before = NOW + timedelta(minutes=1)
    world.erasures.put(
        [Erasure(hash=hash_text(person_bits(PERSON), (1, 2)), before=before, version=1)]
    )
    raw = raw_batch([scan(77)], partition=HOME, appended_ms=NOW_MS + 120_000)
    for before_it in (None, present(o0="rejects")):
        judged = world.steps.judge(world.steps.read(raw, before_it), world.window)
        assert where(judged) == {"erased": [0]}


def test_where_nothing_is_present_nothing_changes() -> None:
    values = [scan(event=1), scan(2, event=2), b"garbage"]
    plain = again(World(), None, *values)
    empty = again(World(), Standing(NOTHING, NOTHING.offsets, ()), *values)
    assert all(empty.rows.tables[n].equals(t) for n, t in plain.rows.tables.items())


def test_one_shut_out_since_is_not_waited_for() -> None:
    world = World()
    raw = raw_batch([scan(77)], partition=HOME)
    assert world.steps.waits(world.steps.read(raw))
    assert not world.steps.waits(world.steps.read(raw, present(o0="rejects")))
    off = Producer(id="sim", name="sim", active=False)
    world.directory.put_producer("sim", off.model_dump_json().encode())
    assert where(again(world, present(o0="scans"), scan())) == {"scans": [0]}


class Engine:
    """Answers what is in `rejects`; notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def query_arrow(self, sql: str, parameters: dict[str, Any], settings: Any) -> pa.Table:
        assert "FROM rejects" in sql
        self.asked.append(parameters)
        return pa.table({"kafka_offset": [5], "reason": ["in_future"], "detail": ["later"]})


def test_stored_reasons_are_asked_for_only_where_something_was_refused() -> None:
    known = present(o1="scans", o4="duplicates", o5="rejects", o6="scans").present
    engine: Any = Engine()
    found = standing(engine, 3, known, 2, 4)
    assert (found.present.offsets.tolist(), found.whys, engine.asked) == ([4], (), [])
    found = standing(engine, 3, known, 2, 5)
    assert found.present.offsets.tolist() == [4, 5]
    assert (found.refused.tolist(), found.whys) == ([5], ((Reason.IN_FUTURE, "later"),))
    assert engine.asked == [{"partition": 3, "first": 2, "last": 5}]
