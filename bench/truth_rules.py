"""How long others take a scan for presence: the baselines of `truyvet bench truth`.

Each is the rule of a system, or a fixed length, applied to the same scans. What it says of the
end of a stay is all that differs: from there on the exposures are the tracer's own.

Where a rule can be read in two ways, the one that does better here was taken: with SwissCovid
and luca a next scan elsewhere also ends a stay, as if the app had asked to leave the first
place. `out_or_2h` and `out_or_15min` are nobody's, and stronger than the fixed lengths: the scan
out where there is one, else a next scan elsewhere, at most so long after the scan in.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from tracer.frames import TIME
from tracer.parameters import ENDS, STARTS
from tracer.stays import STAYS

_HOUR: Final = 3_600_000
_DAY: Final = 24 * _HOUR
_QUARTER: Final = _HOUR // 4
_LONGEST: Final = 16 * _HOUR  # a scan out later than this was of another visit
_SINCE: Final = 1_600_000_000_000  # ms, before any scan of a simulated city
_SPAN: Final = 400 * _DAY  # more than all of them take
_LOCAL: Final = 7 * _HOUR  # Asia/Ho_Chi_Minh

# By name, in the order of the tables: what a row says of itself.
BASELINES: Final[Mapping[str, tuple[str, str]]] = {
    "nhs": ("NHS: đến lượt quét sau hoặc nửa đêm", "NHS: until the next scan or midnight"),
    "swisscovid": (
        "SwissCovid: đến lượt quét ra hoặc nơi khác, tối đa 12 giờ",
        "SwissCovid: until scanned out or elsewhere, at most 12 hours",
    ),
    "luca": (
        "luca: đến lượt quét ra hoặc nơi khác, tối đa 24 giờ",
        "luca: until scanned out or elsewhere, at most 24 hours",
    ),
    "fixed_2h": ("Luôn 2 giờ", "Always two hours"),
    "around_15min": ("15 phút trước và sau mỗi lượt", "Fifteen minutes either side of a scan"),
    "out_or_2h": (
        "Lượt quét ra; không có: nơi khác, tối đa 2 giờ",
        "The scan out; without one elsewhere, at most two hours",
    ),
    "out_or_15min": (
        "Lượt quét ra; không có: nơi khác, tối đa 15 phút",
        "The scan out; without one elsewhere, at most fifteen minutes",
    ),
}


def stays_by_rule(scans: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Stays by each baseline's rule, in the shape `tracer.stays.STAYS`.

    `scans`: shape `tracer.frames.SCANS`. Intervals of one person and place that overlap or
    touch are one stay. Confidence is 1: none of these systems has one.
    """
    read = _read(scans)
    return {name: _stays(name, read) for name in BASELINES}


def _stays(name: str, read: pl.DataFrame) -> pl.DataFrame:
    entries = read.filter(pl.col("direction") != "out")
    if name == "around_15min":
        entries = read.with_columns(start=pl.col("t") - _QUARTER, end=pl.col("t") + _QUARTER)
    else:
        entries = entries.with_columns(start="t", end=_ENDS[name])
    return _as_stays(_joined(entries.select("person", "place", "start", "end")))


def _read(scans: pl.DataFrame) -> pl.DataFrame:
    """Scans by person and time, with the next one (`next_t`), and the next that ends a stay.

    `decisive_t`: the first later scan that is elsewhere or an `out`; `out_t` if it is an `out`
    here.
    """
    read = scans.select("person", "place", "direction", t=pl.col("scanned_at").dt.timestamp("ms"))
    read = read.sort("person", "t", "direction", "place")  # DIRECTIONS puts `out` first
    here = (pl.col("place") == pl.col("place").shift(1).over("person")).fill_null(False)
    decisive = ~here | (pl.col("direction") == "out")

    def following(column: str) -> pl.Expr:
        return pl.when(decisive).then(column).shift(-1).backward_fill().over("person")

    out_here = (following("place") == pl.col("place")) & (following("direction") == "out")
    return read.with_columns(
        next_t=pl.col("t").shift(-1).over("person"),
        decisive_t=following("t"),
        out_t=pl.when(out_here).then(following("t")),
    )


def _at_most(end: str, limit: int) -> pl.Expr:
    return pl.min_horizontal(end, pl.col("t") + limit)


_MIDNIGHT: Final = ((pl.col("t") + _LOCAL) // _DAY + 1) * _DAY - _LOCAL
_OUT: Final = pl.when(pl.col("out_t") - pl.col("t") <= _LONGEST).then("out_t")
_ENDS: Final[Mapping[str, pl.Expr]] = {
    "nhs": pl.min_horizontal("next_t", _MIDNIGHT),
    "swisscovid": _at_most("decisive_t", 12 * _HOUR),
    "luca": _at_most("decisive_t", 24 * _HOUR),
    "fixed_2h": pl.col("t") + 2 * _HOUR,
    "out_or_2h": pl.coalesce(_OUT, _at_most("decisive_t", 2 * _HOUR)),
    "out_or_15min": pl.coalesce(_OUT, _at_most("decisive_t", _QUARTER)),
}


def _joined(intervals: pl.DataFrame) -> pl.DataFrame:
    ordered = intervals.filter(pl.col("start") < pl.col("end")).sort("person", "place", "start")
    # a running maximum within groups: each group is lifted above the one before
    group = ordered.select(pl.struct("person", "place").rle_id())["person"]
    lift = group.cast(pl.Int64) * _SPAN
    lifted = ordered.select(
        start=pl.col("start") - _SINCE + lift, end=pl.col("end") - _SINCE + lift
    )
    begins = lifted.select((pl.col("start") > pl.col("end").cum_max().shift(1)).fill_null(True))
    stay = begins.to_series().cum_sum()
    return (
        ordered.with_columns(stay=stay)
        .group_by("stay", maintain_order=True)
        .agg(pl.col("person", "place", "start").first(), pl.col("end").max())
    )


def _as_stays(intervals: pl.DataFrame) -> pl.DataFrame:
    empty = {c: None for c in STAYS if c.startswith(("opening_", "closing_"))}
    return intervals.select(
        "person",
        "place",
        pl.col("start").cast(TIME),
        pl.col("end").cast(TIME),
        start_provenance=pl.lit(STARTS[0]),
        end_provenance=pl.lit(ENDS[-1]),
        confidence=pl.lit(1.0),
        **{c: pl.lit(v) for c, v in empty.items()},
    ).cast(pl.Schema(STAYS))
