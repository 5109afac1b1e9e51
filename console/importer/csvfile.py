"""CSV row by row: the delimiter found by the header, a broken row costing only itself."""

import csv
import io
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from console.importer.header import check_known
from console.importer.rows import Raw
from schemas.errors import UserError

if TYPE_CHECKING:
    from console.importer.files import Reading

_DELIMITERS: Final = (",", ";", "\t", "|")
_LONGEST_FIELD: Final = 1024 * 1024
_MOST_LINES: Final = 20  # of one row: names with line breaks are real, longer ones a lost quote


def csv_rows(stream: Any, reading: "Reading") -> Iterator[Raw]:
    """Every row after the header, from number 1. Raises UserError if it is not this encoding."""
    try:
        yield from _rows(stream, reading)
    except UnicodeError:
        raise UserError(
            f"Tệp {reading.path} không phải {reading.encoding}. / {reading.path} is not "
            f"{reading.encoding}: give its --encoding."
        ) from None


def _rows(stream: Any, reading: "Reading") -> Iterator[Raw]:
    csv.field_size_limit(_LONGEST_FIELD)
    encoding = "utf-8-sig" if reading.encoding.lower() in ("utf-8", "utf8") else reading.encoding
    text = io.TextIOWrapper(stream, encoding, errors="surrogateescape", newline="")
    first = text.readline()
    if not first.strip():
        raise UserError(f"Tệp {reading.path} rỗng. / {reading.path} is empty: there is no header.")
    names = list(reading.columns.by_field.values())
    delimiter, header = _header(first, names, reading)
    wide, needed = len(header), max(at := [header.index(name) for name in names]) + 1
    lines = _Lines(text)
    if not reading.header:
        lines.put_back([first])
    reader = csv.reader(lines, delimiter=delimiter)
    number = 0
    while True:
        lines.taken.clear()
        wrong = ""
        row: list[str] = []
        try:
            row = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooManyLinesError) as error:
            wrong = str(error)
        if not row and not wrong:
            continue
        number += 1
        if len(row) < needed or (len(row) > wide and any(row[wide:])):
            wrong = wrong or f"{len(row)} fields, the header has {wide}"
        if len(lines.taken) > 1 and (wrong or lines.unclosed):
            wrong = "an opening quote that nothing closes"
            # only its own line is broken; those that it swallowed are rows
            lines.put_back(lines.taken[1:])
            reader = csv.reader(lines, delimiter=delimiter)
        yield Raw(number, None, wrong) if wrong else Raw(number, tuple([row[i] for i in at]))


class _TooManyLinesError(Exception):
    """A quoted field that goes on and on."""


class _Lines(Iterator[str]):
    """Lines of the file that can be put back; `taken` are those of the record being read."""

    def __init__(self, text: Iterator[str]) -> None:
        self._text = text
        self._back: deque[str] = deque()
        self.taken: list[str] = []

    def __next__(self) -> str:
        if len(self.taken) == _MOST_LINES:
            raise _TooManyLinesError(f"a field of more than {_MOST_LINES} lines")
        line = self._back.popleft() if self._back else next(self._text)
        self.taken.append(line)
        return line

    def put_back(self, lines: list[str]) -> None:
        """Read these next."""
        self._back.extendleft(reversed(lines))

    @property
    def unclosed(self) -> bool:
        """Whether the record's quotes do not pair."""
        return sum(line.count('"') for line in self.taken) % 2 == 1


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
