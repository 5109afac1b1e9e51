"""Places behind: those that have not reached a stage, for whoever can mend it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from console.coverage.funnel import Asked, newest
from console.coverage.stages import Stage, Within, reached
from streams.clickhouse import ClickHouse

# A poster that is scanned, or that an inspector found, hangs, whoever said so or did not.
_SEEN: Final = "({scanned} OR (inspected_good AND {inspected}))"
# What must be true before a place can be behind at a stage: of a place without a code nobody can
# say that it is not posted, and one without a poster cannot be scanned.
_BEFORE: Final[dict[Stage, tuple[Stage, ...]]] = {
    Stage.REGISTERED: (),
    Stage.CODE: (Stage.REGISTERED,),
    Stage.DUTY: (Stage.CODE,),
    Stage.PRINTED: (Stage.CODE,),
    Stage.POSTED: (Stage.CODE,),
    Stage.INSPECTED: (Stage.CODE,),
    Stage.SCANNED: (Stage.CODE,),
}


@dataclass(frozen=True)
class Behind:
    """A place that has not reached a stage. Times None: never. `since`: its first code's."""

    place: int
    site: int
    ward: str
    kind: str
    sector: str
    required: bool
    since: datetime | None
    printed: bool
    posted: bool
    inspected_at: datetime | None
    last_scan: datetime | None


def behind(
    clickhouse: ClickHouse,
    asked: Asked,
    stage: Stage,
    within: Within,
    *,
    limit: int,
    after: tuple[str, int, int] = ("", 0, 0),
) -> tuple[datetime, list[Behind]]:
    """The round's time and places behind at a stage, by (ward, site, place) after this one.

    Required establishments that are not registered have no place: see `console.store.required`.
    Raises Retryable.
    """
    at = newest(clickhouse)
    where, parameters = asked.where()
    rows = clickhouse.rows(
        f"""
SELECT place, site, ward, kind, sector, required, toUnixTimestamp(since), printed, posted,
       toUnixTimestamp(inspected_at), toUnixTimestamp(last_scan)
FROM coverage
WHERE round = fromUnixTimestamp64Milli({{round:Int64}}, 'UTC') AND site > 0 AND {where}
  AND {lacking(stage, within)}
  AND (ward, site, place) > ({{ward:String}}, {{site:UInt32}}, {{place:UInt32}})
ORDER BY ward, site, place LIMIT {{limit:UInt32}} SETTINGS max_execution_time = 10
""",  # noqa: S608 (own columns; values are parameters)
        parameters
        | {
            "round": int(at.timestamp() * 1000),
            "ward": after[0],
            "site": after[1],
            "place": after[2],
            "limit": limit,
        },
    )
    return at, [
        Behind(
            int(place), int(site), ward, kind, sector, bool(required), _moment(since),
            bool(printed), bool(posted), _moment(inspected), _moment(scan),
        )
        for place, site, ward, kind, sector, required, since, printed, posted, inspected, scan
        in rows
    ]  # fmt: skip


def lacking(stage: Stage, within: Within) -> str:
    """Whether a row of `coverage` is behind at a stage, as SQL over its columns."""
    stages = reached(within)
    conditions = [f"NOT ({stages[stage]})", *(f"({stages[s]})" for s in _BEFORE[stage])]
    if stage in (Stage.PRINTED, Stage.POSTED):
        seen = _SEEN.format(scanned=stages[Stage.SCANNED], inspected=stages[Stage.INSPECTED])
        conditions.append(f"NOT {seen}")
    return " AND ".join(conditions)


def _moment(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
