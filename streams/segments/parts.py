"""The table's parts: which there are, and which rows a name stands for.

A MergeTree's blocks are numbered, and a part is named after those that it has:
`<partition>_<lowest>_<highest>_<level>`, with the number of the last mutation behind it if one has
changed it. A merge makes one part of several and adds nothing and drops nothing.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from streams.clickhouse import ClickHouse

# What was dropped is covered by parts without rows for a while.
_HELD: Final = (
    "system.parts WHERE active AND rows > 0 AND database = currentDatabase() AND table = 'scans'"
)


class Part(NamedTuple):
    """Rows of the blocks `lowest` to `highest` of a week, as the mutation of that number left
    them (0: none); `changed`: when the part was made, seconds since 1970 UTC; `home`: the folder
    of its table, which is another one's for a table that was put in its place."""

    partition: str
    lowest: int
    highest: int
    mutation: int
    rows: int
    changed: int
    name: str
    home: str = ""

    def within(self, other: "Part") -> bool:
        """Whether the other has these rows, if it has as many.

        A mutation has a number among the blocks, and changes those before it.
        """
        return (
            self.partition == other.partition
            and self.home == other.home
            and other.lowest <= self.lowest
            and self.highest <= other.highest
            and (self.mutation == other.mutation or self.mutation < other.mutation < self.lowest)
            and self.changed <= other.changed
            and (self.name != other.name or self.changed == other.changed)
        )


def active_parts(clickhouse: ClickHouse) -> list[Part]:
    """Those of `scans`, at one moment. Raises Retryable."""
    answer = clickhouse.query_arrow(
        "SELECT name, rows, toUnixTimestamp(modification_time) AS changed, path FROM " + _HELD,  # noqa: S608
        None,
        {"max_threads": 1},
    )
    columns = (answer.column(name).to_pylist() for name in ("name", "rows", "changed", "path"))
    return [
        part_of(name, rows, changed, path.rstrip("/").removesuffix(name))
        for name, rows, changed, path in zip(*columns, strict=True)
    ]


def contents(clickhouse: ClickHouse, parts: Iterable[Part]) -> dict[str, str]:
    """By name, a number that no part with other rows has. Raises Retryable."""
    names = ", ".join(f"'{part.name}'" for part in parts)
    if not names:
        return {}
    rows = clickhouse.rows(
        f"SELECT name, hash_of_all_files FROM {_HELD} AND name IN ({names})"  # noqa: S608
    )
    return {str(name): str(content) for name, content in rows}


def part_of(name: str, rows: int, changed: int, home: str = "") -> Part:
    """Of the part of this name."""
    partition, lowest, highest, _level, *mutation = name.split("_")
    last = int(mutation[0]) if mutation else 0
    return Part(partition, int(lowest), int(highest), last, rows, changed, name, home)


def rows_of(parts: Sequence[Part]) -> int:
    """How many they have together."""
    return sum(part.rows for part in parts)


def running_rows(parts: Sequence[Part]) -> list[int]:
    """How many each and those before it have together."""
    return list(accumulate(part.rows for part in parts))
