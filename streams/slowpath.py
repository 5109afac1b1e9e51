"""One record at a time, through pydantic: the definition of a scan, and the words of a refusal.

Records that are wrong in the same way are refused in the same words, so pydantic is asked once for
each way (`streams.shapes`): a topic full of garbage is wrong in few ways.
"""

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
import pyarrow as pa
from pydantic import ValidationError
from pydantic_core import from_json

from schemas.reasons import Reason
from schemas.scan import MAX_SCAN_BYTES, PRODUCER_PATTERN, SCAN_FIELDS, Scan
from streams import columns
from streams.rejects import Rejects, Why
from streams.shapes import shape

_ID_FIELDS: Final = ("event_id", "person")
_UUID_LENGTH, _PERSON_LENGTH = 36, 13
_PRODUCER: Final = re.compile(PRODUCER_PATTERN, re.ASCII)
_EMPTY: Final = (Reason.NOT_JSON, "the record is empty")
_SHAPES: Final = 1_000  # remembered in one batch
_NOTHING: Final[dict[str, object]] = {}


class Judged(NamedTuple):
    """The canonical JSON of the accepted scans, each with its record's place in the batch, and the
    refused."""

    accepted: list[int]
    texts: list[bytes]
    rejected: Rejects


def judge(records: Iterable[tuple[int, bytes | None]]) -> Judged:
    """Judge records, each with its place in the batch."""
    accepted: list[int] = []
    texts: list[bytes] = []
    index: list[int] = []
    why: list[int] = []
    whys: dict[Why, int] = {}
    known: dict[Any, int] = {}  # which of the whys a shape has
    readable = _Readable()

    def numbered(refusal: Why) -> int:
        return whys.setdefault(refusal, len(whys))

    for place, value in records:
        record: Any = None
        if value is None or not value.strip():
            number = numbered(_EMPTY)
        elif len(value) > MAX_SCAN_BYTES:
            words = f"{len(value)} bytes, at most {MAX_SCAN_BYTES} are allowed"
            number = numbered((Reason.TOO_LARGE, words))
        else:
            try:
                record = from_json(value)
            except ValueError as error:  # pydantic's own parser, and its words
                number = numbered((Reason.NOT_JSON, f"Invalid JSON: {error}"))
            else:
                like = shape(record)
                found = None if like is None else known.get(like)
                if found is None:
                    verdict = _verdict(value)
                    if isinstance(verdict, bytes):
                        accepted.append(place)
                        texts.append(verdict)
                        continue
                    found = numbered(verdict)
                    if like is not None and len(known) < _SHAPES:
                        known[like] = found
                number = found
        index.append(place)
        why.append(number)
        readable.add(record)
    return Judged(accepted, texts, readable.rejects(index, why, tuple(whys)))


def _verdict(value: bytes) -> bytes | Why:
    """The canonical JSON of a scan, or why it is none."""
    try:
        scan = Scan.model_validate_json(value)
    except ValidationError as error:
        return _refusal(error)
    return scan.model_dump_json(exclude_none=True).encode()


def _refusal(error: ValidationError) -> Why:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    # the first problem in the schema's order names the reason; a missing field is always schema
    fields = [str(p["loc"][0]) if p["loc"] else "record" for p in problems]
    malformed = all(
        field in _ID_FIELDS and p["type"] != "missing"
        for field, p in zip(fields, problems, strict=True)
    )
    detail = "; ".join([f"{f}: {p['msg']}" for f, p in zip(fields, problems, strict=True)])
    return Reason.MALFORMED_ID if malformed else Reason.WRONG_SCHEMA, detail[:500]


class _Readable:
    """Event id, person and producer of refused records, where each is in its form by itself.

    So that the producer can ask what became of it.
    """

    def __init__(self) -> None:
        self._event_ids: list[str | None] = []
        self._persons: list[str | None] = []
        self._producers: list[int] = []
        self._names = {"": 0}
        self._numbers: dict[str, int] = {"": 0}  # of all names, also those that cannot be one

    def add(self, record: object) -> None:
        """One more, as its JSON says; anything but a dict where that says nothing."""
        if not isinstance(record, dict):
            record = _NOTHING
        self._event_ids.append(_of_length(record.get("event_id"), _UUID_LENGTH))
        self._persons.append(_of_length(record.get("person"), _PERSON_LENGTH))
        name = record.get("producer", "")
        self._producers.append(self._number(name) if isinstance(name, str) else 0)

    def _number(self, name: str) -> int:
        number = self._numbers.get(name)
        if number is None:
            fits = _PRODUCER.fullmatch(name)
            number = self._names.setdefault(name, len(self._names)) if fits else 0
            self._numbers[name] = number
        return number

    def rejects(self, index: list[int], why: list[int], whys: tuple[Why, ...]) -> Rejects:
        """With what was read of each."""
        ids, right = columns.text_matrix(pa.array(self._event_ids, pa.string()), _UUID_LENGTH)
        event_hi, event_lo, named = columns.uuids(ids)
        matrix, fits = columns.text_matrix(pa.array(self._persons, pa.string()), _PERSON_LENGTH)
        person, known = columns.persons(matrix)
        return Rejects(
            np.array(index, np.int64),
            np.array(why, np.int32),
            whys,
            named & right,
            np.where(named, event_hi, np.uint64(0)),
            np.where(named, event_lo, np.uint64(0)),
            known & fits,
            np.where(known, person, np.uint64(0)),
            np.array(self._producers, np.int32),
            tuple(self._names),
        )


def _of_length(text: object, length: int) -> str | None:
    return text if isinstance(text, str) and len(text) == length else None


def uuid_halves(text: str) -> tuple[int, int]:
    """High and low 64 bits of a UUID in its 36 characters."""
    number = int(text.replace("-", ""), 16)
    return number >> 64, number & (2**64 - 1)


def count_unknown_fields(values: list[bytes]) -> int:
    """How many fields of these records the schema does not name (records that are objects)."""
    total = 0
    for value in values:
        try:
            record = orjson.loads(value)
        except orjson.JSONDecodeError:
            continue
        if isinstance(record, dict):
            total += sum(name not in SCAN_FIELDS for name in record)
    return total
