"""The QR symbol of a code: its modules, its drawing, and the proof that the drawing reads.

ISO/IEC 18004: version 3 at level Q (29 modules) holds 47 alphanumeric characters, version 4 at
level H (33) holds 50; a quiet zone of 4 modules belongs to every symbol.
"""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import segno
import zxingcpp

QUIET_MODULES: Final = 4
_FORMS: Final = ((47, 3, "q"), (50, 4, "h"))  # longest text, version, level
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
    forms = [(version, level) for longest, version, level in _FORMS if len(text) <= longest]
    if not forms:
        raise ValueError(f"{len(text)} characters do not fit the symbol: at most {_FORMS[-1][0]}")
    version, level = forms[0]
    made = segno.make_qr(text, version=version, error=level, mode="alphanumeric", boost_error=False)
    rows = np.array([list(row) for row in made.matrix], dtype=np.uint8)
    symbol = Symbol(text, len(rows), _path(rows))
    prove(symbol)
    return symbol


def _path(rows: npt.NDArray[np.uint8]) -> str:
    runs = []
    for y, row in enumerate(rows):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], row, [0])).astype(np.int8)))
        for begin, end in edges.reshape(-1, 2).tolist():
            runs.append(f"M{begin} {y}h{end - begin}v1h-{end - begin}z")
    return "".join(runs)


def bitmap(symbol: Symbol) -> npt.NDArray[np.uint8]:
    """What `path` draws, with its quiet zone: grey values, shape (side, side).

    Painted from the path, not from segno's modules, so that a mistake in the drawing shows.
    """
    side = symbol.modules + 2 * QUIET_MODULES
    grey = np.full((side, side), 255, dtype=np.uint8)
    for x, y, width, back in (map(int, run.groups()) for run in _RUN.finditer(symbol.path)):
        assert width == back
        left, top = x + QUIET_MODULES, y + QUIET_MODULES
        grey[top, left : left + width] = 0
    return np.kron(grey, np.ones((_PIXELS, _PIXELS), dtype=np.uint8))


def prove(symbol: Symbol) -> None:
    """Read the drawing with another program (zxing-cpp). Raises UnreadableError."""
    found = zxingcpp.read_barcodes(bitmap(symbol))
    texts = [barcode.text for barcode in found]
    if texts != [symbol.text]:
        raise UnreadableError(f"the symbol of {symbol.text!r} reads as {texts}")
