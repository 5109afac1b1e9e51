"""How to ask for a few rows: nearly all of such a question's time is the engine's planning."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

# Blocks of which a few rows are wanted lie in the page cache: to hand each read to another thread
# takes longer than the read (a third of a query, measured).
# A range of the key that nothing is known of is cut in two, not in eight: the rows lie apart.
FEW_ROWS: Final[Mapping[str, Any]] = {
    "local_filesystem_read_method": "pread",
    "merge_tree_coarse_index_granularity": 2,
}
NAMES_PROJECTIONS: Final = 26  # the first major version with `mergeTreeProjection`


def by_name(table: str, projection: str) -> str:
    """A projection as it stands after FROM. A part that lacks it is passed over in silence.

    Asked of the table, ClickHouse first works out what the primary key would read instead.
    """
    return f"mergeTreeProjection(currentDatabase(), '{table}', '{projection}')"


def array_of(values: Iterable[object], kind: str) -> str:
    """Many values as one text that is cast: a list of literals takes the engine three times as long
    to read."""
    return f"CAST('[{','.join(map(str, values))}]', 'Array({kind})')"
