"""The words of reminders and of what urges people to scan: data files, checked when loaded.

A text is written once for each channel and holds what each reason says; nothing here is sent.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from issuer.units import Ward, ward

Lang = Literal["vi", "en"]


class Reason(StrEnum):
    """What a place is reminded of: a stage of coverage that it can reach by itself.

    Not of a code (whoever registers a place issues it) nor of an inspection (the ward's own work).
    """

    REGISTERED = "registered"
    DUTY = "duty"
    PRINTED = "printed"
    POSTED = "posted"
    SCANNED = "scanned"


class Channel(StrEnum):
    """How it reaches the place. The program itself sends to a webhook only."""

    ZALO = "zalo"
    LOUDSPEAKER = "loudspeaker"
    EMAIL = "email"
    WEBHOOK = "webhook"


class TextError(ValueError):
    """A file of texts is wrong; the sentence names the file and the field."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Words = Annotated[str, Field(min_length=1)]


class Said(_Strict):
    """What a reason says in one language."""

    missing: Words
    todo: Words
    topic: Words
    public: Words


class Frame(_Strict):
    """A channel's text in one language, with braces for what is filled in."""

    channel: Channel
    title: Words | None = None
    body: Words


class _File(_Strict):
    reasons: dict[Reason, dict[Lang, Said]]
    texts: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")], dict[Lang, Frame]]


@dataclass(frozen=True)
class Texts:
    """All of them: reasons and frames by language."""

    reasons: Mapping[Reason, Mapping[Lang, Said]]
    frames: Mapping[str, Mapping[Lang, Frame]]

    def of(self, channel: Channel) -> list[str]:
        """Ids of a channel's texts; the first is taken where none is named."""
        return [name for name, by in self.frames.items() if by["vi"].channel is channel]


_LANGS: Final[tuple[Lang, ...]] = ("vi", "en")
_OF_REASON: Final = frozenset({"authority", "days"})
_FILLED: Final = frozenset({"authority", "site", "where", "ward", "by", "as_of", "days"})
_OF_FRAME: Final = _FILLED | {"missing", "todo", "topic", "public"}
_NAMES_NOBODY: Final = frozenset({"authority", "ward", "by", "public"})
# Never about a case, never a threat: DESIGN 8, and what the order leaves to who decides.
_FORBIDDEN: Final = re.compile(
    r"\b(f[0-3]|ca bệnh|ca nhiễm|nhiễm|dương tính|mắc|tiếp xúc|cách ly|phong toả|phong tỏa|xử phạt"
    r"|phạt|xử lý|chế tài|đình chỉ|kỷ luật|cưỡng chế|vi phạm|cases?|infect\w*|positive|contacts?"
    r"|quarantine\w*|lockdown|fined?|fines|penalt\w*|punish\w*|sanction\w*|violat\w*)\b",
    re.IGNORECASE,
)
URGING: Final = ("loudspeaker", "zalo", "poster")
_URGING: Final = TypeAdapter(dict[Literal["loudspeaker", "zalo", "poster"], dict[Lang, Words]])
_ALOUD: Final = (90, 180)


def parse_texts(text: str, file: str) -> Texts:
    """The reminders' texts. Raises TextError that names every wrong field."""
    try:
        raw = _File.model_validate(tomllib.loads(text))
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise TextError(f"{file}: {_wrong(error)}") from None
    found = Texts(raw.reasons, raw.texts)
    if problems := [*_problems(found)]:
        raise TextError(f"{file}: {'; '.join(problems)}")
    return found


def _problems(texts: Texts) -> Iterator[str]:
    for reason in Reason:
        said = texts.reasons.get(reason, {})
        for lang in _LANGS:
            if lang not in said:
                yield f"reasons.{reason}.{lang}: missing"
                continue
            for name, words in said[lang]:
                yield from _check(f"reasons.{reason}.{lang}.{name}", words, _OF_REASON)
    for name, frames in texts.frames.items():
        if set(frames) != set(_LANGS) or len({frame.channel for frame in frames.values()}) > 1:
            yield f"texts.{name}: needs vi and en of one channel"
            continue
        for lang, frame in frames.items():
            public = frame.channel is Channel.LOUDSPEAKER
            allowed = _NAMES_NOBODY if public else _OF_FRAME
            yield from _check(f"texts.{name}.{lang}.body", frame.body, allowed)
            yield from _check(f"texts.{name}.{lang}.title", frame.title or "-", {"topic"})
    for channel in Channel:
        if not any(f["vi"].channel is channel for f in texts.frames.values() if "vi" in f):
            yield f"texts: none for {channel}"


def _check(where: str, words: str, allowed: frozenset[str] | set[str]) -> Iterator[str]:
    try:
        used = {name for _, name, _, _ in Formatter().parse(words) if name is not None}
    except ValueError as error:
        yield f"{where}: {error}"
        return
    if stray := used - allowed:
        yield f"{where}: cannot be filled in: {', '.join(sorted(stray))}"
    if found := _FORBIDDEN.search(words):
        yield f"{where}: {found[0]!r} is of a case or a threat"


def parse_urging(text: str, file: str) -> dict[str, dict[Lang, str]]:
    """The urging texts by channel and language. Raises TextError."""
    try:
        raw = _URGING.validate_python(tomllib.loads(text))
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise TextError(f"{file}: {_wrong(error)}") from None
    problems = [f"{name}: needs vi and en" for name, by in raw.items() if set(by) != set(_LANGS)]
    for name, by in raw.items():
        for lang, words in by.items():
            problems += _check(f"{name}.{lang}", words, {"authority", "ward"})
    least, most = _ALOUD
    for lang, words in raw.get("loudspeaker", {}).items():
        if not least <= len(words.split()) <= most:
            problems.append(f"loudspeaker.{lang}: {least} to {most} words are read in 30 to 60 s")
    if set(raw) != set(URGING) or problems:
        raise TextError(f"{file}: {'; '.join(problems) or 'a channel is missing'}")
    return {name: dict(by) for name, by in raw.items()}


def _wrong(error: ValidationError | tomllib.TOMLDecodeError) -> str:
    if isinstance(error, tomllib.TOMLDecodeError):
        return f"not TOML: {error}"
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())


