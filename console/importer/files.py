"""Reading CSV, NDJSON and Parquet row by row, in bounded memory; `.gz` of the first two."""

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Final

from console.importer.mapping import Columns
from console.importer.rows import Raw
from schemas.errors import UserError

_DELIMITERS: Final = (",", ";", "\t", "|")
_LONGEST_FIELD: Final = 1024 * 1024
_PIECE: Final = 1024 * 1024
_PARQUET_ROWS: Final = 16_384


class Format(StrEnum):
    """How a file is written."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


_SUFFIXES: Final = {
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".txt": Format.CSV,
    ".ndjson": Format.NDJSON,
    ".jsonl": Format.NDJSON,
    ".json": Format.NDJSON,
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
}


@dataclass(frozen=True)
class Reading:
    """How to read a file. `header` False: columns are numbers, from 1."""

    path: Path
    columns: Columns
    format: Format
    delimiter: str | None = None
    header: bool = True
    encoding: str = "utf-8"


def format_of(path: Path) -> Format:
    """By the name. Raises UserError if it says nothing."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    found = _SUFFIXES.get(suffixes[-1]) if suffixes else None
    if found is None:
        raise UserError(
            f"{path}: không rõ định dạng, hãy ghi --format. / "
            f"{path}: is it csv, ndjson or parquet? Say it with --format."
        )
    return found


def content_hash(path: Path) -> str:
    """Of the file's bytes as they are. Raises UserError if it cannot be read."""
    digest = hashlib.blake2b(digest_size=16)
    with _opened(path) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


class Source:
    """One pass over a file. `position` of `size` bytes says how far it is."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._file: IO[bytes] | None = None
        self._done = 0.0
        self.size = reading.path.stat().st_size

    @property
    def position(self) -> float:
        """Bytes of the file read so far."""
        if self._file is not None and not self._file.closed:
            return self._file.tell()
        return self._done

    def rows(self) -> Iterator[Raw]:
        """Every row, from number 1. Raises UserError for a file that is not what it should be."""
        reading = self._reading
        try:
            if reading.format is Format.PARQUET:
                yield from self._parquet()
                return
            with _opened(reading.path) as file:
                self._file = file
                packed = reading.path.suffix.lower() == ".gz"
                stream = gzip.GzipFile(fileobj=file) if packed else file
                lines = _csv if reading.format is Format.CSV else _ndjson
                yield from lines(stream, reading)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise UserError(
                f"Tệp {reading.path} bị hỏng. / {reading.path} is damaged: {error}."
            ) from None

    def _parquet(self) -> Iterator[Raw]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = list(self._reading.columns.by_field.values())
        try:
            with _opened(self._reading.path) as opened:
                file = pq.ParquetFile(opened)
                _known(names, file.schema_arrow.names, self._reading.path)
                number, total = 0, max(1, file.metadata.num_rows)
                for batch in file.iter_batches(_PARQUET_ROWS, columns=list(dict.fromkeys(names))):
                    for cells in zip(*(_values(batch[name]) for name in names), strict=True):
                        number += 1
                        yield Raw(number, cells)
                    self._done = self.size * number / total
        except pa.ArrowException as error:
            words = " ".join(str(error).split())[:200]
            raise UserError(
                f"{self._reading.path} is not a Parquet file to read: {words}"
            ) from None


def _values(column: Any) -> list[Any]:
    """Nanoseconds are cut to microseconds: Python's times have no more."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    values: list[Any] = column.to_pylist()
    return values


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None
    with file:
        yield file


def _csv(stream: Any, reading: Reading) -> Iterator[Raw]:
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


def _header(first: str, names: list[str], reading: Reading) -> tuple[str, list[str]]:
    """The delimiter and the columns; the delimiter under which all mapped columns are there."""
    tried: list[tuple[str, list[str]]] = []
    for delimiter in (reading.delimiter,) if reading.delimiter else _DELIMITERS:
        fields = next(csv.reader([first], delimiter=delimiter))
        found = [name.strip() for name in fields]
        if not reading.header:
            found = [str(number) for number in range(1, len(fields) + 1)]
        if all(name in found for name in names):
            _known(names, found, reading.path)
            return delimiter, found
        tried.append((delimiter, found))
    _known(names, max(tried, key=lambda pair: len(pair[1]))[1], reading.path)
    raise AssertionError("unreachable: a column is missing under every delimiter")


def _known(names: list[str], found: list[str], path: Path) -> None:
    for name in names:
        if name not in found:
            raise UserError(
                f"Tệp {path} không có cột {name!r}. / "
                f"{path} has no column {name!r}; it has {_shown(found)}."
            )
        if found.count(name) > 1:
            raise UserError(f"{path} has the column {name!r} {found.count(name)} times.")


def _shown(names: list[str]) -> str:
    """Column names that are safe on a terminal, not too many."""
    safe = [ascii(name)[1:-1] if not name.isprintable() else name for name in names[:30]]
    text = ", ".join(safe) + (", …" if len(names) > 30 else "")
    return text if len(text) <= 400 else text[:399] + "…"


def _ndjson(stream: Any, reading: Reading) -> Iterator[Raw]:
    import orjson

    names = list(reading.columns.by_field.values())
    number = 0
    for line in stream:
        if not line.strip():
            continue
        number += 1
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            yield Raw(number, None, f"not JSON: {error.msg}")
            continue
        if isinstance(record, dict):
            yield Raw(number, tuple([_cell(record, name) for name in names]))
        else:
            yield Raw(number, None, "not a JSON object")


def _cell(record: dict[str, Any], name: str) -> Any:
    """A field; `user.id` is `id` of the object `user` unless there is a field of that name."""
    if name in record:
        return record[name]
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return None if isinstance(value, dict | list) else value
