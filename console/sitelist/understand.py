"""From a list's rows to what would be registered, and what is refused, row by row, with why."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final

from console.sitelist.headings import HEADING_WITHIN, Field, Heading, find_heading
from console.sitelist.plain import plain
from console.sitelist.sheet import Row
from console.sitelist.values import (
    MOST_M2,
    MOST_PEOPLE,
    Unclear,
    Wards,
    clock,
    hours_of,
    kind_of,
    number_of,
)
from issuer.kinds import Level, kinds
from issuer.poster import MAX_NAME
from issuer.units import Ward
from schemas.places import Hours

_SITES: Final = frozenset({Level.SITE, Level.BOTH})
_PLACES: Final = frozenset({Level.PLACE, Level.BOTH})
# What a row says by leaving it empty, where it names only another room of the site above.
_OF_SITE: Final = (
    *(Field.NAME, Field.KIND, Field.ADDRESS, Field.WARD, Field.DISTRICT, Field.CODE),
    *(Field.HOURS, Field.OPENS, Field.CLOSES),
)
_TOTALS: Final = ("tong", "tong cong", "cong", "total", "tong so")
MAX_ADDRESS: Final = 500


@dataclass(frozen=True)
class Options:
    """What the user says for all rows: the area's wards, a kind and a ward where none is written,
    columns by their heading."""

    wards: Sequence[Ward]
    kind: str | None = None
    ward: str | None = None
    columns: Mapping[Field, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Listed:
    """One row that can be registered. `place`: a room or gate of the site, if the row is of one.

    `code`: what the list calls it (a licence, a school's number), or empty.
    """

    row: int
    name: str
    kind: str
    ward: str
    address: str
    place: str = ""
    place_kind: str = ""
    hours: Hours | None = None
    capacity: int | None = None
    area_m2: float | None = None
    code: str = ""


@dataclass(frozen=True)
class Refused:
    """One row that cannot, the column at fault, and why."""

    row: int
    column: str
    vi: str
    en: str


@dataclass
class Understood:
    """A whole list. `guessed`: rows whose kind was taken from the name; `passed_over`:
    blank rows, titles, totals; `titles`: the numbers of those that are not blank."""

    heading: Heading
    listed: list[Listed] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    guessed: int = 0
    passed_over: int = 0
    titles: list[int] = field(default_factory=list)

    @property
    def left_out(self) -> list[str]:
        """Headings of columns that are not used."""
        return [c.heading for c in self.heading.columns if c.heading and c.used is None]

    def by_kind(self) -> Counter[str]:
        """Rows of each kind."""
        return Counter(listed.kind for listed in self.listed)


def understand(rows: Iterable[Row], options: Options) -> Understood:
    """Raises UserError where the list has no heading that can be used."""
    coming = iter(rows)
    top = list(islice(coming, HEADING_WITHIN))
    heading = find_heading(top, options.columns)
    found = Understood(heading)
    reader = _Reader(heading, options)
    codes: dict[str, Listed] = {}
    above: Row | None = None
    for written in chain(top[heading.last_row + 1 :], coming):
        row = reader.completed(written, above)
        if row.empty or reader.is_no_entry(row):
            found.passed_over += 1
            found.titles += [] if row.empty else [row.number]
            above = None
            continue
        above = row
        try:
            listed, guessed = reader.read(row)
        except _AtFault as fault:
            found.refused.append(Refused(row.number, fault.column, fault.vi, fault.en))
            continue
        first = codes.setdefault(plain(listed.code), listed)
        if listed.code and plain(first.name) != plain(listed.name):
            why = (
                f"dòng {first.row} có cùng mã, khác tên",
                f"row {first.row}: same code, other name",
            )
            column = next(c.heading for c in heading.columns if c.field is Field.CODE)
            found.refused.append(Refused(row.number, column, *why))
            continue
        found.listed.append(listed)
        found.guessed += guessed
    return found


class _AtFault(Exception):
    def __init__(self, column: str, why: Unclear) -> None:
        super().__init__(why.en)
        self.column, self.vi, self.en = column, why.vi, why.en


class _Reader:
    def __init__(self, heading: Heading, options: Options) -> None:
        self._at = {f: at for f in Field if (at := heading.at(f)) is not None}
        self._headings = {c.field: c.heading for c in heading.columns if c.field}
        self._options = options
        self._wards = Wards(options.wards)
        self._section = ""  # the code of the ward whose title stands above

    def completed(self, row: Row, above: Row | None) -> Row:
        """A row of a room alone, with what the row above it says of their site."""
        if above is None or self._text(row, Field.NAME) or not self._text(row, Field.PLACE):
            return row
        cells = list(row.cells)
        for field_ in _OF_SITE:
            at = self._at.get(field_)
            if at is not None and at < len(cells):
                cells[at] = cells[at] or self._text(above, field_)
        return Row(row.number, tuple(cells))

    def is_no_entry(self, row: Row) -> bool:
        """A section's title, a total, the heading again, numbered columns.

        A title that names a ward holds for the rows below it where no column has wards.
        """
        cells = [cell for cell in row.cells if cell]
        name = plain(self._text(row, Field.NAME))
        if len(cells) <= 2 and (ward := self._wards.titled(" ".join(cells))):
            self._section = ward.code
            return True
        if name in _TOTALS or plain(cells[0]) in _TOTALS:
            return True
        if not name:
            return len(cells) <= 2 and not self._text(row, Field.PLACE)
        if name == plain(self._headings[Field.NAME]):
            return True
        return all(cell.strip("()").isdigit() for cell in cells)

    def read(self, row: Row) -> tuple[Listed, bool]:
        """The row, and whether its kind is a guess by its name."""
        name = self._text(row, Field.NAME)
        if not plain(name):
            raise _AtFault(self._headings[Field.NAME], Unclear("thiếu tên", "the name is missing"))
        place = self._text(row, Field.PLACE)
        address = self._text(row, Field.ADDRESS)
        for field_, text, most in (
            (Field.NAME, name, MAX_NAME),
            (Field.PLACE, place, MAX_NAME),
            (Field.ADDRESS, address, MAX_ADDRESS),
        ):
            if len(text) > most:
                why = Unclear(f"dài hơn {most} ký tự", f"longer than {most} characters")
                raise _AtFault(self._headings[field_], why)
        with_kind, guessed = self._kind(row, name)
        return (
            Listed(
                row=row.number,
                name=name,
                kind=with_kind,
                ward=self._ward(row, address).code,
                address=address,
                place=place,
                place_kind=_place_kind(place, with_kind) if place else "",
                hours=self._hours(row),
                capacity=self._capacity(row),
                area_m2=self._number(row, Field.AREA, MOST_M2),
                code=self._text(row, Field.CODE),
            ),
            guessed,
        )

    def _text(self, row: Row, field_: Field) -> str:
        at = self._at.get(field_)
        return row.cells[at] if at is not None and at < len(row.cells) else ""

    def _kind(self, row: Row, name: str) -> tuple[str, bool]:
        written = self._text(row, Field.KIND)
        kind = kind_of(written, _SITES)
        if kind is not None:
            return kind, False
        given = self._options.kind
        if given and not written:
            return given, False
        kind = kind_of(name, _SITES, name=True)
        if kind is not None:
            return kind, True
        if given:
            return given, False
        column = self._headings.get(Field.KIND) or self._headings[Field.NAME]
        said = written or name
        raise _AtFault(
            column,
            Unclear(
                f"không rõ loại hình: {said!r}; ghi một loại hoặc dùng --kind",
                f"the kind is not clear: {said!r}; write one, or give --kind",
            ),
        )

    def _ward(self, row: Row, address: str) -> Ward:
        written = self._text(row, Field.WARD)
        text = written or self._section or self._options.ward or ""
        try:
            return self._wards.of(text, self._text(row, Field.DISTRICT), address)
        except Unclear as why:
            column = self._headings.get(Field.WARD) or self._headings.get(Field.ADDRESS, "")
            raise _AtFault(column or "--ward", why) from None

    def _hours(self, row: Row) -> Hours | None:
        opens, closes = (clock(self._text(row, side)) for side in (Field.OPENS, Field.CLOSES))
        both = self._text(row, Field.HOURS) or (f"{opens} - {closes}" if opens or closes else "")
        try:
            return hours_of(both)
        except Unclear as why:
            field_ = Field.HOURS if Field.HOURS in self._at else Field.OPENS
            raise _AtFault(self._headings.get(field_, "hours"), why) from None

    def _capacity(self, row: Row) -> int | None:
        number = self._number(row, Field.CAPACITY, MOST_PEOPLE)
        return None if number is None else max(1, round(number))

    def _number(self, row: Row, field_: Field, most: float) -> float | None:
        try:
            return number_of(self._text(row, field_), most)
        except Unclear as why:
            raise _AtFault(self._headings[field_], why) from None


def _place_kind(place: str, site_kind: str) -> str:
    """By its name; else what the places of such a site are: a plate says nothing of a bus."""
    return kind_of(place, _PLACES) or ("bus" if site_kind == "bus_operator" else "section")


def known_kind(kind: str) -> bool:
    """Whether sites can be of this kind."""
    about = kinds().get(kind)
    return about is not None and about.level in _SITES
