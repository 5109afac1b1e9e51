"""The columnar path accepts exactly what pydantic accepts, same values, each at its own offset."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.ids import person_bits, person_text
from schemas.reasons import Reason
from schemas.scan import Direction, Method, Scan
from streams.batch import NO_TIME
from streams.decode import decode
from streams.slowpath import uuid_halves
from tests.scans import VALID, raw_batch, scan_json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

times = st.builds(
    lambda d, ms: d.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms:03d}Z",
    st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)),
    st.integers(0, 999),
)
odd_times = st.sampled_from(
    [
        "2021-02-29T00:00:00.000Z", "2020-02-29T00:00:00.000Z", "1900-02-29T00:00:00.000Z",
        "2000-02-29T23:59:59.999Z", "2021-12-01T24:00:00.000Z", "2021-12-01T23:60:00.000Z",
        "2021-12-01T23:59:60.000Z", "2021-13-01T00:00:00.000Z", "2021-00-01T00:00:00.000Z",
        "2021-12-32T00:00:00.000Z", "2021-12-01 00:00:00.000Z", "2021-12-01T00:00:00Z",
        "2021-12-01T00:00:00.000+00:00", "2021-12-01T00:00:00.000z", "2021-12-1T00:00:00.0000Z",
        "0000-12-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z", "９021-12-01T00:00:00.000Z",
        "2021-04-31T00:00:00.000Z", "2021-12-01T00:00:00,000Z", "", "2021-12-01T0a:00:00.000Z",
    ]
)  # fmt: skip
ids = st.one_of(
    st.builds(lambda i, v: str(uuid.UUID(int=i, version=v)), st.integers(0, 2**128 - 1),
              st.integers(1, 5)),
    st.builds(lambda i: str(uuid.UUID(int=i)), st.integers(0, 2**128 - 1)),
    st.sampled_from(["0193F6D0-7C1F-7000-8000-0123456789AB", "{0193f6d0-7c1f-7000-8000-0123456789ab}",
                     "0193f6d07c1f700080000123456789ab", "00000000-0000-0000-0000-000000000000",
                     "0193f6d0-7c1f-7000-c000-0123456789ab", "g193f6d0-7c1f-7000-8000-0123456789ab"]),
)  # fmt: skip
persons = st.one_of(
    st.integers(0, 2**64 - 1).map(person_text),
    st.sampled_from(["G123456789ABC", "0123456789abc", "0123456789ABI", "0123456789AB", "U" * 13,
                     "FZZZZZZZZZZZZ", "0123456789ABC\n", "0123456789AB\u00c9"]),
)  # fmt: skip
texts = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=70),
    st.text(max_size=8),
    st.sampled_from(["a b", "é", "\\", '"', "\x7f", "", "\ud800", "a\u0000b", "tab\there", ":x"]),
)
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "event_id": ids,
    "person": persons,
    "code": texts,
    "direction": st.sampled_from(["in", "out", "pass", "IN", "", "sideways"]),
    "scanned_at": times | odd_times,
    "method": st.sampled_from(["self", "staff", "card", "typed", "other"]),
    "producer": st.sampled_from(["sim", "a.b-c_9", "Sim", "", "x" * 33, "sim\n", "-a"]),
    "device": texts,
    "companions": st.integers(-2, 22) | st.sampled_from([2**31, 2**63, 2**64, -1, 3.0, "3"]),
    "trip": texts,
    "seat": texts,
    "recorded_at": times | odd_times,
    "unknown": anything,
}
changes = st.dictionaries(st.sampled_from(sorted(FIELDS)), st.just(None), max_size=4).flatmap(
    lambda chosen: st.fixed_dictionaries(
        {
            name: st.one_of(FIELDS[name], FIELDS[name], FIELDS[name], anything, st.just(...))
            for name in chosen
        }
    )
)


def _written(scan: dict[str, Any], style: int, ascii_only: bool) -> bytes:
    separators = [(",", ":"), (", ", ": "), (" ,\t", " :  "), (",\n", ":")][style]
    text = json.dumps(scan, separators=separators, ensure_ascii=ascii_only)
    return text.encode("utf-8", "surrogatepass")


objects = st.builds(
    lambda change, style, ascii_only: _written(
        {k: v for k, v in (VALID | change).items() if v is not ...}, style, ascii_only
    ),
    changes,
    st.integers(0, 3),
    st.booleans(),
)
mutilated = st.builds(
    lambda text, at, junk: text[: at % (len(text) + 1)] + junk + text[at % (len(text) + 1) :],
    objects,
    st.integers(0, 400),
    st.sampled_from([b"{", b"}", b"\n", b"[", b"]", b",", b'"', b"\\", b"\x00", b"\xff", b"1", b"}{",
                     b'"x":1,', b'"person":"0123456789ABD",', b"\r", b"e9", b"null", b" "]),
)  # fmt: skip
garbage = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"", b" ", b"\n", b"null", b"123", b"[]", b"{}", b"{}{}", b'{"a":{}}', b"nan",
                     b"\xef\xbb\xbf" + scan_json(), scan_json() + b"\n" + scan_json(),
                     scan_json() + scan_json(), b" " + scan_json() + b" ", b"x" * 5000,
                     scan_json(pad="x" * 4200), scan_json(pad=[[[[1]]]]), None]),
)  # fmt: skip
values = st.one_of(objects, objects, objects, mutilated, garbage)


def _expected(value: bytes | None) -> Scan | None:
    if value is None or len(value) > 4096:
        return None
    try:
        return Scan.model_validate_json(value)
    except ValidationError:
        return None


def _ms(moment: datetime | None) -> int:
    return NO_TIME if moment is None else (moment - _EPOCH) // timedelta(milliseconds=1)


@settings(max_examples=600, deadline=None)
@given(st.lists(values, min_size=1, max_size=12))
def test_accepts_exactly_what_pydantic_accepts(batch: list[bytes | None]) -> None:
    verdicts = decode(raw_batch(batch, first=1000))
    scans = verdicts.scans
    expected = {i: scan for i, value in enumerate(batch) if (scan := _expected(value))}
    assert scans.index.tolist() == sorted(expected)
    assert sorted(r.index for r in verdicts.rejected) == sorted(
        set(range(len(batch))) - set(expected)
    )
    for row, index in enumerate(scans.index.tolist()):
        scan = expected[index]
        assert (int(scans.event_hi[row]), int(scans.event_lo[row])) == uuid_halves(scan.event_id)
        assert int(scans.person[row]) == person_bits(scan.person)
        assert scans.key[row].tobytes().decode() == scan.person
        token = scan.code.encode() if len(scan.code) == 18 else bytes(18)
        assert scans.code[row].tobytes() == token
        assert list(Direction)[scans.direction[row] - 1] == scan.direction
        assert list(Method)[scans.method[row] - 1] == scan.method
        assert int(scans.scanned[row]) == _ms(scan.scanned_at)
        assert int(scans.recorded[row]) == _ms(scan.recorded_at)
        assert int(scans.companions[row]) == (scan.companions or 0)
        assert scans.producers[scans.producer[row]] == scan.producer
        assert scans.device[row].as_py() == scan.device
        assert scans.trip[row].as_py() == (scan.trip or "")
        assert scans.seat[row].as_py() == (scan.seat or "")


def test_two_objects_in_one_value_shift_nothing() -> None:
    one = scan_json(event_id="0193f6d0-7c1f-7000-8000-000000000001")
    two = scan_json(event_id="0193f6d0-7c1f-7000-8000-000000000002")
    verdicts = decode(raw_batch([one + b"\n" + one, b"", two]))
    assert verdicts.scans.index.tolist() == [2]
    assert [(r.index, r.reason) for r in verdicts.rejected] == [
        (0, Reason.NOT_JSON),
        (1, Reason.NOT_JSON),
    ]


@pytest.mark.parametrize("bad", [b'{"person":5}', b"{}", scan_json(method=5), b"garbage"])
@pytest.mark.parametrize("every", [1, 3, 50])
def test_a_bad_line_never_costs_its_neighbours(bad: bytes, every: int) -> None:
    batch = [bad if i % every == 0 else scan_json(device=f"d{i}") for i in range(400)]
    verdicts = decode(raw_batch(batch))
    assert verdicts.scans.index.tolist() == [i for i in range(400) if i % every]
    assert len(verdicts.rejected) + len(verdicts.scans) == 400
    assert verdicts.scans.device.to_pylist() == [f"d{i}" for i in range(400) if i % every]


def test_unknown_fields_are_kept_out_and_counted() -> None:
    verdicts = decode(raw_batch([scan_json(mask="yes", mood=3), scan_json(), scan_json(trip=None)]))
    assert len(verdicts.scans) == 3
    assert verdicts.unknown_fields == 2
