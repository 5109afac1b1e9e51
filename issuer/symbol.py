"""The QR symbol of a code: its modules, its drawing, and the proof that the drawing reads.

ISO/IEC 18004: version 3 at level Q (29 modules) holds 47 alphanumeric characters, version 4 at
level H (33) holds 50, and version 2 at level H (25) the 20 of a card; a quiet zone of 4 modules
belongs to every symbol.
"""

import re
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import segno
import zxingcpp

QUIET_MODULES: Final = 4
_FORMS: Final = ((20, 2, "h"), (47, 3, "q"), (50, 4, "h"))  # longest text, version, level
_PIXELS: Final = 4  # a module of the bitmap that is read back
_RUN = re.compile(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z")


class UnreadableError(RuntimeError):
    """What was drawn does not read as what it should: it must not be handed out."""


@dataclass(frozen=True)
class Symbol:
    """A symbol without its quiet zone; `modules` across, `path` in SVG syntax, a module a unit."""

    text: str
    modules: int
    path: str

    @property
    def svg(self) -> str:
        """The drawing, without quiet zone: black on nothing, one path so that no seams show."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.modules}" '
            f'height="{self.modules}" viewBox="0 0 {self.modules} {self.modules}">'
            f'<path fill="#000" d="{self.path}"/></svg>'
        )


def make_symbol(text: str) -> Symbol:
    """The symbol of at most 50 alphanumeric characters, read back before it is returned.

    Raises ValueError if the text does not fit, UnreadableError if the drawing does not read.
    """
    version, level = form_of(len(text))
    made = segno.make_qr(text, version=version, error=level, mode="alphanumeric", boost_error=False)
    rows = np.array([list(row) for row in made.matrix], dtype=np.uint8)
    symbol = Symbol(text, len(rows), paths(rows[None])[0])
    prove(symbol)
    return symbol


def form_of(length: int) -> tuple[int, str]:
    """Version and level of the symbol of so many characters. Raises ValueError if none has room."""
    for longest, version, level in _FORMS:
        if length <= longest:
            return version, level
    raise ValueError(f"{length} characters do not fit the symbol: at most {_FORMS[-1][0]}")


def paths(symbols: npt.NDArray[np.uint8]) -> list[str]:
    """The drawing of each of these symbols, shape (symbols, side, side), 1 for dark.

    A rectangle for each run of dark modules of a row.
    """
    edges = np.diff(np.pad(symbols.astype(np.int8), ((0, 0), (0, 0), (1, 1))), axis=2)
    of, y, x = np.nonzero(edges)  # begin, end, begin, end, … of the runs, in reading order
    begins, widths = x[::2].tolist(), (x[1::2] - x[::2]).tolist()
    runs = [
        f"M{begin} {row}h{width}v1h-{width}z"
        for begin, row, width in zip(begins, y[::2].tolist(), widths, strict=True)
    ]
    ends = np.searchsorted(of[::2], np.arange(len(symbols) + 1)).tolist()
    return ["".join(runs[a:b]) for a, b in pairwise(ends)]


def bitmap(symbol: Symbol) -> npt.NDArray[np.uint8]:
    """What `path` draws, with its quiet zone: grey values, shape (side, side).

    Painted from the path, not from segno's modules, so that a mistake in the drawing shows.
    """
    side = symbol.modules + 2 * QUIET_MODULES
    steps = np.zeros((side, side + 1), dtype=np.int8)  # where dark begins and ends in a row
    numbers = [int(n) for n in chain.from_iterable(_RUN.findall(symbol.path))]
    x, y, width, back = np.array(numbers, dtype=np.int64).reshape(-1, 4).T
    assert (width == back).all()
    top, left = y + QUIET_MODULES, x + QUIET_MODULES
    np.add.at(steps, (top, left), 1)
    np.add.at(steps, (top, left + width), -1)
    grey = np.where(steps.cumsum(axis=1)[:, :side] > 0, 0, 255).astype(np.uint8)
    return grey.repeat(_PIXELS, axis=0).repeat(_PIXELS, axis=1)


def prove(symbol: Symbol) -> None:
    """Read the drawing with another program (zxing-cpp). Raises UnreadableError."""
    only = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    found = zxingcpp.read_barcodes(bitmap(symbol), formats=only)
    texts = [barcode.text for barcode in found]
    if texts != [symbol.text]:
        raise UnreadableError(f"the symbol of {symbol.text!r} reads as {texts}")