@cache
def texts() -> Texts:
    """The texts that ship with the program."""
    file = files("console.reminders") / "data" / "reminders.toml"
    return parse_texts(file.read_text("utf-8"), file.name)


@cache
def _urging() -> dict[str, dict[Lang, str]]:
    file = files("console.reminders") / "data" / "urging.toml"
    return parse_urging(file.read_text("utf-8"), file.name)


def written(
    text: str, reason: Reason, lang: Lang, filled: Mapping[str, str]
) -> tuple[str | None, str]:
    """Title, if the channel has one, and text, everything filled in: `_FILLED`."""
    frame, said = texts().frames[text][lang], texts().reasons[reason][lang]
    parts: dict[str, str] = {name: words.format(**filled) for name, words in said}
    title = frame.title.format(**parts) if frame.title else None
    return title, frame.body.format(**filled, **parts).strip()


def urging(channel: str, ward_code: str, lang: Lang) -> str:
    """What a ward says to urge people to scan. Raises ValueError for a ward that is not there."""
    unit = ward(ward_code)
    filled = {"authority": authority(unit, lang), "ward": named(unit.name, lang)}
    return _urging()[channel][lang].format(**filled).strip()


def authority(unit: Ward, lang: Lang) -> str:
    """Who asks: the people's committee of the ward (of a district without wards, its own)."""
    if lang == "en":
        return f"People's Committee of {unit.name}"
    return f"UBND {named(unit.name, lang)}"


def named(name: str, lang: Lang) -> str:
    """A unit inside a sentence: `phường Đằng Lâm`."""
    return name[:1].lower() + name[1:] if lang == "vi" else name


def where(names: list[str], lang: Lang, most: int = 5) -> str:
    """`: Cổng chính, Phòng họp 2 và 3 điểm khác`; nothing without names."""
    if not names:
        return ""
    more = len(names) - most
    listed = ", ".join(names[:most])
    if more > 0:
        listed += f" và {more} điểm khác" if lang == "vi" else f" and {more} more"
    return f": {listed}"
