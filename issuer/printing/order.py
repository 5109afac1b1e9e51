"""What is to be printed, and in which pieces: pure, so that a run can be taken up where it ended.

A piece's fingerprint says everything its file depends on; a file that is there under it is done.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, ClassVar, Final

import orjson

from issuer.formats import Format
from issuer.poster import Sheet
from issuer.typesetting import edition

_FINGERPRINT: Final = 16  # hexadecimal digits


class Packing(StrEnum):
    """One PDF with everything in it, or a ZIP with a PDF for each place."""

    PDF = "pdf"
    ZIP = "zip"


@dataclass(frozen=True)
class Order:
    """A set of posters. `title` is whose it is, on the index: `Phường Đằng Lâm, Quận Hải An`.

    `part_pages`: what one process sets at once and what an interruption costs. `file_pages`: the
    posters of one PDF, beyond which there is another; a ZIP has an index sheet for so many.
    """

    title: str
    form: Format
    origin: str
    retention_days: int
    packing: Packing = Packing.PDF
    part_pages: int = 100
    file_pages: int = 2_000

    def files(self, total: int) -> int:
        """How many files a set of so many posters becomes."""
        return 1 if self.packing is Packing.ZIP else -(-total // self.file_pages)

    def fingerprint(self) -> str:
        """Of everything that is the same for all pieces, the templates included."""
        return _hash([repr(self), edition()])


@dataclass(frozen=True)
class Piece:
    """Some sheets in a row: `first` is the number of the first, `total` of the set.

    `mark` is the order's fingerprint, worked out once.
    """

    order: Order
    mark: str
    first: int
    total: int
    sheets: tuple[Sheet, ...]
    kind: ClassVar[str] = "part"

    @property
    def suffix(self) -> str:
        """How its file's name ends."""
        return self.order.packing

    @property
    def file_name(self) -> str:
        """`part-000201-<fingerprint>.pdf`."""
        facts = [self.mark, self.kind, self.first, *self._also(), *map(_facts, self.sheets)]
        return f"{self.kind}-{self.first:06}-{_hash(facts)}.{self.suffix}"

    def _also(self) -> list[int]:
        """What else its file shows."""
        return []


class Posters(Piece):
    """The posters of these sheets."""


class Index(Piece):
    """The index sheet of these, a PDF in either packing."""

    kind = "index"

    @property
    def suffix(self) -> str:
        """Always a PDF."""
        return "pdf"

    def _also(self) -> list[int]:
        return [self.total]


@dataclass(frozen=True)
class Whole:
    """A finished file, of the pieces named, in this order."""

    order: Order
    number: int
    pieces: tuple[str, ...]

    @property
    def file_name(self) -> str:
        """`file-001-<fingerprint>.pdf`: the pieces' names hold their fingerprints."""
        return f"file-{self.number:03}-{_hash(list(self.pieces))}.{self.order.packing}"


Job = Posters | Index | Whole


def pieces(order: Order, sheets: Iterable[Sheet], total: int) -> Iterator[Posters | Index]:
    """The pieces of a set in the order of its sheets; before those of a file comes its index.

    Holds the sheets of one file at most. The index first, because it is the longest piece: what
    is left at the end is short, so that no process waits long for another.
    """
    mark, rest, first = order.fingerprint(), iter(sheets), 1
    while of_file := tuple(islice(rest, order.file_pages)):
        yield Index(order, mark, first, total, of_file)
        for begin in range(0, len(of_file), order.part_pages):
            part = of_file[begin : begin + order.part_pages]
            yield Posters(order, mark, first + begin, total, part)
        first += len(of_file)


def wholes(order: Order, made: Iterable[tuple[int, str]]) -> Iterator[Whole]:
    """The files of these pieces, given as (number of the first sheet, file name), in any order.

    The index of a file comes before its posters; in a ZIP all indices come first.
    """
    files: dict[int, list[str]] = {}
    for first, name in sorted(made):  # `index-…` before `part-…` of the same first sheet
        number = 1 if order.packing is Packing.ZIP else (first - 1) // order.file_pages + 1
        files.setdefault(number, []).append(name)
    for number, names in sorted(files.items()):
        names.sort(key=lambda name: not name.startswith(Index.kind))
        yield Whole(order, number, tuple(names))


def _facts(sheet: Sheet) -> list[Any]:
    place, site, code = sheet.place, sheet.site, sheet.code
    named = [place.id, place.site, place.name, place.kind, site.id, site.name, site.address]
    return [*named, code.token, code.version, code.revoked_at is None]


def _hash(facts: list[Any]) -> str:
    return hashlib.sha256(orjson.dumps(facts)).hexdigest()[:_FINGERPRINT]
