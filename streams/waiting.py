"""What waits in a line, in order, counted in records and in bytes.

Records bound what judging and writing cost, bytes what waiting does: a scan is some 200 bytes, a
refused record as many as its topic lets in.
"""

from collections import deque
from typing import Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")

# Read and judged at once: some four times what a piece of scans has. glibc keeps freed arrays of
# less than 32 MiB (`streams.memory`); those of larger pieces the kernel would zero page by page.
PIECE_BYTES: Final = 16 << 20
# Written at once: 25,000 records of 4 kB. An insert of a quarter of them costs the engine twice as
# much a record, and all that a full batch of scans may count would be a gigabyte.
BATCH_BYTES: Final = 96 << 20


class Size(NamedTuple):
    """How much something is, or may be."""

    records: int
    bytes: int


class Waiting(Generic[T]):
    """First in, first out; each with its size and the moment it is due (monotonic seconds)."""

    def __init__(self) -> None:
        self._items: deque[tuple[float, Size, T]] = deque()
        self.records = 0
        self.bytes = 0

    def __bool__(self) -> bool:
        return bool(self._items)

    def add(self, due: float, size: Size, item: T) -> None:
        """Behind all others."""
        self._items.append((due, size, item))
        self.records += size.records
        self.bytes += size.bytes

    @property
    def first(self) -> T:
        """What came first. There must be one."""
        return self._items[0][2]

    @property
    def due(self) -> float:
        """When the first of them is due. There must be one."""
        return min(due for due, _, _ in self._items)

    def fills(self, most: Size) -> bool:
        """Whether it is as much as that."""
        return self.records >= most.records or self.bytes >= most.bytes

    def take(self, most: Size) -> tuple[float, list[T]]:
        """The first ones, as many as fit but at least one, and when the first of them is due."""
        dues: list[float] = []
        taken: list[T] = []
        records = size = 0
        while self._items:
            due, more, item = self._items[0]
            if taken and (records + more.records > most.records or size + more.bytes > most.bytes):
                break
            self._items.popleft()
            dues.append(due)
            taken.append(item)
            records, size = records + more.records, size + more.bytes
        self.records -= records
        self.bytes -= size
        return min(dues), taken

    def clear(self) -> None:
        """Leave all of it."""
        self._items.clear()
        self.records = self.bytes = 0
