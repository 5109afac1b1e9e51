"""Step 1, decode: JSON bytes to columns, accepting exactly what `schemas.scan.Scan` accepts.

Three ways, each for what the one before leaves: in a compiled loop (`streams.fastpath`) what is
written as programs write it; in one pass of a JSON reader what is plain (`streams.plain`) but
written otherwise; by pydantic alone, which has the last word, whatever does not parse or is not
in canonical form. What pydantic accepts comes back in its canonical text and is read with the rest.
A property test holds all of them together.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from schemas.scan import (
    MAX_CODE,
    MAX_COMPANIONS,
    MAX_DEVICE,
    MAX_NOTE,
    PRODUCER_PATTERN,
    Direction,
    Method,
)
from streams import columns
from streams.batch import NO_TIME, RawBatch, Scans, Verdicts, join
from streams.fastpath import read_fast
from streams.lines import read_lines, set_aside
from streams.plain import Joined, plain
from streams.rejects import Rejects
from streams.slowpath import count_unknown_fields, judge
from streams.texts import Texts

_TEXTS: Final = (
    "event_id", "person", "code", "direction", "scanned_at", "method", "producer", "device",
    "trip", "seat", "recorded_at",
)  # fmt: skip
_REQUIRED: Final = _TEXTS[:8]
_SCHEMA: Final = pa.schema([(name, pa.string()) for name in _TEXTS] + [("companions", pa.int64())])
_PARSE: Final = pj.ParseOptions(explicit_schema=_SCHEMA, unexpected_field_behavior="ignore")
_DIRECTIONS: Final = pa.array([d.value for d in Direction])
_METHODS: Final = pa.array([m.value for m in Method])
_SAMPLE, _MANY = 32, 128
Rows = npt.NDArray[np.int64]


def decode(raw: RawBatch) -> Verdicts:
    """The batch's scans as columns, and its rejects by form."""
    verdicts = Verdicts(raw, _EMPTY)
    fast, rest = read_fast(raw.values)
    parts = [] if fast is None else [fast]
    if len(rest):
        slow = rest
        if not _mostly_refused(raw.values, rest):
            texts = Joined([value or b"" for value in raw.values.at(rest)])
            others, slow = _read_plain(texts, rest)
            verdicts.unknown_fields = _unknown_fields(raw.values, others)
            parts += others
        slowly, verdicts.rejected = _read_slowly(raw, np.sort(slow))
        verdicts.unknown_fields += _unknown_fields(raw.values, slowly)
        parts += slowly
    verdicts.scans = join(parts) if parts else _EMPTY
    return verdicts


def _read_plain(joined: Joined, rest: Rows) -> tuple[list[Scans], Rows]:
    """Columns of the plain values among these rows, and the rows that pydantic must judge."""
    fast = plain(joined)
    if not fast.all():
        fast = set_aside(joined, fast)
        joined = Joined([joined.values[i] for i in np.flatnonzero(fast)])
    parts, failed = _read(joined, rest[fast])
    return parts, np.concatenate([rest[~fast], failed])


def _read(joined: Joined, rows: Rows) -> tuple[list[Scans], Rows]:
    """Columns of plain values, and the rows that pydantic must judge.

    A batch that does not parse is taken apart, so one bad line never costs its neighbours.
    """
    if not len(rows):
        return [], rows
    tables, failed = read_lines(joined, _PARSE)
    if not tables:
        return [], rows
    kept = np.delete(rows, failed)
    scans, sound = _columns(_one_of_each(tables), kept)
    return [scans.keep(sound)], np.concatenate([rows[failed], kept[~sound]])


def _read_slowly(raw: RawBatch, rows: Rows) -> tuple[list[Scans], Rejects]:
    accepted, texts, rejected = judge(zip(rows.tolist(), raw.values.at(rows), strict=True))
    if not texts:
        return [], rejected
    parts, failed = _read(Joined(texts), np.arange(len(texts)))
    assert not len(failed), "pydantic's canonical text is always read"
    return [replace(part, index=np.array(accepted)[part.index]) for part in parts], rejected


