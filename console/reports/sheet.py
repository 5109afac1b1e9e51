"""A day's report in the words of one language: rows, sentences, numbers; whatever it is set in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from console.coverage.funnel import Line
from console.coverage.stages import NAMES, REQUIRED_NAME, STAGES, Stage
from console.reminders.texts import Lang
from console.reports.daily import HELPED_DAYS, Daily
from console.store.required_reading import ListStanding
from issuer.kinds import sectors
from issuer.units import EVERYWHERE, area_name
from schemas.clock import local_text

_BY: Final = {
    "kind": ("Loại hình", "Kind"),
    "ward": ("Xã, phường", "Ward"),
    "district": ("Quận, huyện", "District"),
    "city": ("Tỉnh, thành phố", "City"),
}
# what a part's columns are: enough to see where work is, on one page
PART_STAGES: Final = (Stage.REGISTERED, Stage.POSTED, Stage.INSPECTED, Stage.SCANNED)


@dataclass(frozen=True)
class Row:
    """A stage. `sites`: establishments that have reached it of `of` (those on the lists, or where
    no list names any, those registered); `all_sites` with those on no list; `change` since the day
    before, None if it was not counted."""

    name: str
    sites: int
    of: int
    all_sites: int | None
    places: int | None
    change: int | None


@dataclass(frozen=True)
class PartRow:
    """A part of the area: what is required of it, and what of that has reached `PART_STAGES`.

    `all_sites`: those registered, also those on no list; None where no list names anybody.
    """

    name: str
    of: int
    sites: tuple[int, ...]
    all_sites: int | None


@dataclass(frozen=True)
class Sheet:
    """The report in one language. `as_of`: when it was counted, in words; `facts`: a label and its
    words; `notes`: what to know of it."""

    lang: Lang
    title: str
    area: str
    day: str
    as_of: str
    heads: tuple[str, ...]
    rows: list[Row]
    part_heads: tuple[str, ...]
    parts: list[PartRow]
    facts: list[tuple[str, str]]
    notes: list[str]


def sheet_of(daily: Daily, lang: Lang) -> Sheet:
    """The report in this language."""
    words = _Words(lang)
    required = daily.whole.required > 0
    base = words("Cơ sở phải có mã", "Required sites") if required else words("Cơ sở", "Sites")
    return Sheet(
        lang=lang,
        title=words("Báo cáo ngày: mã QR địa điểm", "Daily report: location QR codes"),
        area=_area(daily, words),
        day=f"{daily.day:%d/%m/%Y}",
        as_of=words(f"Số liệu lúc {local_text(daily.at)}", f"Counted on {local_text(daily.at)}"),
        heads=(
            words("Bước", "Stage"),
            base,
            words("Tỷ lệ", "Share"),
            words("So với hôm trước", "Since the day before"),
            words("Mọi cơ sở", "All sites"),
            words("Điểm quét", "Places"),
        ),
        rows=list(_rows(daily, words)),
        part_heads=(
            words(*_BY[daily.by]),
            base if required else words("Đã đăng ký", "Registered"),
            *(words(*NAMES[stage]).capitalize() for stage in PART_STAGES),
            *([words("Mọi cơ sở", "All sites")] if required else []),
        ),
        parts=[
            PartRow(
                part.vi if lang == "vi" else part.en,
                _base(part.line, required),
                tuple(_reached(part.line, stage, required) for stage in PART_STAGES),
                part.line.stages[Stage.REGISTERED].sites if required else None,
            )
            for part in daily.parts
        ],
        facts=list(_facts(daily, words)),
        notes=list(_notes(daily, words)),
    )


class _Words:
    def __init__(self, lang: Lang) -> None:
        self.lang = lang

    def __call__(self, vi: str, en: str) -> str:
        return vi if self.lang == "vi" else en

    def n(self, value: int) -> str:
        return number(value, self.lang)


def number(value: int, lang: Lang) -> str:
    """`1.234` in Vietnamese, `1,234` in English."""
    text = f"{value:,}"
    return text.replace(",", ".") if lang == "vi" else text


def percent(part: int, whole: int) -> str:
    """`71 %`; never 100 % unless it is all, nor 0 % unless it is none; `–` of nothing."""
    if not whole:
        return "–"
    rounded = round(100 * part / whole)
    if part not in (0, whole):
        rounded = min(99, max(1, rounded))
    return f"{rounded} %"


def signed(change: int | None, lang: Lang) -> str:
    """`+12`, `−3`, `0`; `–` if it is not known."""
    if change is None:
        return "–"
    sign = "+" if change > 0 else "−" if change < 0 else ""
    return sign + number(abs(change), lang)


def _rows(daily: Daily, words: _Words) -> Iterator[Row]:
    line, before = daily.whole, daily.before
    required = line.required > 0
    if required:
        was = before.required if before else None
        change = None if was is None else line.required - was
        name = words(*REQUIRED_NAME).capitalize()
        yield Row(name, line.required, line.required, None, None, change)
    for stage in STAGES:
        now = _reached(line, stage, required)
        then = _reached(before, stage, required) if before else None
        count = line.stages[stage]
        yield Row(
            words(*NAMES[stage]).capitalize(),
            now,
            _base(line, required),
            count.sites,
            count.places,
            None if then is None else now - then,
        )


def _reached(line: Line, stage: Stage, required: bool) -> int:
    count = line.stages[stage]
    return count.required if required else count.sites


def _base(line: Line, required: bool) -> int:
    return line.required if required else line.stages[Stage.REGISTERED].sites


def _area(daily: Daily, words: _Words) -> str:
    everywhere = daily.asked.area == EVERYWHERE and words.lang == "en"
    area = "Whole country" if everywhere else area_name(daily.asked.area)
    if daily.asked.sector is None:
        return area
    names = sectors().get(daily.asked.sector)
    sector = words(names.vi, names.en) if names else daily.asked.sector
    return f"{sector} · {area}"


def _facts(daily: Daily, words: _Words) -> Iterator[tuple[str, str]]:
    n, days = words.n, daily.scanned_days
    yield (
        words(f"Lượt quét trong {days} ngày", f"Scans in {days} days"),
        n(daily.whole.scans),
    )
    yield (
        words(f"Điểm có mã, chưa có lượt quét trong {days} ngày",
              f"Places with a code and no scan in {days} days"),
        n(daily.silent),
    )  # fmt: skip
    seen = daily.inspections
    yield (
        words("Kiểm tra", "Inspections"),
        words(
            f"{n(seen.done)} lần trong ngày; {n(seen.open)} hồ sơ đang mở; "
            f"{n(seen.overdue)} quá hạn khắc phục",
            f"{n(seen.done)} on the day; {n(seen.open)} open; "
            f"{n(seen.overdue)} past the day to mend",
        ),
    )
    if (told := daily.reminded) is not None:
        helped = ""
        if told.decided:
            share = percent(told.in_time, told.decided)
            helped = words(
                f"; trong 90 ngày, {share} số điểm được nhắc đã làm trong {HELPED_DAYS} ngày",
                f"; in 90 days, {share} of the places told caught up in {HELPED_DAYS} days",
            )
        yield (
            words("Nhắc nhở", "Reminders"),
            words(f"{n(told.today)} điểm trong ngày", f"{n(told.today)} places on the day")
            + helped,
        )


def _notes(daily: Daily, words: _Words) -> Iterator[str]:
    days, free = daily.scanned_days, daily.free_days
    yield words(
        "Cơ sở chỉ tính là đạt một bước khi mọi điểm quét của cơ sở đều đạt. Thứ tự các dòng không "
        "phải là xếp hạng.",
        "A site counts at a stage when all of its places do. The order of lines is no ranking.",
    )
    yield words(
        f"“Có lượt quét” là trong {days} ngày, gồm {free} ngày thứ bảy, chủ nhật: cơ quan, trường "
        "học thường nghỉ; ngày lễ và cơ sở tạm nghỉ chưa được tính riêng.",
        f"“Scanned” is within {days} days, {free} of them Saturdays and Sundays, when offices and "
        "schools are mostly closed; holidays and places closed for now are not told apart.",
    )
    if not daily.lists:
        yield words(
            "Chưa có danh sách cơ sở phải có mã: tỷ lệ tính trên số cơ sở đã đăng ký.",
            "There is no list of required sites yet: shares are of those registered.",
        )
    else:
        said = "; ".join(_list(one, daily, words) for one in daily.lists[:3])
        more = len(daily.lists) - 3
        tail = words(f"; và {more} danh sách khác", f"; and {more} lists more") if more > 0 else ""
        yield words(f"Phải có mã theo: {said}{tail}.", f"Required by: {said}{tail}.")
    yield words(
        "Số lượt quét nói về điểm quét, không nói về người hay ca bệnh.",
        "Scans are counted by place; nothing here is about a person or a case.",
    )


def _list(one: ListStanding, daily: Daily, words: _Words) -> str:
    about = one.list
    age = max(0, (daily.day - about.as_of).days)
    day, name, keeper = f"{about.as_of:%d/%m/%Y}", _short(about.name), _short(about.keeper)
    return words(
        f"{name} ({keeper}, ngày {day}, {age} ngày trước)",
        f"{name} ({keeper}, as of {day}, {age} days ago)",
    )


def _short(name: str, most: int = 60) -> str:
    return name if len(name) <= most else f"{name[: most - 1].rstrip()}…"
