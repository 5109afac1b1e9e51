"""Rows of the file as check-ins, or refused with a reason: each is exactly one of the two."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from console.importer.mapping import FIELDS, Columns
from console.importer.times import ParseTime

LONGEST_PLACE: Final = 256  # as long as the register of sources takes
EARLIEST_MS: Final = 0
LATEST_MS: Final = 4_102_444_800_000  # 2100-01-01
_DIRECTIONS: Final = {
    "": "in",
    "in": "in",
    "enter": "in",
    "entry": "in",
    "checkin": "in",
    "check-in": "in",
    "vào": "in",
    "out": "out",
    "exit": "out",
    "leave": "out",
    "checkout": "out",
    "check-out": "out",
    "ra": "out",
    "pass": "pass",
}
_FLAGS: Final = {
    "true": True,
    "1": True,
    "yes": True,
    "y": True,
    "t": True,
    "có": True,
    "false": False,
    "0": False,
    "no": False,
    "n": False,
    "f": False,
    "không": False,
}


class Refusal(StrEnum):
    """Why a row is not published: a closed list."""

    BAD_ROW = "bad_row"
    EMPTY_PERSON = "empty_person"
    EMPTY_PLACE = "empty_place"
    BAD_PLACE = "bad_place"
    EMPTY_TIME = "empty_time"
    BAD_TIME = "bad_time"
    TIME_OUT_OF_RANGE = "time_out_of_range"
    BAD_DIRECTION = "bad_direction"
    BAD_FLAG = "bad_flag"


SENTENCES: Final[dict[Refusal, tuple[str, str]]] = {
    Refusal.BAD_ROW: ("dòng không đọc được", "the row cannot be read"),
    Refusal.EMPTY_PERSON: ("thiếu người", "no person"),
    Refusal.EMPTY_PLACE: ("thiếu địa điểm", "no place"),
    Refusal.BAD_PLACE: ("tên địa điểm không dùng được", "a place's name that cannot be kept"),
    Refusal.EMPTY_TIME: ("thiếu thời điểm", "no time"),
    Refusal.BAD_TIME: ("không hiểu thời điểm", "a time that cannot be read"),
    Refusal.TIME_OUT_OF_RANGE: ("thời điểm ngoài 1970–2099", "a time outside 1970 to 2099"),
    Refusal.BAD_DIRECTION: ("hướng không phải in, out, pass", "a direction not in, out or pass"),
    Refusal.BAD_FLAG: ("kín/hẹp không phải có, không", "enclosed or small not yes or no"),
}


class Raw(NamedTuple):
    """One row as it was read: its number from 1, its cells in the order of the mapped fields.

    `cells` None: the row itself is broken, and `detail` says how.
    """

    number: int
    cells: tuple[Any, ...] | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One row that can be published."""

    row: int
    person: str
    place: str
    time_ms: int
    direction: str
    enclosed: bool | None
    small: bool | None


@dataclass(frozen=True, slots=True)
class Refused:
    """One row that cannot."""

    row: int
    reason: Refusal
    detail: str


class _RefuseError(Exception):
    def __init__(self, reason: Refusal, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


def check_ins(
    raws: Iterable[Raw], columns: Columns, parse_time: ParseTime
) -> Iterator[CheckIn | Refused]:
    """One for each row, in order."""
    fields = list(columns.by_field)
    at = [fields.index(name) if name in fields else -1 for name in FIELDS]
    for number, cells, detail in raws:
        if cells is None:
            yield Refused(number, Refusal.BAD_ROW, detail)
            continue
        person, place, time, direction, enclosed, small = (cells[i] if i >= 0 else None for i in at)
        try:
            yield CheckIn(
                number,
                _name(person, Refusal.EMPTY_PERSON),
                _place(place),
                _time(time, parse_time),
                _direction(direction),
                _flag(enclosed),
                _flag(small),
            )
        except _RefuseError as error:
            yield Refused(number, error.reason, error.detail)


def text_of(value: object) -> str:
    """A source's id as text: 69, 69.0 and "69 " are the same one."""
    if value is None:
        return ""
    if isinstance(value, float):
        if value != value:  # not a number: what a table writes for nothing
            return ""
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value).strip()


def _name(value: object, empty: Refusal) -> str:
    text = text_of(value)
    if not text:
        raise _RefuseError(empty)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _RefuseError(
                Refusal.BAD_ROW, "không phải UTF-8: xem --encoding / not UTF-8: see --encoding"
            ) from None
    return text


def _place(value: object) -> str:
    text = _name(value, Refusal.EMPTY_PLACE)
    if len(text) > LONGEST_PLACE or "\0" in text:
        raise _RefuseError(Refusal.BAD_PLACE, f"{len(text)} ký tự / {len(text)} characters")
    return text


def _time(value: object, parse: ParseTime) -> int:
    if value is None or value == "" or value != value:
        raise _RefuseError(Refusal.EMPTY_TIME)
    try:
        moment = parse(value)
    except ValueError as error:
        raise _RefuseError(Refusal.BAD_TIME, f"{_shown(value)}: {error}") from None
    if not EARLIEST_MS <= moment < LATEST_MS:
        raise _RefuseError(Refusal.TIME_OUT_OF_RANGE, _shown(value))
    return moment


def _direction(value: object) -> str:
    found = _DIRECTIONS.get(text_of(value).lower())
    if found is None:
        raise _RefuseError(Refusal.BAD_DIRECTION, _shown(value))
    return found


def _flag(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    text = text_of(value).lower()
    if not text:
        return None
    if text not in _FLAGS:
        raise _RefuseError(Refusal.BAD_FLAG, _shown(value))
    return _FLAGS[text]


def _shown(value: object) -> str:
    text = str(value)
    safe = text.encode("utf-8", "replace").decode()
    return repr(safe if len(safe) <= 40 else safe[:39] + "…")
