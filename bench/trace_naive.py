"""The question of a trace as one statement of SQL in ClickHouse, over the same table `scans`.

Stays are a person's scan in and the scan out that follows it there, and the case's are joined with
everybody's at the same place: what one writes first. It reads the whole window.
"""

from typing import Any, Final

import numpy as np

from bench.peers.answers import LONGEST_MS, Rows, rows_of
from streams.clickhouse import ClickHouse

_MS: Final = "toUnixTimestamp64Milli"
_SETTINGS: Final[dict[str, Any]] = {
    "max_execution_time": 900,
    # the engine's memory is bounded; it may sort and join on disk
    "max_bytes_before_external_sort": 800_000_000,
    "max_bytes_before_external_group_by": 800_000_000,
}


def sql(person: int, begin: int, end: int) -> str:
    """The statement for one case; times in milliseconds since 1970 UTC."""
    return f"""
WITH stays AS (
    SELECT person, place, start, stop FROM (
        SELECT person, place, direction, {_MS}(scanned_at) AS start,
               leadInFrame({_MS}(scanned_at)) OVER w AS stop,
               leadInFrame(place) OVER w AS next_place,
               leadInFrame(direction) OVER w AS next_direction
        FROM scans
        WHERE scanned_at >= fromUnixTimestamp64Milli({begin - LONGEST_MS}, 'UTC')
          AND scanned_at <= fromUnixTimestamp64Milli({end + LONGEST_MS}, 'UTC')
        WINDOW w AS (PARTITION BY person ORDER BY scanned_at
                     ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)
    )
    WHERE direction = 'in' AND next_direction = 'out' AND next_place = place
      AND stop - start <= {LONGEST_MS}
)
SELECT o.person AS person, o.place AS place,
       greatest(c.start, o.start, {begin}) AS begins, least(c.stop, o.stop, {end}) AS ends
FROM stays AS o INNER JOIN (SELECT * FROM stays WHERE person = {person}) AS c ON o.place = c.place
WHERE o.person != {person} AND begins < ends
"""  # noqa: S608 (our own numbers)


def answer(clickhouse: ClickHouse, person: int, begin: int, end: int) -> Rows:
    """The overlaps of one case. Raises Retryable."""
    table = clickhouse.query_arrow(sql(person, begin, end), None, _SETTINGS)
    columns = (np.asarray(table.column(name).to_numpy()) for name in table.column_names)
    return rows_of(*columns)
