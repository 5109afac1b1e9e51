"""What of a change, or of a question, is wrong by the lists that its schema does not know."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from issuer.kinds import Level, kinds, sectors
from issuer.units import ward as unit

_NULLABLE: Final = frozenset({"hours", "capacity", "usual_stay", "within", "address"})


class Wrong(NamedTuple):
    """A field, what kind of mistake it is, and the sentence in both languages."""

    field: str
    code: str
    vi: str
    en: str


def wrong_in(changes: Mapping[str, Any], not_of: Level) -> list[Wrong]:
    """What is wrong with these fields. `not_of`: the level whose kinds do not fit."""
    if not changes:
        return [Wrong("body", "nothing", "Chưa nêu gì để sửa.", "Nothing is named to change.")]
    wrong = [
        Wrong(name, "missing", "Không được bỏ trống.", "It cannot be taken away.")
        for name, value in changes.items()
        if value is None and name not in _NULLABLE
    ]
    checks: Mapping[str, Callable[[str], tuple[str, str] | None]] = {
        "kind": lambda kind: _kind(kind, not_of),
        "sector": _sector,
        "ward": _ward,
    }
    for name, check in checks.items():
        if changes.get(name) is not None and (words := check(changes[name])):
            wrong.append(Wrong(name, "unknown", *words))
    return wrong


def wrong_asked(sector: str | None, kind: str | None) -> list[Wrong]:
    """What is wrong with the sector and the kind of sites that a question names; None: any."""
    wrong = []
    if sector is not None and (words := _sector(sector)):
        wrong.append(Wrong("sector", "unknown", *words))
    if kind is not None and (words := _kind(kind, Level.PLACE)):
        wrong.append(Wrong("kind", "unknown", *words))
    return wrong


def _kind(kind: str, not_of: Level) -> tuple[str, str] | None:
    fitting = [name for name, one in kinds().items() if one.level is not not_of]
    there = ", ".join(fitting)
    return None if kind in fitting else (f"Chỉ có: {there}.", f"There are: {there}.")


def _sector(sector: str) -> tuple[str, str] | None:
    there = ", ".join(sectors())
    return None if sector in sectors() else (f"Chỉ có: {there}.", f"There are: {there}.")


def _ward(code: str) -> tuple[str, str] | None:
    try:
        unit(code)
    except ValueError:
        return "Không có xã, phường, thị trấn mang mã này.", "There is no ward with this code."
    return None
