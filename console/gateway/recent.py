"""Scans this process published a short while ago: `pending` until the worker has written them."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

_MOST: Final = 100_000

Key = tuple[str, str]  # person, event id in lower case


class Recent:
    """The newest acknowledged scans and who sent each; a bound, not a promise."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._producers: OrderedDict[Key, set[str]] = OrderedDict()

    def add(self, producer: str, keys: Iterable[Key]) -> None:
        """The broker has these of this producer."""
        for person, event_id in keys:
            key = (person, event_id.lower())
            self._producers.setdefault(key, set()).add(producer)
            self._producers.move_to_end(key)
        while len(self._producers) > self._most:
            self._producers.popitem(last=False)

    def has(self, person: str, event_id: str, producer: str | None) -> bool:
        """Whether this producer (None: anyone) sent it not long ago."""
        producers = self._producers.get((person, event_id.lower()))
        return producers is not None and (producer is None or producer in producers)
