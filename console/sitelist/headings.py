"""Which row of a list is its heading, and what each column says: data/headings.toml."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from console.sitelist.plain import holds, plain
from console.sitelist.sheet import Row
from schemas.errors import UserError

_LOOKED_AT: Final = 30  # rows before which a list has begun
HEADING_WITHIN: Final = _LOOKED_AT + 1  # a heading can have a second line
_LEAST: Final = 2  # recognised headings that make a row the heading


class Field(StrEnum):
    """What a column can say."""

    NAME = "name"
    PLACE = "place"
    ADDRESS = "address"
    WARD = "ward"
    DISTRICT = "district"
    KIND = "kind"
    HOURS = "hours"
    OPENS = "opens"
    CLOSES = "closes"
    CAPACITY = "capacity"
    AREA = "area"
    CODE = "code"
    TAX = "tax"
    PERSON = "person"
    PHONE = "phone"
    CONTACT = "contact"
    NUMBER = "number"

    @property
    def words(self) -> tuple[str, str]:
        """In Vietnamese and in English."""
        return _WORDS[self]


_WORDS: Final[Mapping[Field, tuple[str, str]]] = {
    Field.NAME: ("tên cơ sở", "name"),
    Field.PLACE: ("phòng, cổng", "room or gate"),
    Field.ADDRESS: ("địa chỉ", "address"),
    Field.WARD: ("phường, xã", "ward"),
    Field.DISTRICT: ("quận, huyện", "district"),
    Field.KIND: ("loại hình", "kind"),
    Field.HOURS: ("giờ mở cửa", "hours"),
    Field.OPENS: ("mở cửa lúc", "opens at"),
    Field.CLOSES: ("đóng cửa lúc", "closes at"),
    Field.CAPACITY: ("sức chứa", "capacity"),
    Field.AREA: ("diện tích", "floor area"),
    Field.CODE: ("mã của danh sách", "the list's own code"),
    Field.TAX: ("mã số thuế", "tax number"),
    Field.PERSON: ("người", "a person"),
    Field.PHONE: ("số điện thoại", "a phone number"),
    Field.CONTACT: ("liên hệ", "a contact"),
    Field.NUMBER: ("số thứ tự", "a row number"),
}

# Recognised to be left out: people's names and numbers are for the identity vault.
LEFT_OUT: Final = frozenset({Field.PERSON, Field.PHONE, Field.CONTACT, Field.NUMBER, Field.TAX})


@dataclass(frozen=True)
class Column:
    """A column of the file; `field` None: not understood, and left out."""

    at: int
    heading: str
    field: Field | None

    @property
    def used(self) -> Field | None:
        """The field, if what the column says is used."""
        return None if self.field in LEFT_OUT else self.field


@dataclass(frozen=True)
class Heading:
    """Where the heading ends, and its columns."""

    last_row: int
    columns: tuple[Column, ...]

    def at(self, field: Field) -> int | None:
        """The column of a field."""
        return next((c.at for c in self.columns if c.field is field), None)


def find_heading(rows: Sequence[Row], given: Mapping[Field, str]) -> Heading:
    """The heading of a list; `given`: columns that the user named, by their heading.

    Of two columns that say the same the one whose heading is the surer counts, then the first.
    Raises UserError where there is no heading, none with a name, or not a column that was named.
    """
    wanted = {plain(heading): field for field, heading in given.items()}
    best: tuple[int, Heading] | None = None
    for index, row in enumerate(rows[:_LOOKED_AT]):
        heading = _heading(rows, index, wanted)
        count = len({c.field for c in heading.columns if c.field is not None})
        if count >= _LEAST and (best is None or count > best[0]) and not row.empty:
            best = count, heading
    if best is None or best[1].at(Field.NAME) is None:
        seen = f" ({_listed(best[1])})" if best else ""
        raise UserError(
            f"Không tìm thấy dòng tiêu đề có cột tên cơ sở trong {_LOOKED_AT} dòng đầu{seen}. Ghi "
            "rõ: --column name='Tên cột'. / No heading with a column of names in the first "
            f"{_LOOKED_AT} rows{seen}. Name it: --column name='Heading'."
        )
    found = {plain(c.heading) for c in best[1].columns}
    if missing := [text for text in given.values() if plain(text) not in found]:
        raise UserError(
            f"--column: không có cột {missing[0]!r}. / --column: there is no column "
            f"{missing[0]!r}; there are {_listed(best[1])}."
        )
    return best[1]


def _listed(heading: Heading) -> str:
    return "; ".join(c.heading for c in heading.columns if c.heading)


def _heading(rows: Sequence[Row], index: int, wanted: Mapping[str, Field]) -> Heading:
    """The row, with the one below where that is its second line (merged cells are in both)."""
    texts = list(rows[index].cells)
    last = index
    if index + 1 < len(rows):
        below = rows[index + 1].cells
        if _goes_on(texts, below):
            last = index + 1
            group = ""
            for at, text in enumerate(below):
                above = texts[at] if at < len(texts) else ""
                group = above or group
                if at < len(texts) and text and text != above:
                    texts[at] = f"{group} {text}".strip()
    sure: dict[Field, tuple[int, int]] = {}
    for at, text in enumerate(texts):
        field, weight = _meaning(plain(text), wanted)
        if field is not None and weight > sure.get(field, (0, 0))[0]:
            sure[field] = weight, at
    by_column = {at: field for field, (_, at) in sure.items()}
    for at, text in enumerate(texts):  # a second column of people is left out as the first is
        field, _ = _meaning(plain(text), wanted)
        if field in LEFT_OUT:
            by_column[at] = field
    columns = tuple(Column(at, text, by_column.get(at)) for at, text in enumerate(texts))
    return Heading(last, columns)


def _goes_on(above: Sequence[str], below: Sequence[str]) -> bool:
    """Whether a row is the second line of a heading: cells merged over both are in both; or only
    a few words stand in it, none where the first has a row's number or name."""
    same = [a == b for a, b in zip(above, below, strict=False) if a]
    if sum(same) >= _LEAST:
        return not all(same)
    words = [text for text in below if text]
    return (
        0 < len(words) < len([text for text in above if text])
        and not any(below[:_LEAST])
        and not any(c.isdigit() for text in words for c in text)
    )


def _meaning(text: str, wanted: Mapping[str, Field]) -> tuple[Field | None, int]:
    """The field and how sure: the length of the phrase."""
    if text in wanted:
        return wanted[text], 10_000
    best: tuple[Field | None, int] = (None, 0)
    for field, (phrases, alone) in _phrases().items():
        if text in alone:
            return field, 1_000
        for phrase in phrases:
            if len(phrase) > best[1] and holds(text, phrase):
                best = field, len(phrase)
    return best


@cache
def _phrases() -> Mapping[Field, tuple[tuple[str, ...], frozenset[str]]]:
    text = (files("console.sitelist") / "data" / "headings.toml").read_text("utf-8")
    return {
        Field(name): (tuple(entry.get("phrases", ())), frozenset(entry.get("alone", ())))
        for name, entry in tomllib.loads(text).items()
    }
