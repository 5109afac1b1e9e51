"""Places inside places: who is in a room is still in the building around it.

A place may lie `within` another of its site, that one within a third, and so on. For a place
that holds others, a scan inside it is not a scan elsewhere (rule 4 of `tracer.stays`).
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

# deeper ones, and places that lie within each other, count as lying within nothing
DEEPEST: Final = 8


@dataclass(frozen=True)
class Level:
    """Places that hold others, as deep as each other.

    `image`: place and holder, for all that lie inside one of them at any depth; `holders`.
    """

    image: pl.DataFrame
    holders: pl.Series


def levels(places: pl.DataFrame) -> list[Level]:
    """The outermost first; none if no place lies within another. Columns `frames.PLACES`."""
    pairs = places.filter(pl.col("within").is_not_null()).select("place", "within")
    if pairs.is_empty():
        return []
    within = dict(pairs.iter_rows())
    chains = {place: _chain(place, within) for place in within}
    by_depth: dict[int, list[tuple[int, int]]] = {}
    for place, chain in chains.items():
        for depth, holder in enumerate(reversed(chain)):
            by_depth.setdefault(depth, []).append((place, holder))
    return [_level(by_depth[depth]) for depth in sorted(by_depth)]


def _chain(place: int, within: dict[int, int]) -> list[int]:
    """The places around it, the innermost first; empty if that never ends."""
    chain: list[int] = []
    around = within.get(place)
    while around is not None:
        if around == place or around in chain or len(chain) == DEEPEST:
            return []
        chain.append(around)
        around = within.get(around)
    return chain


def _level(inside: list[tuple[int, int]]) -> Level:
    schema = {"place": pl.UInt32, "holder": pl.UInt32}
    image = pl.DataFrame(sorted(inside), schema=schema, orient="row")
    return Level(image, image["holder"].unique().sort())


def with_nesting(scans: pl.DataFrame, level: Level) -> pl.DataFrame:
    """`scans` (rows of `openings.read_in_order`) with `next_row` and `previous_t` anew for those
    at the level's holders: what lies inside one is passed over."""
    if not scans["place"].is_in(level.holders.implode()).any():
        return scans
    holding = pl.col("place").is_in(level.holders.implode())
    seen = (
        scans.join(level.image, on="place", how="left", maintain_order="left")
        .with_columns(image=pl.coalesce("holder", "place"))
        .with_columns(itself=pl.col("place") == pl.col("image"))
    )
    same = (pl.col("person") == pl.col("person").shift(1)) & (
        pl.col("image") == pl.col("image").shift(1)
    )
    decisive = ~same.fill_null(False) | ((pl.col("direction") == "out") & pl.col("itself"))
    # inside a holder nothing bounds a stay there but its own scans and what was before
    bounds = pl.col("itself") | (~same.fill_null(False)).shift(-1, fill_value=True)
    seen = seen.with_columns(
        following=pl.when(decisive).then("row").shift(-1).backward_fill(),
        before=pl.when(bounds).then("row").shift(1).forward_fill(),
    )
    next_row, before = _own("following"), _own("before")
    return seen.with_columns(
        next_row=pl.when(holding).then(next_row).otherwise("next_row"),
        previous_t=pl.when(holding).then(pl.col("t").gather(before)).otherwise("previous_t"),
    ).drop("holder", "image", "itself", "following", "before")


def _own(row: str) -> pl.Expr:
    """The number in this column where that row is the same person's, else null."""
    return pl.when(pl.col("person").gather(pl.col(row)) == pl.col("person")).then(row)