def _mostly_refused(values: Texts, rows: Rows) -> bool:
    """Whether most of these are, by a few of them: reading garbage as columns is for nothing."""
    if len(rows) < _MANY:
        return False
    some = rows[:: len(rows) // _SAMPLE]
    return 2 * len(judge(enumerate(values.at(some))).rejected) > len(some)


def _one_of_each(tables: list[pa.Table]) -> dict[str, pa.Array]:
    table = pa.concat_tables(tables) if len(tables) > 1 else tables[0]
    arrays = {}
    for name in _SCHEMA.names:
        whole = table.column(name).combine_chunks()
        arrays[name] = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    return arrays


def _columns(c: dict[str, pa.Array], rows: Rows) -> tuple[Scans, npt.NDArray[np.bool_]]:
    """All columns, and which rows are in canonical form in every one of them."""
    sound = np.ones(len(rows), dtype=bool)
    for name in _REQUIRED:
        if c[name].null_count:
            sound &= ~_nulls(c[name])
    ids, right = columns.text_matrix(c["event_id"], 36)
    event_hi, event_lo, fine = columns.uuids(ids)
    sound &= right & fine
    key, right = columns.text_matrix(c["person"], 13)
    person, fine = columns.persons(key)
    sound &= right & fine
    times, right = columns.text_matrix(c["scanned_at"], 24)
    scanned, fine = columns.timestamps(times)
    sound &= right & fine
    code, _ = columns.text_matrix(c["code"], 18)
    recorded, fine = _optional_times(c["recorded_at"])
    sound &= fine
    direction, fine = _member(c["direction"], _DIRECTIONS)
    sound &= fine
    method, fine = _member(c["method"], _METHODS)
    sound &= fine
    producer, producers, fine = _names(c["producer"])
    sound &= fine
    companions, fine = _small_numbers(c["companions"])
    sound &= fine
    for name, most in (("code", MAX_CODE), ("device", MAX_DEVICE)):
        sound &= _visible(c[name], most)
    for name in ("trip", "seat"):
        if c[name].null_count < len(rows):
            sound &= _visible(c[name], MAX_NOTE) | _nulls(c[name])
    scans = Scans(
        rows, event_hi, event_lo, person, key, code, direction, method, scanned, recorded,
        companions, producer, producers, c["device"], _filled(c["trip"]), _filled(c["seat"]),
    )  # fmt: skip
    return scans, sound


def _nulls(column: pa.Array) -> npt.NDArray[np.bool_]:
    result: npt.NDArray[np.bool_] = column.is_null().to_numpy(zero_copy_only=False)
    return result


def _filled(column: pa.StringArray) -> pa.StringArray:
    return pc.fill_null(column, "") if column.null_count else column


def _optional_times(column: pa.StringArray) -> tuple[columns.I64, columns.Mask]:
    n = len(column)
    if column.null_count == n:
        return np.full(n, NO_TIME, dtype=np.int64), np.ones(n, dtype=bool)
    matrix, right = columns.text_matrix(column, 24)
    moments, fine = columns.timestamps(matrix)
    absent = _nulls(column)
    return np.where(absent, NO_TIME, moments), absent | (right & fine)


def _member(
    column: pa.StringArray, members: pa.Array
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.bool_]]:
    """Positions from 1 among `members`, as ClickHouse's Enum8 numbers them."""
    found = pc.fill_null(pc.index_in(column, value_set=members), -1).to_numpy()
    return (found + 1).astype(np.int8), found >= 0


def _names(
    column: pa.StringArray,
) -> tuple[npt.NDArray[np.int32], tuple[str, ...], npt.NDArray[np.bool_]]:
    encoded = column.dictionary_encode()
    codes = pc.fill_null(encoded.indices, 0).to_numpy().astype(np.int32)
    names = encoded.dictionary.to_pylist() or [""]
    fine = _matches(pa.array(names, pa.string()), PRODUCER_PATTERN)
    return codes, tuple(names), fine[codes]


def _small_numbers(column: pa.Int64Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    if column.null_count == len(column):
        return np.zeros(len(column), dtype=np.uint8), np.ones(len(column), dtype=bool)
    numbers = pc.fill_null(column, 0).to_numpy()
    fine = (numbers >= 0) & (numbers <= MAX_COMPANIONS)
    return numbers.astype(np.uint8), fine


def _visible(column: pa.StringArray, most: int) -> npt.NDArray[np.bool_]:
    """Which texts are 1 to `most` characters of visible ASCII.

    What came this far holds no control characters and, but for the rare line, no spaces.
    """
    lengths = pc.fill_null(pc.binary_length(column), 0).to_numpy()
    right: npt.NDArray[np.bool_] = (lengths >= 1) & (lengths <= most)
    data = column.buffers()[2]
    if data is not None and b" " in memoryview(data).tobytes():
        right &= _matches(column, "^[!-~]+$")
    return right


def _matches(column: pa.StringArray, pattern: str) -> npt.NDArray[np.bool_]:
    matched = pc.fill_null(pc.match_substring_regex(column, pattern), False)
    result: npt.NDArray[np.bool_] = matched.to_numpy(zero_copy_only=False)
    return result


def _unknown_fields(values: Texts, parts: list[Scans]) -> int:
    """Fields the schema does not name, in the scans that were accepted."""
    return sum(_unknown_in(values, scans) for scans in parts if len(scans))


def _unknown_in(values: Texts, scans: Scans) -> int:
    """Fields the schema does not name.

    A record written without spaces is exactly as long as its fields make it if it has no others;
    only the records of another length are looked at one by one.
    """
    accepted = [value or b"" for value in values.at(scans.index)]
    lengths = np.fromiter((len(text) for text in accepted), np.int64, len(accepted))
    expected = _FIXED_LENGTH + _DIRECTION_LENGTHS[scans.direction] + _METHOD_LENGTHS[scans.method]
    expected += np.array([len(name) for name in scans.producers])[scans.producer]
    expected += pc.binary_length(scans.device).to_numpy()
    for name in ("trip", "seat"):
        size = pc.binary_length(getattr(scans, name)).to_numpy()
        expected += np.where(size > 0, size + len(f',"{name}":""'), 0)
    expected += np.where(scans.recorded != NO_TIME, len(',"recorded_at":""') + 24, 0)
    digits = 1 + (scans.companions > 9)
    expected += np.where(scans.companions > 0, digits + len(',"companions":'), 0)
    return count_unknown_fields([accepted[row] for row in np.flatnonzero(lengths != expected)])


_FIXED_LENGTH: Final = (
    len("{}") + sum(len(f'"{name}":"",') for name in _REQUIRED) - 1 + 36 + 13 + 18 + 24
)
_DIRECTION_LENGTHS: Final = np.array([0, *(len(d.value) for d in Direction)])
_METHOD_LENGTHS: Final = np.array([0, *(len(m.value) for m in Method)])
_EMPTY: Final = _columns(
    {f.name: pa.array([], f.type) for f in _SCHEMA}, np.zeros(0, dtype=np.int64)
)[0]
