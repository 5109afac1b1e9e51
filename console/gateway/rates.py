"""How many scans a second each API key may post: a token bucket a key, told the time.

A bucket holds ten seconds of the rate. A request goes in if its scans are in the bucket. One that
is larger than a whole bucket goes in when the bucket is full and leaves it in debt, so that no
request within the gateway's limits is refused for ever and the rate holds over time.
"""

from collections import OrderedDict
from typing import Final

BURST_S: Final = 10.0
_MOST: Final = 10_000  # buckets; the one not used for longest is forgotten, and is full again


class KeyRates:
    """The buckets. One event loop; no locks. Times are seconds of one monotonic clock."""

    def __init__(self, per_s: float, most: int = _MOST) -> None:
        """`per_s` 0 is no limit."""
        self._per_s = per_s
        self._burst = per_s * BURST_S
        self._most = most
        self._buckets: OrderedDict[int, tuple[float, float]] = OrderedDict()

    def take(self, key: int, scans: int, now: float) -> float:
        """0 if these scans may go in now, all of them; else in how many seconds, and none do."""
        if not self._per_s:
            return 0.0
        held = self._held(key, now)
        needed = min(float(scans), self._burst)
        if held < needed:
            return (needed - held) / self._per_s
        self._put(key, held - scans, now)
        return 0.0

    def give_back(self, key: int, scans: int, now: float) -> None:
        """They did not go in after all, through no fault of the sender."""
        if self._per_s:
            self._put(key, min(self._burst, self._held(key, now) + scans), now)

    def _held(self, key: int, now: float) -> float:
        held, at = self._buckets.get(key, (self._burst, now))
        return min(self._burst, held + max(0.0, now - at) * self._per_s)

    def _put(self, key: int, held: float, now: float) -> None:
        self._buckets[key] = (held, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)

    def __len__(self) -> int:
        return len(self._buckets)
