"""Copying texts from where they lie to one behind the other."""

import numpy as np
import numpy.typing as npt

from streams.kernels.compiled import kernel

I64 = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@kernel
def copy(out: Bytes, at: int, data: Bytes, begin: int, end: int) -> int:
    """Copy some bytes; where the next one goes.

    By numbers that cannot be negative: a loop that must ask which end they count from copies a
    byte at a time.
    """
    to, first = np.uintp(at), np.uintp(begin)
    for k in range(np.uintp(end - begin)):
        out[to + k] = data[first + k]
    return at + end - begin


@kernel
def copy_texts(data: Bytes, begins: I64, lengths: I64, out: Bytes) -> None:
    """Copy the text at each of these positions, one behind the other."""
    at = 0
    for row in range(len(begins)):
        at = copy(out, at, data, begins[row], begins[row] + lengths[row])
