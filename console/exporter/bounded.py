"""Series that a city makes, kept to a number: the first ones by name, the others as one."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

Item = TypeVar("Item")
OTHER: Final = "(other)"


def bounded(
    items: Iterable[Item], urgency: Callable[[Item], object], most: int
) -> tuple[Sequence[Item], Sequence[Item]]:
    """The `most` first by urgency, which are named, and the rest, which are not."""
    ordered = sorted(items, key=urgency)  # type: ignore[arg-type]
    return ordered[:most], ordered[most:]
