"""The funnel: how many establishments and places have reached each stage, by ward, kind, day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from console.coverage.stages import STAGES, Stage, Within
from issuer.units import EVERYWHERE, ward_codes
from schemas.clock import LOCAL
from schemas.errors import Retryable
from streams.clickhouse import ClickHouse

_TIMEOUT: Final = "SETTINGS max_execution_time = 10"
# of `coverage_days`, in the order of `line_of`
SUMS: Final = (
    "sum(required), sum(scans), sumForEach(sites), sumForEach(required_sites), sumForEach(places)"
)
_AT: Final = "fromUnixTimestamp64Milli({at:Int64}, 'UTC')"
# Each day as its last round of counting left it.
AS_LAST_COUNTED: Final = """coverage_days AS d FINAL
INNER JOIN (SELECT day, max(round) AS round FROM coverage_days GROUP BY day) AS l
    ON l.day = d.day AND l.round = d.round"""


class By(StrEnum):
    """What a funnel is split by."""

    WARD = "ward"
    KIND = "kind"
    SECTOR = "sector"
    DAY = "day"


@dataclass(frozen=True)
class Asked:
    """Which part of the register: an area of `issuer.units`, one sector, one kind."""

    area: str = EVERYWHERE
    sector: str | None = None
    kind: str | None = None

    def where(self) -> tuple[str, dict[str, Any]]:
        """A condition on the columns ward, sector and kind, and its parameters."""
        conditions, parameters = ["1"], dict[str, Any]()
        if (wards := ward_codes(self.area)) is not None:
            conditions.append("ward IN {wards:Array(String)}")
            parameters["wards"] = wards
        for name in ("sector", "kind"):
            if (value := getattr(self, name)) is not None:
                conditions.append(f"{name} = {{{name}:String}}")
                parameters[name] = value
        return " AND ".join(conditions), parameters


@dataclass(frozen=True)
class Reached:
    """How many have reached a stage: establishments of which all places have, those of them that
    are required, and places."""

    sites: int
    required: int
    places: int


@dataclass(frozen=True)
class Line:
    """A funnel of one ward, kind, sector or day; `key` holds what it was split by.

    `required`: establishments on the lists, registered or not; 0 where no list names any.
    """

    key: tuple[str, ...]
    required: int
    stages: dict[Stage, Reached]
    scans: int


@dataclass(frozen=True)
class Funnel:
    """Lines, and the round they are of."""

    at: datetime
    within: Within
    lines: list[Line]


def newest(clickhouse: ClickHouse) -> datetime:
    """The time of the newest whole round. Raises Retryable if there is none yet."""
    [(count, ms)] = clickhouse.rows(
        "SELECT count(), toUnixTimestamp64Milli(max(round)) FROM coverage_rounds"
    )
    if not count:
        raise Retryable(
            "Độ phủ chưa được tính lần nào: console đang chạy sẽ tính trong một phút. / Coverage "
            "has not been counted yet: a running console does so within a minute."
        )
    return datetime.fromtimestamp(int(ms) / 1000, UTC)


def funnel(clickhouse: ClickHouse, asked: Asked, within: Within, by: Sequence[By] = ()) -> Funnel:
    """The funnel of now, one line for each ward, kind or sector; without `by`, one in all.

    Read from what the newest round keeps for its day, which is a few rows a ward however many
    places there are. Raises Retryable.
    """
    assert By.DAY not in by, "days are those of `by_day`"
    at = newest(clickhouse)
    where, parameters = asked.where()
    # a round's lines are there, all at once, a moment before it is called whole, and may take
    # the place of those of the round before
    rows = clickhouse.rows(
        f"""
SELECT toUnixTimestamp64Milli(round), {"".join(f"{one}, " for one in by)}{SUMS}
FROM coverage_days
WHERE {where} AND day = toDate(round, '{LOCAL.key}') AND round = (
    SELECT max(round) FROM coverage_days
    WHERE day >= toDate({_AT}, '{LOCAL.key}') AND round >= {_AT}
)
GROUP BY {", ".join(["round", *by])} ORDER BY {", ".join(["round", *by])} {_TIMEOUT}
""",  # noqa: S608 (own columns; values are parameters)
        parameters | {"at": int(at.timestamp() * 1000)},
    )
    if rows:
        at = datetime.fromtimestamp(int(rows[0][0]) / 1000, UTC)
    cut = 1 + len(by)
    lines = [line_of(list(row[1:cut]), *row[cut:]) for row in rows]
    return Funnel(at, within, lines)


def by_day(clickhouse: ClickHouse, asked: Asked, within: Within, days: int) -> Funnel:
    """The funnel as it last stood on each of the last days, the oldest first. Raises Retryable."""
    at = newest(clickhouse)
    where, parameters = asked.where()
    rows = clickhouse.rows(
        f"""
SELECT [toString(day)] AS key, {SUMS}
FROM {AS_LAST_COUNTED}
WHERE day > (SELECT max(day) FROM coverage_days) - {{days:UInt16}} AND {where}
GROUP BY key ORDER BY key {_TIMEOUT}
""",  # noqa: S608 (own columns; values are parameters)
        parameters | {"days": days},
    )
    return Funnel(at, within, [line_of(*row) for row in rows])


def line_of(
    key: list[str],
    required: int,
    scans: int,
    sites: list[int],
    required_sites: list[int],
    places: list[int],
) -> Line:
    """A line from its row; the lists have a number for each stage."""
    if not places:  # nothing at all: sums over no rows are empty
        places = sites = required_sites = [0] * len(STAGES)
    stages = {
        stage: Reached(int(sites[n]), int(required_sites[n]), int(places[n]))
        for n, stage in enumerate(STAGES)
    }
    return Line(tuple(key), int(required), stages, int(scans))
