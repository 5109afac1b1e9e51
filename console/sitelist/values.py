"""What is written in a cell: hours, numbers, kinds and wards as officers write them.

Each raises `Unclear` with the reason in both languages.
"""

import re
import tomllib
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from console.sitelist.plain import holds, plain
from issuer.kinds import Level, kinds
from issuer.units import Ward
from schemas.places import Hours

_TIME: Final = re.compile(r"(?<!\d)([01]?\d|2[0-4])(?:\s*(?:giờ|gio|[:hHgG.])\s*([0-5]\d)?)?(?!\d)")
# around the clock: as written with a stroke, which `plain` takes away; in words; and by words that
# say so only where no time is written beside them
_ALWAYS: Final = re.compile(r"(?<!\d)24\s*(?:h|g|giờ|gio)?\s*[/x×]\s*(?:24|7)(?!\d)", re.IGNORECASE)
_NIGHT_TOO: Final = re.compile(r"\b(?:(?:ca|suot) ngay|ngay) (?:va |lan )?dem\b")
_ALL_DAY: Final = re.compile(
    r"(?:mo (?:cua )?)?(?:(?:ca|suot) ngay|24 ?(?:h|gio|tieng)(?: (?:(?:mot|moi|1|tren) )?ngay)?)"
)
_NUMBER: Final = re.compile(r"\d[\d.,\s]*")
_DAY_MINUTES: Final = 24 * 60
_CODE: Final = re.compile(r"\d{3,5}")
_WHOLE_CODE: Final = 5  # digits, or `25-` and as many
_SHORT: Final = 5
_TYPES: Final = ("phuong", "xa", "thi tran", "p", "x", "tt")
_TITLE: Final = re.compile(r"\b(?:phuong|xa|thi tran) (.+)")
_IN_ADDRESS: Final = re.compile(
    r"(?:^|[,;\-–]|\s)(?:phường|xã|thị trấn|phuong|xa|thi tran|p\.|x\.|tt\.)\s*([^,;]+)", re.I
)
# as `small`, `capacity` and `area_m2` have them
MOST_PEOPLE: Final = 1_000_000
MOST_M2: Final = 10_000_000.0


class Unclear(ValueError):
    """What a cell says cannot be used; `vi` and `en` say why."""

    def __init__(self, vi: str, en: str) -> None:
        super().__init__(en)
        self.vi, self.en = vi, en


@lru_cache(maxsize=4_096)  # a list says the same few a million times
def hours_of(text: str) -> Hours | None:
    """The first opening and the last closing: `7h30 - 11h30; 13h30 - 17h` is 07:30 to 17:00.

    None where nothing is written. Around the clock (`24/7`, `cả ngày`) opens and closes at
    midnight.
    """
    words = plain(text)
    if not words:
        return None
    if _ALWAYS.search(text) or _NIGHT_TOO.search(words) or _ALL_DAY.fullmatch(words):
        return Hours(opens="00:00", closes="00:00")
    times = [(int(h), int(m or 0)) for h, m in _TIME.findall(text)]
    if len(times) < 2 or len(times) % 2:
        raise Unclear(
            f"giờ mở cửa không rõ: {text!r}; viết như 7h30 - 22h",
            f"hours are not clear: {text!r}; write 7:30 - 22:00",
        )
    return Hours(opens=_clock(*times[0], text), closes=_clock(*times[-1], text))


def clock(text: str) -> str:
    """A cell of a workbook that holds a time as a part of a day (0.3125), as a time (07:30)."""
    if not re.fullmatch(r"0?[.,]\d+|[01]", text):
        return text
    minutes = round(float(text.replace(",", ".")) * _DAY_MINUTES)
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def _clock(hour: int, minute: int, text: str) -> str:
    total = hour * 60 + minute
    if total > _DAY_MINUTES:
        raise Unclear(f"giờ không có: {text!r}", f"there is no such time: {text!r}")
    return f"{total // 60 % 24:02}:{minute:02}"


