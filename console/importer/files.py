"""Reading CSV, NDJSON and Parquet row by row, in bounded memory; `.gz` of the first two."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Final

from console.importer.csvfile import csv_rows
from console.importer.header import check_known
from console.importer.mapping import Columns
from console.importer.rows import Raw
from schemas.errors import UserError

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
                lines = csv_rows if reading.format is Format.CSV else _ndjson
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
                check_known(names, file.schema_arrow.names, self._reading.path)
                number, total = 0, max(1, file.metadata.num_rows)
                for batch in file.iter_batches(_PARQUET_ROWS, columns=list(dict.fromkeys(names))):
                    for cells in zip(*(_values(batch[name]) for name in names), strict=True):
                        number += 1
                        yield Raw(number, cells)
                    self._done = self.size * number / total
        except pa.ArrowException as error:
            words = " ".join(str(error).split())[:200]
            raise UserError(
                f"{self._reading.path} không phải tệp Parquet đọc được ({words}). / "
                f"{self._reading.path} is not a Parquet file to read ({words})."
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
        raise UserError(
            f"Không đọc được {path} ({error.strerror}). / {path} cannot be read ({error.strerror})."
        ) from None
    with file:
        yield file


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
