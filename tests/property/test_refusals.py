"""Why a record is refused, in which words, and what is read of it: as a slow, obvious judge says."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import from_json

from schemas.ids import PERSON_PATTERN, person_bits
from schemas.reasons import Reason
from schemas.scan import EVENT_ID_PATTERN, MAX_SCAN_BYTES, PRODUCER_PATTERN, Scan
from streams.decode import decode
from streams.rejects import Rejected, Rejects
from streams.slowpath import uuid_halves
from tests.property.test_decode import values
from tests.scans import raw_batch, scan_json

_READ: dict[str, tuple[str, Callable[[str], Any]]] = {
    "event_id": (EVENT_ID_PATTERN, uuid_halves),
    "person": (PERSON_PATTERN, person_bits),
    "producer": (PRODUCER_PATTERN, str),
}


def obvious(index: int, value: bytes | None) -> Rejected | None:
    if not (value or b"").strip():
        return Rejected(index, Reason.NOT_JSON, "the record is empty")
    assert value is not None
    if len(value) > MAX_SCAN_BYTES:
        detail = f"{len(value)} bytes, at most {MAX_SCAN_BYTES} are allowed"
        return Rejected(index, Reason.TOO_LARGE, detail)
    try:
        Scan.model_validate_json(value)
    except ValidationError as error:
        problems = error.errors()
    else:
        return None
    if problems[0]["type"] == "json_invalid":
        return Rejected(index, Reason.NOT_JSON, problems[0]["msg"])
    named = [(str(p["loc"][0]) if p["loc"] else "record", p) for p in problems]
    by_id = all(n in ("event_id", "person") and p["type"] != "missing" for n, p in named)
    reason = Reason.MALFORMED_ID if by_id else Reason.WRONG_SCHEMA
    detail = "; ".join(f"{name}: {p['msg']}" for name, p in named)[:500]
    read = {name: _alone(value, name) for name in _READ}
    producer = read["producer"] or ""
    return Rejected(index, reason, detail, read["event_id"], read["person"], producer)


def _alone(value: bytes, name: str) -> Any:
    # pydantic's parser: `Infinity` hides nothing of what stands beside it
    record = from_json(value)
    text = record.get(name) if isinstance(record, dict) else None
    pattern, read = _READ[name]
    if not isinstance(text, str) or not re.fullmatch(pattern, text, re.ASCII):
        return None
    return read(text)


def refused(batch: list[bytes | None]) -> list[Rejected]:
    return [said for i, value in enumerate(batch) if (said := obvious(i, value)) is not None]


@settings(max_examples=200, deadline=None)
@given(st.lists(values, min_size=1, max_size=12), st.booleans())
def test_a_refusal_says_what_pydantic_says(batch: list[bytes | None], many: bool) -> None:
    if many:  # enough for a sample to say how they are read
        batch = batch * (200 // len(batch) + 1)
    verdicts = decode(raw_batch(batch))
    assert sorted(verdicts.rejected, key=lambda one: one.index) == refused(batch)
    assert len(verdicts.scans) + len(verdicts.rejected) == len(batch)


@pytest.mark.parametrize("name", ["event_id", "person", "producer", "device"])
@pytest.mark.parametrize("bad", ['"\u00e9"', "5", "null", '"' + "x" * 3_000 + '"', '["a"]'])
def test_what_can_be_read_is_read(name: str, bad: str) -> None:
    value = scan_json(**{name: "HERE"}).replace(b'"HERE"', bad.encode())
    assert list(decode(raw_batch([value])).rejected) == refused([value])


def test_what_stands_beside_infinity_is_read() -> None:
    value = scan_json(companions=float("inf"))
    (one,) = decode(raw_batch([value])).rejected
    assert (one.reason, one.producer) == (Reason.WRONG_SCHEMA, "sim")
    assert one.person is not None
    assert one.event_id is not None


def test_parts_are_joined_in_the_batchs_order() -> None:
    batch: list[bytes | None] = [b"{", scan_json(device=5), b"", scan_json(person="x"), b"["]
    whole = refused(batch)
    first, second = Rejects.of(whole[1::2]), Rejects.of(whole[::2])
    assert list(first.and_also(second)) == whole
    assert list(first.and_also(Rejects.of(()))) == whole[1::2]
