"""Codes that were waited for in vain: not waited for again until nobody has scanned them a while.

One that never comes (its place was never registered, the register was made anew) is scanned all
day; what comes later is known then, so to forget one sooner would only hold its partition up again.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

KEPT_S: Final = 60.0
MOST: Final = 10_000


class GivenUp:
    """At most `most` codes, each for `kept_s` seconds after it was last seen. For many threads."""

    def __init__(
        self,
        *,
        kept_s: float = KEPT_S,
        most: int = MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kept_s = kept_s
        self._most = most
        self._clock = clock
        self._seen: dict[str, float] = {}  # when, the longest ago first
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._seen)

    def add(self, tokens: set[str]) -> None:
        """Wait for these no more; if they are too many, for those not seen the longest again."""
        with self._lock:
            self._forget()
            self._note(tokens)
            for token in list(self._seen)[: max(0, len(self._seen) - self._most)]:
                del self._seen[token]

    def others(self, tokens: set[str]) -> set[str]:
        """Those of these codes, all of them seen now, that may be waited for."""
        if not tokens:
            return tokens
        with self._lock:
            self._forget()
            known = tokens & self._seen.keys()
            self._note(known)
        return tokens - known

    def _note(self, tokens: set[str]) -> None:
        now = self._clock()
        for token in tokens:
            self._seen.pop(token, None)
            self._seen[token] = now

    def _forget(self) -> None:
        until = self._clock() - self._kept_s
        while self._seen:
            token = next(iter(self._seen))
            if self._seen[token] > until:
                return
            del self._seen[token]
