"""How many contacts of a list's CSV have come, counted as its pieces do."""


class RowCount:
    """Rows below the header whose texts are quoted, up to the end line, which begins with `#`."""

    def __init__(self) -> None:
        self._ends = 0
        self._quoted = False
        self._over = False

    @property
    def rows(self) -> int:
        """That have come whole."""
        return max(0, self._ends - 1)

    def take(self, piece: bytes) -> None:
        """The next piece, wherever it was cut: a line break between quotes is of a text."""
        for at, part in enumerate(piece.split(b'"')):
            if at:
                self._quoted = not self._quoted
            if not self._quoted and not self._over:
                before, mark, _ = part.partition(b"#")
                self._ends += before.count(b"\n")
                self._over = bool(mark)
