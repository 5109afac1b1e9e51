"""Many texts as positions in one piece of bytes, without an object for each."""

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


class Texts(Sequence[bytes | None]):
    """A sequence of bytes, some of them null. `begins` and `lengths` are of shape (n,); a null has
    the length -1."""

    __slots__ = ("begins", "data", "lengths")

    def __init__(self, data: Bytes, begins: I64, lengths: I64) -> None:
        self.data = data.view()
        self.data.flags.writeable = False  # one type for the loops, whoever made it
        self.begins = begins
        self.lengths = lengths

    @classmethod
    def of(cls, values: Sequence[bytes | None]) -> "Texts":
        """Of these values; itself if it is one already."""
        if isinstance(values, Texts):
            return values
        lengths = np.array([-1 if v is None else len(v) for v in values], dtype=np.int64)
        sizes = np.maximum(lengths, 0)
        joined = b"".join(v for v in values if v is not None)
        return cls(np.frombuffer(joined, dtype=np.uint8), np.cumsum(sizes) - sizes, lengths)

    @classmethod
    def join(cls, parts: Sequence["Texts"]) -> "Texts":
        """One after the other."""
        data = parts[0].data if len(parts) == 1 else np.concatenate([part.data for part in parts])
        return cls.within(data, parts)

    @classmethod
    def within(cls, data: Bytes, parts: Sequence["Texts"]) -> "Texts":
        """One after the other, in bytes that are those of all parts, one after the other."""
        sizes = np.array([len(part.data) for part in parts], dtype=np.int64)
        moved = [part.begins + at for part, at in zip(parts, np.cumsum(sizes) - sizes, strict=True)]
        return cls(data, np.concatenate(moved), np.concatenate([part.lengths for part in parts]))

    def __len__(self) -> int:
        return len(self.begins)

    @overload
    def __getitem__(self, at: int) -> bytes | None: ...
    @overload
    def __getitem__(self, at: slice) -> "Texts": ...
    def __getitem__(self, at: int | slice) -> "bytes | Texts | None":
        if isinstance(at, slice):
            return Texts(self.data, self.begins[at], self.lengths[at])
        begin, length = int(self.begins[at]), int(self.lengths[at])
        return None if length < 0 else self.data[begin : begin + length].tobytes()

    def at(self, rows: I64) -> Iterator[bytes | None]:
        """These, one after the other."""
        view = memoryview(self.data)
        begins, lengths = self.begins[rows].tolist(), self.lengths[rows].tolist()
        for begin, length in zip(begins, lengths, strict=True):
            yield None if length < 0 else view[begin : begin + length].tobytes()

    def __iter__(self) -> Iterator[bytes | None]:
        whole = self.data.tobytes()
        for begin, length in zip(self.begins.tolist(), self.lengths.tolist(), strict=True):
            yield None if length < 0 else whole[begin : begin + length]
