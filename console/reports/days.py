"""The funnel of one local day and of the day before it, as each last stood: it outlives scans."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from console.coverage.funnel import AS_LAST_COUNTED, SUMS, Asked, By, Line, line_of
from schemas.errors import UserError
from streams.clickhouse import ClickHouse


@dataclass(frozen=True)
class Days:
    """Lines of a day by key, those of the day before (empty if it was not counted), and when the
    day was last counted."""

    at: datetime
    lines: dict[str, Line]
    before: dict[str, Line]


def two_days(clickhouse: ClickHouse, asked: Asked, day: date, by: By | None) -> Days:
    """Split by a ward or a kind, or (None) whole under the key ``. Raises UserError if the day was
    not counted, Retryable."""
    assert by is not By.DAY, "it is one day"
    before = day - timedelta(days=1)
    where, parameters = asked.where()
    key = f"toString({by})" if by else "''"
    rows = clickhouse.rows(
        f"""
SELECT toString(d.day) AS on_day, {key} AS name, toUnixTimestamp64Milli(max(d.round)), {SUMS}
FROM {AS_LAST_COUNTED}
WHERE toString(d.day) IN {{days:Array(String)}} AND {where}
GROUP BY on_day, name ORDER BY on_day, name SETTINGS max_execution_time = 10
""",  # noqa: S608 (own columns; values are parameters)
        parameters | {"days": [day.isoformat(), before.isoformat()]},
    )
    today = [row for row in rows if row[0] == day.isoformat()]
    if not today:
        raise UserError(
            f"date: ngày {day:%d/%m/%Y} không có số liệu của địa bàn này. / "
            f"date: nothing was counted of this area on {day:%d/%m/%Y}."
        )
    return Days(
        datetime.fromtimestamp(max(int(row[2]) for row in today) / 1000, UTC),
        _lines(today),
        _lines([row for row in rows if row[0] == before.isoformat()]),
    )


def _lines(rows: Sequence[tuple[object, ...]]) -> dict[str, Line]:
    return {str(name): line_of([str(name)], *rest) for _, name, _, *rest in rows}  # type: ignore[arg-type]
