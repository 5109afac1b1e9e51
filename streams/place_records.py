"""Places' records on `sites.v1` read many at once: JSON to columns, checked as a whole. Pure.

A city's register is a million records, and a worker that starts reads them all: one at a time
they cost more than all else it does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as pj

from issuer.check import LENGTH
from issuer.tokens_columnar import decode_tokens
from streams.columns import text_matrix, timestamps

ALWAYS: Final = np.iinfo(np.int64).min
NEVER: Final = np.iinfo(np.int64).max
NO_MINUTE: Final = -1
_MAX_PLACE: Final = 2**30
_MAX_U32: Final = 2**32
_STAMP: Final = 24  # characters of a time
_TEXT, _INT, _BOOL = pa.string(), pa.int64(), pa.bool_()

_SCHEMA: Final = pa.schema(
    [
        ("id", _INT),
        ("site", _INT),
        ("version", _INT),
        ("kind", _TEXT),
        ("sector", _TEXT),
        ("ward", _TEXT),
        ("hours", pa.struct([("opens", _TEXT), ("closes", _TEXT)])),
        ("enclosed", _BOOL),
        ("small", _BOOL),
        ("gate", _BOOL),
        ("usual_stay", _INT),
        ("within", _INT),
        (
            "codes",
            pa.list_(
                pa.struct(
                    [
                        ("token", _TEXT),
                        ("valid_from", _TEXT),
                        ("valid_to", _TEXT),
                        ("revoked_at", _TEXT),
                        ("taken_back_at", _TEXT),
                    ]
                )
            ),
        ),
        (
            "trips",
            pa.list_(pa.struct([("id", _TEXT), ("departs_at", _TEXT), ("arrives_at", _TEXT)])),
        ),
    ]
)

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CodeRows:
    """Code versions of a batch. `of`: the row of the place. Times in ms since 1970 UTC; `NEVER`
    where there is none."""

    of: I64
    version: npt.NDArray[np.int32]
    mac: npt.NDArray[np.uint64]
    valid_from: I64
    valid_to: I64
    revoked_at: I64
    taken_back_at: I64


@dataclass(frozen=True)
class PlaceRows:
    """Places of a batch, shape (n,). `opens`, `closes`: minutes after local midnight or
    `NO_MINUTE`; `usual_stay` minutes, `within` a place, 0 for none. `trips`: (row, id, departs,
    arrives), times as `CodeRows` has them."""

    place: npt.NDArray[np.uint32]
    site: npt.NDArray[np.uint32]
    version: npt.NDArray[np.int32]
    kind: list[str]
    sector: list[str]
    ward: list[str]
    opens: npt.NDArray[np.int16]
    closes: npt.NDArray[np.int16]
    usual_stay: npt.NDArray[np.int16]
    within: npt.NDArray[np.uint32]
    enclosed: npt.NDArray[np.bool_]
    small: npt.NDArray[np.bool_]
    gate: npt.NDArray[np.bool_]
    codes: CodeRows
    trips: list[tuple[int, str, int, int]]


def read_places(values: Sequence[bytes]) -> PlaceRows:
    """The places of these records. Raises ValueError if any of them makes no sense."""
    if any(b"\n" in value for value in values) or not all(values):
        raise ValueError("a record is one line of JSON")
    table = _table(b"\n".join(values))
    if table.num_rows != len(values):
        raise ValueError("a record is one JSON object")
    place = _numbers(table, "id", 1, _MAX_PLACE)
    hours = table["hours"].combine_chunks()
    opens, closes = (_minutes(pc.struct_field(hours, name)) for name in ("opens", "closes"))
    if ((opens == NO_MINUTE) != (closes == NO_MINUTE)).any():
        raise ValueError("hours: opens and closes go together")
    return PlaceRows(
        place=place.astype(np.uint32),
        site=_numbers(table, "site", 0, _MAX_U32).astype(np.uint32),
        version=_numbers(table, "version", 1, 2**31, otherwise=1).astype(np.int32),
        kind=_texts(table, "kind"),
        sector=_texts(table, "sector"),
        ward=_texts(table, "ward"),
        opens=opens,
        closes=closes,
        usual_stay=_numbers(table, "usual_stay", 0, 24 * 60 + 1, otherwise=0).astype(np.int16),
        within=_numbers(table, "within", 0, _MAX_PLACE, otherwise=0).astype(np.uint32),
        enclosed=_flags(table, "enclosed"),
        small=_flags(table, "small"),
        gate=_flags(table, "gate"),
        codes=_codes(table["codes"].combine_chunks()),
        trips=_trips(table["trips"].combine_chunks()),
    )


def _table(body: bytes) -> pa.Table:
    try:
        return pj.read_json(
            pa.BufferReader(body),
            read_options=pj.ReadOptions(use_threads=False, block_size=max(1, len(body) + 1)),
            parse_options=pj.ParseOptions(
                explicit_schema=_SCHEMA, unexpected_field_behavior="ignore"
            ),
        )
    except pa.ArrowInvalid as error:
        raise ValueError(str(error)) from None


def _numbers(table: pa.Table, name: str, least: int, end: int, otherwise: int | None = None) -> I64:
    column = table[name].combine_chunks()
    if otherwise is not None:
        column = pc.fill_null(column, otherwise)
    if column.null_count:
        raise ValueError(f"{name} is missing")
    numbers: I64 = column.to_numpy(zero_copy_only=False)
    if ((numbers < least) | (numbers >= end)).any():
        raise ValueError(f"{name} is not {least} to {end - 1}")
    return numbers


def _texts(table: pa.Table, name: str) -> list[str]:
    column = table[name]
    if column.null_count:
        raise ValueError(f"{name} is missing")
    texts: list[str] = column.to_pylist()
    return texts


def _flags(table: pa.Table, name: str) -> npt.NDArray[np.bool_]:
    column = pc.fill_null(table[name].combine_chunks(), False)
    flags: npt.NDArray[np.bool_] = column.to_numpy(zero_copy_only=False)
    return flags


def _minutes(column: pa.StringArray) -> npt.NDArray[np.int16]:
    """`HH:MM` to minutes; null to `NO_MINUTE`."""
    matrix, right = text_matrix(column, 5)
    given = column.is_valid().to_numpy(zero_copy_only=False)
    digits = (matrix[:, (0, 1, 3, 4)] - np.uint8(48)).astype(np.int16)
    hour, minute = digits[:, 0] * 10 + digits[:, 1], digits[:, 2] * 10 + digits[:, 3]
    plain = (digits < 10).all(axis=1) & (matrix[:, 2] == ord(":"))
    if (given & ~(right & plain & (hour < 24) & (minute < 60))).any():
        raise ValueError("hours are HH:MM")
    return np.where(given, hour * 60 + minute, NO_MINUTE).astype(np.int16)


def _codes(column: pa.ListArray) -> CodeRows:
    of, codes = _inside(column)
    tokens, whole = text_matrix(pc.struct_field(codes, "token"), LENGTH)
    _, version, mac, sound = decode_tokens(tokens)
    if not (whole & sound).all():
        raise ValueError("codes: a token is none of ours")
    return CodeRows(
        of,
        version.astype(np.int32),
        mac,
        _moments(codes, "valid_from", ALWAYS),
        _moments(codes, "valid_to", NEVER),
        _moments(codes, "revoked_at", NEVER),
        _moments(codes, "taken_back_at", NEVER),
    )


def _trips(column: pa.ListArray) -> list[tuple[int, str, int, int]]:
    of, trips = _inside(column)
    if not len(of):
        return []
    departs, arrives = (_moments(trips, n, NEVER) for n in ("departs_at", "arrives_at"))
    names: list[Any] = pc.struct_field(trips, "id").to_pylist()
    if None in names or (departs == NEVER).any() or (arrives == NEVER).any():
        raise ValueError("trips: a trip has an id, departs_at and arrives_at")
    return list(zip(of.tolist(), names, departs.tolist(), arrives.tolist(), strict=True))


def _inside(column: pa.ListArray) -> tuple[I64, pa.StructArray]:
    """What is in the lists, and the row that each is of."""
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    inside = column.flatten()
    if inside.null_count:
        raise ValueError("an item of a list is null")
    return np.repeat(np.arange(len(column)), lengths), inside


def _moments(column: pa.StructArray, name: str, otherwise: int) -> I64:
    texts = pc.struct_field(column, name)
    matrix, right = text_matrix(texts, _STAMP)
    moments, sound = timestamps(matrix)
    given = texts.is_valid().to_numpy(zero_copy_only=False)
    if (given & ~(right & sound)).any():
        raise ValueError(f"{name} is exactly YYYY-MM-DDTHH:MM:SS.mmmZ")
    return np.where(given, moments, otherwise)
