"""Each ward as the newest whole round of coverage has it, and the codes that are about to end."""

from datetime import datetime
from typing import Final, NamedTuple

from console.coverage.funnel import By
from console.coverage.names import name_of
from console.coverage.stages import STAGES as ALL_STAGES
from console.coverage.stages import Stage, Within, reached
from console.exporter.bounded import OTHER, bounded
from console.exporter.probe import Found
from schemas.clock import local_midnight
from schemas.meters import Labels
from schemas.metrics import CODES_ENDING, WARD_PLACES, WARD_QUIET_SINCE, WARD_SCANS, WARDS_QUIET
from streams.clickhouse import ClickHouse

MOST: Final = 700  # a city has some hundred; Hà Nội had 579
STAGES: Final = (Stage.REGISTERED, Stage.CODE, Stage.POSTED, Stage.SCANNED)
QUIET_S: Final = 86_400
_SOON_DAYS: Final = 7
_QUERY: Final = """
SELECT ward, {stages}, sum(scans), toUnixTimestamp(max(last_scan)), countIf(code) > 0
FROM coverage WHERE round = (SELECT max(round) FROM coverage_rounds) AND place > 0
GROUP BY ward
"""
# A ward's first day with a code, as coverage kept it: most codes say nothing of their beginning.
_BEGUN: Final = (
    "SELECT ward, min(day) FROM coverage_days WHERE places[{code:UInt8}] > 0 GROUP BY ward"
)
# A place is refused when its last code has ended; one without an end ends in 2106.
_ENDING: Final = """
SELECT count() FROM register_places FINAL
WHERE active AND notEmpty(code_to) AND arrayMax(code_to) > now()
  AND arrayMax(code_to) < now() + INTERVAL {days:UInt16} DAY
"""


class Ward(NamedTuple):
    """One ward of the round. `quiet_since` in Unix seconds, 0 where it has no code either."""

    ward: str
    places: tuple[int, ...]
    scans: int
    quiet_since: int

    def quiet(self, now: datetime) -> bool:
        """Somebody should have been scanned here, and nobody was for a day."""
        return bool(self.quiet_since) and now.timestamp() - self.quiet_since > QUIET_S


def read_wards(clickhouse: ClickHouse, within: Within) -> list[Ward]:
    """Every ward of the register. Blocking. Raises Retryable."""
    stages = reached(within)
    counted = ", ".join(f"countIf({stages[stage]})" for stage in STAGES)
    code = ALL_STAGES.index(Stage.CODE) + 1
    begun = {
        str(ward): int(local_midnight(day).timestamp())
        for ward, day in clickhouse.rows(_BEGUN, {"code": code})
    }
    return [
        Ward(
            str(ward),
            tuple(map(int, places)),
            int(scans),
            (int(last_scan) or begun.get(str(ward), 0)) if has_code else 0,
        )
        for ward, *places, scans, last_scan, has_code in clickhouse.rows(
            _QUERY.format(stages=counted)
        )
    ]


def codes_ending(clickhouse: ClickHouse) -> int:
    """Places whose posters will be refused within days. Blocking. Raises Retryable."""
    [(count,)] = clickhouse.rows(_ENDING, {"days": _SOON_DAYS})
    return int(count)


def wards_now(wards: list[Ward], now: datetime) -> Found:
    """The quiet ones first, then those of the most places, by name; the others together."""
    named, rest = bounded(wards, lambda one: (not one.quiet(now), -one.places[0]), MOST)
    places: dict[Labels, float] = {
        (*_labels(one), stage.value): float(count)
        for one in named
        for stage, count in zip(STAGES, one.places, strict=True)
    }
    scans: dict[Labels, float] = {_labels(one): float(one.scans) for one in named}
    if rest:
        totals = [sum(column) for column in zip(*(one.places for one in rest), strict=True)]
        places |= {(OTHER, OTHER, s.value): float(n) for s, n in zip(STAGES, totals, strict=True)}
        scans[OTHER, OTHER] = float(sum(one.scans for one in rest))
    return {
        WARD_PLACES: places,
        WARD_SCANS: scans,
        WARD_QUIET_SINCE: {_labels(o): float(o.quiet_since) for o in named if o.quiet_since},
        WARDS_QUIET: {(): float(sum(one.quiet(now) for one in wards))},
    }


def asked(clickhouse: ClickHouse, within: Within, now: datetime) -> Found:
    """All of it. Blocking. Raises Retryable."""
    found = wards_now(read_wards(clickhouse, within), now)
    return {**found, CODES_ENDING: {(): float(codes_ending(clickhouse))}}


def _labels(ward: Ward) -> Labels:
    return ward.ward, name_of(By.WARD, ward.ward)
