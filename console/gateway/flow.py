"""How much the gateway takes in at once: what is over it is told to come back, not kept waiting."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from console.admission import Shed, Work
from console.api.errors import ApiError

MAX_BODY_BYTES: Final = 8 * 1024 * 1024
MAX_LINES: Final = 10_000
_MAX_BYTES: Final = 64 * 1024 * 1024  # of all bodies being read, judged or published
_MAX_RECORDS: Final = 50_000  # between the gateway and the broker's acknowledgement


class Flow:
    """Counts of what is under way. One event loop; no locks."""

    def __init__(self, max_bytes: int = _MAX_BYTES, max_records: int = _MAX_RECORDS) -> None:
        self._max_bytes = max_bytes
        self._max_records = max_records
        self._bytes = 0
        self._records = 0

    def take_bytes(self, count: int) -> None:
        """Raises Shed if that would be too much; give them back in the end."""
        if self._bytes + count > self._max_bytes:
            raise _busy()
        self._bytes += count

    def give_back(self, count: int) -> None:
        """These bytes are dealt with."""
        self._bytes -= count
        assert self._bytes >= 0

    @contextmanager
    def publishing(self, count: int) -> Iterator[None]:
        """While these records are on their way. Raises Shed if it would be too many."""
        if self._records + count > self._max_records:
            raise _busy()
        self._records += count
        try:
            yield
        finally:
            self._records -= count


def too_many(wait_s: int) -> ApiError:
    """429: this key's rate; nothing of the request was taken."""
    return ApiError(
        429,
        "too_many",
        f"Khoá này gửi quá nhanh; chưa nhận dòng nào, hãy gửi lại nguyên văn sau {wait_s} giây.",
        f"This key posts too fast; nothing was taken, send the same again in {wait_s} s.",
        headers={"Retry-After": str(wait_s)},
    )


def _busy() -> Shed:
    return Shed(Work.SCANS, retry_after_s=1)
