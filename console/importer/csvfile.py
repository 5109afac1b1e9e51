"""CSV row by row: the delimiter found by the header, a broken row costing only itself."""

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from console.importer.header import check_known
from console.importer.rows import Raw
from schemas.errors import UserError

if TYPE_CHECKING:
    from console.importer.files import Reading

_DELIMITERS: Final = (",", ";", "\t", "|")
_LONGEST_FIELD: Final = 1024 * 1024


def csv_rows(stream: Any, reading: "Reading") -> Iterator[Raw]:
    """Every row after the header, from number 1."""
    csv.field_size_limit(_LONGEST_FIELD)
    encoding = "utf-8-sig" if reading.encoding.lower() in ("utf-8", "utf8") else reading.encoding
    text = io.TextIOWrapper(stream, encoding, errors="surrogateescape", newline="")
    first = text.readline()
    if not first.strip():
        raise UserError(f"Tệp {reading.path} rỗng. / {reading.path} is empty: there is no header.")
    names = list(reading.columns.by_field.values())
    delimiter, header = _header(first, names, reading)
    wide, needed = len(header), max(at := [header.index(name) for name in names]) + 1
    reader = csv.reader(_lines(None if reading.header else first, text), delimiter=delimiter)
    number = 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            number += 1
            yield Raw(number, None, str(error))
            continue
        if not row:
            continue
        number += 1
        if len(row) < needed or (len(row) > wide and any(row[wide:])):
            yield Raw(number, None, f"{len(row)} fields, the header has {wide}")
        else:
            yield Raw(number, tuple([row[i] for i in at]))


def _lines(first: str | None, text: Iterator[str]) -> Iterator[str]:
    if first is not None:
        yield first
    yield from text


def _header(first: str, names: list[str], reading: "Reading") -> tuple[str, list[str]]:
    """The delimiter and the columns; the delimiter under which all mapped columns are there."""
    tried: list[tuple[str, list[str]]] = []
    for delimiter in (reading.delimiter,) if reading.delimiter else _DELIMITERS:
        fields = next(csv.reader([first], delimiter=delimiter))
        found = [name.strip() for name in fields]
        if not reading.header:
            found = [str(number) for number in range(1, len(fields) + 1)]
        if all(name in found for name in names):
            check_known(names, found, reading.path)
            return delimiter, found
        tried.append((delimiter, found))
    check_known(names, max(tried, key=lambda pair: len(pair[1]))[1], reading.path)
    raise AssertionError("unreachable: a column is missing under every delimiter")
