"""Many symbols at once are, module for module and mask for mask, the ones segno makes one by one."""

from typing import Any

import numpy as np
import pytest
import segno
from segno import encoder

from issuer.codes import KeyRing, issue
from issuer.symbol import bitmap, make_symbol, prove
from issuer.symbols import penalty, symbols_of

RING = KeyRing.parse("1:" + "11" * 16)
# odd and even lengths: the token begins within a pair of characters, or a character is left over
ORIGINS = [
    "HTTPS://TRUYVET.VN/C/",
    "HTTPS://QUET.HAIPHONG.GOV.VN/CC/",
    "HTTP://A/",
    "HTTPS://TRUYVET.VN/CC/",
]


def tokens(count: int) -> list[str]:
    rng = np.random.default_rng(5)
    return [issue(RING, int(p), int(p) % 1023 + 1) for p in rng.integers(1, 2**30, count)]


@pytest.mark.parametrize("origin", ORIGINS)
def test_they_are_segnos(origin: str) -> None:
    some = tokens(60)
    assert symbols_of(origin).draw(some) == [make_symbol(origin + token) for token in some]


@pytest.mark.parametrize("origin", ORIGINS[:2])
def test_the_extremes_are_segnos_too(origin: str) -> None:
    some = ["0" * 18, "Z" * 18, "01" * 9, "Z0" * 9]
    for symbol in symbols_of(origin).draw(some):
        prove(symbol)
        assert symbol == make_symbol(symbol.text)


def test_every_mask_is_chosen_now_and_then() -> None:
    """So that the comparison with segno is one of all eight."""
    origin = ORIGINS[0]
    masks = [
        segno.make_qr(origin + t, version=3, error="q", mode="alphanumeric", boost_error=False).mask
        for t in tokens(60)
    ]
    assert set(masks) == set(range(8))


def test_the_penalty_is_segnos() -> None:
    """On squares that are no symbols at all, with long runs and finders that overlap."""
    rng = np.random.default_rng(3)
    squares = [rng.integers(0, 2, (29, 29)) for _ in range(40)]
    squares += [(rng.random((29, 29)) < share).astype(int) for share in (0.05, 0.2, 0.8, 0.95)]
    pattern = np.array([int(c) for c in "10111011101000010111010001011"])
    squares += [np.tile(pattern, (29, 1)), np.tile(pattern[::-1], (29, 1)).T]
    for square in squares:
        lines = np.concatenate([square, square.T]).astype(np.uint64)
        packed = (lines << np.arange(29, dtype=np.uint64)).sum(axis=1, dtype=np.uint64)
        rows = tuple(bytearray(row.tolist()) for row in square)
        scores: Any = encoder.mask_scores
        assert penalty(packed[None])[0] == sum(scores(rows, 29, 29))


def test_nothing_makes_nothing_and_what_does_not_fit_is_said() -> None:
    assert symbols_of(ORIGINS[0]).draw([]) == []
    with pytest.raises(ValueError, match="51 characters"):
        symbols_of("H" * 33)


def test_the_bitmap_is_what_segno_draws() -> None:
    url = ORIGINS[0] + tokens(1)[0]
    made = segno.make_qr(url, version=3, error="q", mode="alphanumeric", boost_error=False)
    modules = np.array([list(row) for row in made.matrix_iter(scale=4, border=4)])
    assert ((bitmap(make_symbol(url)) == 0) == (modules == 1)).all()
