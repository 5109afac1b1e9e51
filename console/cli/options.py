"""What several commands read from their options."""

from datetime import date
from enum import StrEnum
from typing import TypeVar, overload

from schemas.errors import UserError

_Choice = TypeVar("_Choice", bound=StrEnum)


def one_of(choices: type[_Choice], option: str, text: str) -> _Choice:
    """The member of that name. Raises UserError that lists them."""
    try:
        return choices(text)
    except ValueError:
        there = ", ".join(choices)
        raise UserError(
            f"{option}: không có {text!r}; có {there}. / {option}: {text!r} is not one of {there}."
        ) from None


@overload
def day_of(option: str, text: str) -> date: ...
@overload
def day_of(option: str, text: str | None) -> date | None: ...
def day_of(option: str, text: str | None) -> date | None:
    """The day written `2026-11-29`. Raises UserError."""
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise UserError(
            f"{option}: ngày viết dạng 2026-11-29. / {option}: a day is written 2026-11-29."
        ) from None
