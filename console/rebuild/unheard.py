"""Scans that a rebuild writes and no running worker has heard of.

What a worker knows of its partitions are the ids that were in `scans` when it took them over, and
those that came since. One that was refused or lost, and is a row of the rebuilt table, it would
take for new when it is sent again: two rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from console.rebuild.differences import Row
from streams.clickhouse import ClickHouse

_AT_ONCE: Final = 5_000  # offsets in a question, which has them twice: some 130 KB
_TIMEOUT: Final = {"max_execution_time": 3_600}
# with these the same id is in `scans` of before, or was when it was judged
_HEARD: Final = frozenset({"written", "duplicate", "id_reused"})


def stale(rows: Sequence[Row]) -> bool:
    """Whether some were scans and are refused now: a worker still takes their repeats for such."""
    gone = _HEARD | {"expired", "erased"}
    return any(was == "written" and now not in gone for _, _, was, now in rows)


def unheard(
    clickhouse: ClickHouse, old: str, new: str, ends: Mapping[int, int], rows: Sequence[Row]
) -> bool:
    """Whether any of these differences is such a scan; `old` and `new` are databases.

    Only what the old table has of the same partition before its end counts as heard of: what came
    later was not read again, and is copied as it is. Raises Retryable.
    """
    added = [(p, o) for p, o, was, now in rows if now == "written" and was not in _HEARD]
    for partition, some in _pieces(added):
        those = f"kafka_partition = {partition} AND kafka_offset IN ({','.join(map(str, some))})"
        [(count,)] = clickhouse.query_rows(
            f"SELECT count() FROM {new}.scans WHERE {those} AND (person, event_id) NOT IN ("  # noqa: S608
            f"SELECT person, event_id FROM {old}.scans WHERE kafka_partition = {partition} "
            f"AND kafka_offset < {ends.get(partition, 0)} "
            f"AND person IN (SELECT person FROM {new}.scans WHERE {those}))",
            {},
            _TIMEOUT,
        )
        if count:
            return True
    return False


def _pieces(added: Sequence[tuple[int, int]]) -> Iterator[tuple[int, list[int]]]:
    for partition, group in groupby(sorted(added), key=lambda row: row[0]):
        offsets = [offset for _, offset in group]
        for begin in range(0, len(offsets), _AT_ONCE):
            yield partition, offsets[begin : begin + _AT_ONCE]