def number_of(text: str, most: float) -> float | None:
    """A number as Vietnamese write it: `1.200` and `1 200` are 1200, `120,5` is 120.5.

    None where nothing is written. Words around it (`khoảng 200 người`) are passed over.
    """
    if not plain(text):
        return None
    found = [
        match.strip(" .,") for match in _NUMBER.findall(text.replace("m2", "").replace("m²", ""))
    ]
    if len(found) != 1:
        raise Unclear(f"không phải một số: {text!r}", f"not one number: {text!r}")
    digits = found[0].replace(" ", "").replace("\u00a0", "")
    if re.fullmatch(r"\d{1,3}([.,]\d{3})+", digits):
        digits = re.sub(r"[.,]", "", digits)
    try:
        value = float(digits.replace(",", "."))
    except ValueError:
        raise Unclear(f"không phải một số: {text!r}", f"not a number: {text!r}") from None
    if not 0 < value <= most:
        raise Unclear(f"ngoài khoảng cho phép: {text!r}", f"out of range: {text!r}")
    return value


@lru_cache(maxsize=65_536)
def kind_of(text: str, levels: frozenset[Level], *, name: bool = False) -> str | None:
    """The kind whose longest phrase a text holds, of these levels; or None.

    In a `name` one short word decides only where it begins it: `Phở Thìn` sells phở, but
    `Tổ dân phố 3`, which is the same word without its accents, does not.
    """
    words = plain(text)
    best, longest = None, 0
    if words:
        for phrase, kind, level in _kinds():
            if len(phrase) <= longest or level not in levels or not holds(words, phrase):
                continue
            if (
                not name
                or " " in phrase
                or len(phrase) > _SHORT
                or f"{words} ".startswith(f"{phrase} ")
            ):
                best, longest = kind, len(phrase)
    return best


@cache
def _kinds() -> Sequence[tuple[str, str, Level]]:
    text = (files("console.sitelist") / "data" / "kinds.toml").read_text("utf-8")
    known = kinds()
    found = [
        (phrase, kind, known[kind].level)
        for kind, phrases in tomllib.loads(text).items()
        for phrase in phrases
    ]
    for kind, about in known.items():
        named = [plain(part) for part in about.name.vi.split(",")]
        found += [(name, kind, about.level) for name in [*named, plain(about.name.en), plain(kind)]]
    return found


class Wards:
    """The wards of an area by code and by name, whatever the accents."""

    def __init__(self, wards: Sequence[Ward]) -> None:
        self._by_code = {ward.code: ward for ward in wards}
        self._by_name: dict[str, list[Ward]] = {}
        for ward in wards:
            self._by_name.setdefault(_bare(plain(ward.name)), []).append(ward)

    def titled(self, text: str) -> Ward | None:
        """The ward that a section's title names, as in `II. PHƯỜNG ĐẰNG LÂM (12 cơ sở)`."""
        for match in _TITLE.finditer(plain(text)):
            words = match[1].split()
            for end in range(len(words), 0, -1):
                found = self._by_name.get(_bare(" ".join(words[:end])), [])
                if len(found) == 1:
                    return found[0]
        return None

    def of(self, text: str, district: str, address: str) -> Ward:
        """By its code or name; by the address where no ward is written. Raises Unclear."""
        if not plain(text):
            named = [_bare(plain(name)) for name in _IN_ADDRESS.findall(address)]
            text = next((name for name in named if name in self._by_name), "")
            if not text:
                raise Unclear("không ghi phường, xã", "no ward is written")
        if text in self._by_code and len(text) >= _WHOLE_CODE:
            return self._by_code[text]  # before names: 00007 is not Phường 7
        found = self._by_name.get(_bare(plain(text)), [])
        if not found and _CODE.fullmatch(text) and text.zfill(5) in self._by_code:
            return self._by_code[text.zfill(5)]  # a spreadsheet takes 00301 for a number
        if len(found) > 1:
            of = plain(district) or plain(address)
            found = [w for w in found if holds(of, _bare_district(w.district_name))] or found
        if not found:
            raise Unclear(
                f"không có phường, xã {text!r} trong địa bàn", f"no ward {text!r} in the area"
            )
        if len(found) > 1:
            where = ", ".join(f"{w.name} ({w.district_name}): {w.code}" for w in found[:5])
            raise Unclear(f"nhiều phường, xã tên {text!r}: {where}", f"several wards: {where}")
        return found[0]


def _bare(words: str) -> str:
    """Without its type: `phuong dang lam` and `p dang lam` are `dang lam`; `phuong 05` is `5`."""
    for kind in _TYPES:
        if words.startswith(f"{kind} ") and words != kind:
            words = words[len(kind) + 1 :]
            break
    return words.lstrip("0") if words.isdigit() else words


def _bare_district(name: str) -> str:
    words = plain(name)
    for kind in ("quan", "huyen", "thi xa", "thanh pho"):
        if words.startswith(f"{kind} "):
            return words[len(kind) + 1 :]
    return words
