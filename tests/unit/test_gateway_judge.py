"""Both ways to judge a posted body say the same of the same lines."""

import random
import uuid
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from console.gateway.judge import COLUMNAR, Judged, by_columns, judge, one_by_one
from schemas.ids import murmur2, person_text
from tests.unit.test_console_gateway import SCAN

ODD: list[dict[str, Any] | bytes] = [
    {"producer": "gate-2"},
    {"producer": "Gate 1"},
    {"person": "7zk3m9qx2b4cd"},
    {"event_id": "0190f5a4-7c1e-0b3a-9d52-6c0e5b1f2a77"},
    {"event_id": "0190F5A4-7C1E-7B3A-9D52-6C0E5B1F2A77"},
    {"direction": "up"},
    {"companions": 21},
    {"companions": 3},
    {"trip": "51B-123.45", "seat": None},
    {"scanned_at": "2026-11-23T01:05:00Z"},
    {"device": "d" * 5000},
    {"device": "máy-1"},
    {"later": "field", "nested": {"a": [1]}},
    b"{",
    b"[]",
    b"\xff",
    b"null",
    b'{"event_id":1}',
]


def lines(seed: int, count: int, odd: float) -> list[tuple[int, bytes]]:
    rng = random.Random(seed)
    made = []
    for number in range(1, count + 1):
        scan: dict[str, Any] = SCAN | {
            "event_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            "person": person_text(rng.getrandbits(64)),
        }
        change = rng.choice(ODD) if rng.random() < odd else {}
        style = rng.choice((0, orjson.OPT_INDENT_2, orjson.OPT_SORT_KEYS))
        value = change if isinstance(change, bytes) else orjson.dumps(scan | change, option=style)
        made.append((number, value))
    return made


def same(one: Judged, other: Judged) -> None:
    assert one.records == other.records
    assert one.refused == other.refused
    assert len(one.records) == len(one.keys) == len(other.keys)
    for name in ("persons", "event_hi", "event_lo"):
        assert (getattr(one.keys, name) == getattr(other.keys, name)).all()


@given(st.integers(0, 2**32), st.integers(1, 60), st.sampled_from((0.0, 0.1, 0.7, 1.0)))
@settings(max_examples=150, deadline=None)
def test_columns_and_one_by_one_agree(seed: int, count: int, odd: float) -> None:
    posted = lines(seed, count, odd)
    same(by_columns(posted, "gate-1"), one_by_one(posted, "gate-1"))


def test_a_large_body_is_judged_by_columns_and_a_small_one_is_not() -> None:
    for count in (COLUMNAR - 1, COLUMNAR, 3 * COLUMNAR):
        posted = lines(count, count, 0.2)
        judged = judge(posted, "gate-1")
        same(judged, one_by_one(posted, "gate-1"))
        assert judged.records
        assert judged.refused
        assert [r.line for r in judged.refused] == sorted(r.line for r in judged.refused)


def test_each_record_carries_its_keys_hash() -> None:
    judged = judge(lines(5, 50, 0), "gate-1")
    assert len(judged.records) == 50
    for record in judged.records:
        assert record.murmur == murmur2(record.key) & 0x7FFFFFFF


def test_every_line_has_exactly_one_outcome() -> None:
    posted = lines(11, 1000, 0.5)
    judged = judge(posted, "gate-1")
    refused = {r.line for r in judged.refused}
    published = [value for number, value in posted if number not in refused]
    assert [r.value for r in judged.records] == published
