"""From verdicts to the rows of the five tables: scans, rejects, duplicates, expired, erased.

Every row carries the partition and offset of its record, and each record is a row of exactly
one of the tables.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from schemas.clickhouse import TTL_MARGIN_DAYS
from schemas.topics import SCANS_MAX_MESSAGE
from streams.batch import NO_TIME, RawBatch, Scans, Verdicts
from streams.columns import I64, U64, Mask
from streams.gathered import gathered
from streams.rejects import I32
from streams.resolve import Resolved
from streams.texts import Texts

REJECT_HEAD: Final = 1_024  # three times a scan's bytes
OUTCOMES: Final = ("scans", "rejects", "duplicates", "expired", "erased")
_CLOCKS: Final = {"scans": "scanned_at", "erased": "noted_at"}  # else: when it was appended
_TTL_MARGIN_MS: Final = TTL_MARGIN_DAYS * 86_400_000
_HOUR_MS: Final = 3_600_000
_MOMENT: Final = pa.timestamp("ms", "UTC")


@dataclass(frozen=True)
class Rows:
    """What one batch becomes, before the clock decides what of it has already expired."""

    partition: int
    first: int
    last: int
    tables: dict[str, pa.Table]

    @property
    def count(self) -> int:
        """Rows in all tables: one for each record."""
        return sum(table.num_rows for table in self.tables.values())


def convert(verdicts: Verdicts, resolved: Resolved, hashes: U64) -> Rows:
    """The rows of one batch."""
    raw = verdicts.raw
    rows = Rows(
        raw.partition,
        raw.first,
        raw.last,
        {
            "scans": _scans(raw, verdicts.scans, resolved, hashes),
            "rejects": _rejects(verdicts),
            "duplicates": _duplicates(verdicts),
            "erased": _erased(verdicts),
        },
    )
    assert rows.count == len(raw), "every record has exactly one outcome"
    return rows


def expire(rows: Rows, now_ms: int, retention_days: int) -> Rows:
    """Rows whose time to live is over, or will be within the hour, move to `expired`.

    ClickHouse drops such a row the moment it is inserted; a writer that verifies would insert
    it for ever.
    """
    if retention_days == 0:
        return rows
    cutoff = now_ms - retention_days * 86_400_000 - _TTL_MARGIN_MS + _HOUR_MS
    tables, gone = {}, []
    for name, table in rows.tables.items():
        alive = table.column(_CLOCKS.get(name, "appended_at")).cast(pa.int64()).to_numpy() >= cutoff
        tables[name] = table if alive.all() else table.filter(pa.array(alive))
        if not alive.all():
            gone.append(table.filter(pa.array(~alive)).column("kafka_offset").to_numpy())
    if gone:
        tables["expired"] = _expired(rows.partition, np.sort(np.concatenate(gone)), now_ms)
    return Rows(rows.partition, rows.first, rows.last, tables)


def without(rows: Rows, present: U64) -> Rows:
    """Only the rows whose offsets are not among `present` (sorted)."""
    tables = {name: table.filter(_absent(table, present)) for name, table in rows.tables.items()}
    return Rows(rows.partition, rows.first, rows.last, tables)


def offsets(rows: Rows) -> U64:
    """All offsets of these rows, sorted."""
    parts = [table.column("kafka_offset").to_numpy() for table in rows.tables.values()]
    result: U64 = np.sort(np.concatenate(parts))
    return result


def _absent(table: pa.Table, present: U64) -> pa.Array:
    mask: Mask = ~np.isin(table.column("kafka_offset").to_numpy(), present)
    return pa.array(mask)


def _origin(raw: RawBatch, index: Any) -> dict[str, Any]:
    index = np.asarray(index, dtype=np.int64)
    return {
        "appended_at": pa.array(raw.appended[index], _MOMENT),
        "kafka_partition": np.full(len(index), raw.partition, np.uint16),
        "kafka_offset": raw.offsets[index].astype(np.uint64),
    }


def _uuids(hi: Iterable[int] | U64, lo: Iterable[int] | U64, nulls: Any = None) -> pa.Array:
    pairs = np.stack([np.asarray(hi, np.uint64), np.asarray(lo, np.uint64)], axis=1).astype(">u8")
    data = pa.py_buffer(np.ascontiguousarray(pairs).tobytes())
    validity = None if nulls is None else pa.array(~np.asarray(nulls)).buffers()[1]
    return pa.Array.from_buffers(pa.binary(16), len(pairs), [validity, data])


def _scans(raw: RawBatch, scans: Scans, resolved: Resolved, hashes: U64) -> pa.Table:
    producers = pa.DictionaryArray.from_arrays(
        pa.array(scans.producer, pa.int32()), pa.array(scans.producers or ("",), pa.string())
    )
    return pa.table(
        {
            "event_id": _uuids(scans.event_hi, scans.event_lo),
            "person": scans.person,
            "place": resolved.place,
            "scanned_at": pa.array(scans.scanned, _MOMENT),
            "direction": scans.direction,
            "method": scans.method,
            "producer": producers,
            "device": scans.device,
            "code_version": resolved.version,
            "companions": scans.companions,
            "trip": scans.trip,
            "seat": scans.seat,
            "recorded_at": pa.array(scans.recorded, _MOMENT, mask=scans.recorded == NO_TIME),
            "content_hash": hashes,
            **_origin(raw, scans.index),
        }
    )


def _rejects(verdicts: Verdicts) -> pa.Table:
    raw, rejected = verdicts.raw, verdicts.rejected
    reasons, details = zip(*rejected.whys, strict=True) if rejected.whys else ((), ())
    return pa.table(
        {
            "reason": _words(rejected.why, [reason.value for reason in reasons]),
            "detail": _words(rejected.why, details),
            "event_id": _uuids(rejected.event_hi, rejected.event_lo, ~rejected.named),
            "person": pa.array(rejected.person, mask=~rejected.known),
            "producer": _words(rejected.producer, rejected.producers),
            "original": gathered(raw.values, rejected.index, _kept(raw.values, rejected.index)),
            "original_key": gathered(raw.keys, rejected.index),
            **_origin(raw, rejected.index),
        }
    )


def _kept(values: Texts, rows: I64) -> I64:
    """How many bytes of a refused record its row has: the head of one larger than any scan there
    is, of which the letter has the whole; all of one that is too large for a letter."""
    lengths = values.lengths[rows]
    whole_letter = (lengths > REJECT_HEAD) & (lengths <= SCANS_MAX_MESSAGE)
    kept: I64 = np.where(whole_letter, REJECT_HEAD, lengths)
    return kept


def _words(numbers: I32, words: Sequence[str]) -> pa.DictionaryArray:
    """These of the words, of which each is kept once."""
    encoded = pa.array(words or ("",), pa.string()).dictionary_encode()
    positions = encoded.indices.to_numpy()[numbers]
    return pa.DictionaryArray.from_arrays(pa.array(positions, pa.int32()), encoded.dictionary)


def _duplicates(verdicts: Verdicts) -> pa.Table:
    raw, found = verdicts.raw, verdicts.duplicates
    return pa.table(
        {
            "person": pa.array([d.person for d in found], pa.uint64()),
            "event_id": _uuids([d.event_id[0] for d in found], [d.event_id[1] for d in found]),
            "producer": pa.array([d.producer for d in found], pa.string()),
            "first_partition": pa.array([d.first_partition for d in found], pa.uint16()),
            "first_offset": pa.array([d.first_offset for d in found], pa.uint64()),
            **_origin(raw, [d.index for d in found]),
        }
    )


def _erased(verdicts: Verdicts) -> pa.Table:
    """Noted with the broker's time: a record that is read again has the same row."""
    origin = _origin(verdicts.raw, sorted(verdicts.erased))
    return pa.table({"noted_at" if n == "appended_at" else n: c for n, c in origin.items()})


def _expired(partition: int, gone: U64, now_ms: int) -> pa.Table:
    return pa.table(
        {
            "noted_at": pa.array(np.full(len(gone), now_ms), _MOMENT),
            "kafka_partition": np.full(len(gone), partition, np.uint16),
            "kafka_offset": gone,
        }
    )
