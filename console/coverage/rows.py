"""Records of `sites.v1` and `coverage.v1` to rows of the tables that copy them. Pure.

A record that makes no sense is named and left out: the others of its batch are written.
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, Final

import orjson
import pyarrow as pa

from schemas.scan import parse_timestamp

NEVER: Final = 2**32 - 1  # the last second of ClickHouse's DateTime, in 2106
_SECONDS: Final = pa.uint32()  # what a DateTime is on the wire of Arrow
_TEXT: Final = pa.string()

SCHEMAS: Final[dict[str, pa.Schema]] = {
    "register_sites": pa.schema(
        [
            ("site", pa.uint32()),
            ("version", pa.uint32()),
            ("ward", _TEXT),
            ("kind", _TEXT),
            ("sector", _TEXT),
            ("active", pa.bool_()),
        ]
    ),
    "register_places": pa.schema(
        [
            ("place", pa.uint32()),
            ("version", pa.uint32()),
            ("site", pa.uint32()),
            ("active", pa.bool_()),
            ("code_version", pa.list_(pa.uint16())),
            ("code_from", pa.list_(_SECONDS)),
            ("code_to", pa.list_(_SECONDS)),
        ]
    ),
    "register_postings": pa.schema(
        [
            ("place", pa.uint32()),
            ("version", pa.uint32()),
            ("duty_at", _SECONDS),
            ("printed_at", _SECONDS),
            ("printed_version", pa.uint16()),
            ("posted_at", _SECONDS),
            ("posted_version", pa.uint16()),
            ("inspected_at", _SECONDS),
            ("inspected_version", pa.uint16()),
            ("inspected_good", pa.bool_()),
        ]
    ),
    "required_lists": pa.schema(
        [
            ("list", _TEXT),
            ("version", pa.uint32()),
            ("name", _TEXT),
            ("keeper", _TEXT),
            ("as_of", pa.uint16()),  # a Date is days since 1970
            ("entries", pa.uint32()),
            ("withdrawn", pa.bool_()),
        ]
    ),
    "required_entries": pa.schema(
        [
            ("list", _TEXT),
            ("entry", _TEXT),
            ("version", pa.uint32()),
            ("ward", _TEXT),
            ("kind", _TEXT),
            ("sector", _TEXT),
            ("site", pa.uint32()),
            ("exempt", pa.bool_()),
        ]
    ),
}

Row = dict[str, Any]


def tables_of(
    records: Iterable[tuple[bytes | None, bytes | None]], ignored: Callable[[str, str], None]
) -> dict[str, pa.Table]:
    """Rows by table of these (key, value); `ignored` is told the key and what is wrong."""
    rows: dict[str, list[Row]] = {}
    for key, value in records:
        name = (key or b"").decode("utf-8", "replace")
        kind = name.partition("/")[0]
        if value is None or kind not in _READ:
            continue
        table, read = _READ[kind]
        try:
            rows.setdefault(table, []).append(read(orjson.loads(value)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            ignored(name, f"{type(error).__name__}: {error}"[:300])
    made = {}
    for table, some in rows.items():
        try:
            made[table] = pa.Table.from_pylist(some, SCHEMAS[table])
        except (pa.ArrowException, TypeError, OverflowError, ValueError):
            made[table] = pa.Table.from_pylist(list(_fitting(table, some, ignored)), SCHEMAS[table])
    return {table: rows for table, rows in made.items() if len(rows)}


def _fitting(table: str, rows: list[Row], ignored: Callable[[str, str], None]) -> Iterable[Row]:
    """Those of them that the table's columns can hold."""
    for row in rows:
        try:
            pa.Table.from_pylist([row], SCHEMAS[table])
        except (pa.ArrowException, TypeError, OverflowError, ValueError) as error:
            ignored(f"{table} {next(iter(row.values()))}", str(error)[:300])
        else:
            yield row


def _site(record: Row) -> Row:
    return {
        "site": record["id"],
        "version": record.get("version", 1),
        "ward": record["ward"],
        "kind": record["kind"],
        "sector": record["sector"],
        "active": record.get("status", "active") == "active",
    }


def _place(record: Row) -> Row:
    codes = record.get("codes", ())
    return {
        "place": record["id"],
        "version": record.get("version", 1),
        "site": record["site"],
        "active": record.get("status", "active") == "active",
        "code_version": [code["version"] for code in codes],
        "code_from": [_seconds(code.get("valid_from"), 0) for code in codes],
        "code_to": [
            min(_seconds(code.get("valid_to"), NEVER), _seconds(code.get("revoked_at"), NEVER))
            for code in codes
        ],
    }


def _posting(record: Row) -> Row:
    row: Row = {"place": record["place"], "version": record.get("version", 1)}
    for fact in ("duty", "printed", "posted", "inspected"):
        row[f"{fact}_at"] = _seconds(record.get(f"{fact}_at"), 0)
        if fact != "duty":
            row[f"{fact}_version"] = record.get(f"{fact}_version", 0)
    row["inspected_good"] = record.get("inspected_good", False)
    return row


def _list(record: Row) -> Row:
    return {
        "list": record["id"],
        "version": record.get("version", 1),
        "name": record["name"],
        "keeper": record["keeper"],
        "as_of": (date.fromisoformat(record["as_of"]) - date(1970, 1, 1)).days,
        "entries": record["entries"],
        "withdrawn": record.get("withdrawn", False),
    }


def _required(record: Row) -> Row:
    return {
        "list": record["list"],
        "entry": record["entry"],
        "version": record.get("version", 1),
        "ward": record["ward"],
        "kind": record["kind"],
        "sector": record["sector"],
        "site": record.get("site") or 0,
        "exempt": record.get("exempt", False),
    }


def _seconds(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    return max(0, min(int(parse_timestamp(text).timestamp()), NEVER))


_READ: Final[dict[str, tuple[str, Callable[[Row], Row]]]] = {
    "site": ("register_sites", _site),
    "place": ("register_places", _place),
    "posting": ("register_postings", _posting),
    "list": ("required_lists", _list),
    "required": ("required_entries", _required),
}
