"""Plain columns: what the rules of stays are worked out on, one numpy array for each.

A trace asks little of each of many steps: on a few thousand rows an array's step costs
microseconds, where a frame's costs a quarter of a millisecond.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

U16 = npt.NDArray[np.uint16]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Small = npt.NDArray[np.int8] | npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# Where a row number is missing. (As an index it takes the last row: look before you use it.)
NONE: Final = -1
# Before and after every time there is, milliseconds, and far enough from the end of 64 bits to be
# subtracted from. Where a time is missing it is the one of these that decides nothing.
NEVER: Final = -(2**61)
FOREVER: Final = 2**61
_OFFSET_BITS: Final = 48


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970 UTC (truncated)."""
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def changes(column: npt.NDArray[np.generic]) -> Mask:
    """Where a value is not that of the row before; true of the first row."""
    found = np.ones(len(column), dtype=np.bool_)
    found[1:] = column[1:] != column[:-1]
    return found


def next_of(where: Mask) -> I64:
    """For each row the first later one of these, or NONE."""
    rows = np.flatnonzero(where)
    return np.append(rows, NONE)[np.cumsum(where)]


def firsts(*columns: npt.NDArray[np.generic]) -> I64:
    """The rows in which one of these values is not that of the row before."""
    return np.flatnonzero(np.logical_or.reduce([changes(column) for column in columns]))


def last_before(where: Mask) -> I64:
    """For each row the last earlier one of these, or NONE."""
    rows = np.flatnonzero(where)
    return np.append(NONE, rows)[np.cumsum(where) - where]


def among(order: I64, group: I64, find: Callable[[Mask], I64], where: Mask) -> I64:
    """What `find` (`next_of`, `last_before`) finds for each row among those of its own group, or
    NONE. `order`: of `together(group)`."""
    found = own(find(where[order]), group[order])
    result = np.full(len(order), NONE)
    result[order] = np.where(found == NONE, NONE, order[found])
    return result


def instants(times: pl.Series) -> I64:
    """Times (`frames.TIME`) in milliseconds since 1970 UTC."""
    return times.cast(pl.Int64).to_numpy()


def log_number(partition: U16, offset: U64) -> U64:
    """One number of each `kafka_partition` and `kafka_offset`."""
    number: U64 = (partition.astype(np.uint64) << np.uint64(_OFFSET_BITS)) | offset
    return number


def codes(column: pl.Series) -> Small:
    """The numbers of an Enum's values. (`to_physical` would plan and run a query for them.)"""
    numbers: Small = column.to_arrow().indices.to_numpy()
    return numbers


def or_zero(column: pl.Series) -> npt.NDArray[Any]:
    """A column of numbers, nulls as 0. (To fill what is not there is a query of its own.)"""
    return (column.fill_null(0) if column.null_count() else column).to_numpy()


def as_index(rows: npt.NDArray[np.integer]) -> pl.Series:
    """Row numbers as polars takes them without looking at each: many columns are read by them."""
    return pl.Series(rows.astype(np.uint32))


def rows_in(rising: U32 | U64 | I64, wanted: npt.NDArray[Any]) -> I64:
    """For each wanted value its row in a column that rises, or NONE."""
    if not len(rising):
        return np.full(len(wanted), NONE)
    rows = np.minimum(np.searchsorted(rising, wanted), len(rising) - 1)
    return np.where(rising[rows] == wanted, rows, NONE)


def own(rows: I64, who: I64) -> I64:
    """These row numbers, one for each row, and NONE where that row is another person's."""
    return np.where(who[rows] == who, rows, NONE)  # and of NONE, whoever is last, comes NONE


def ranges(first: I64, behind: I64) -> tuple[I64, I64]:
    """All numbers from each `first` to before its `behind`, and of which of them each is."""
    lengths = np.maximum(behind - first, 0)
    of = np.repeat(np.arange(len(first)), lengths)
    passed = np.cumsum(lengths) - lengths
    return np.arange(len(of)) + (first - passed)[of], of


def in_order(key: I64, *then: npt.NDArray[np.generic]) -> I64:
    """The numbers of the rows as they come by `key`, among equals by the columns of `then`, and
    among those that are equal by all as they are.

    To sort one integer is many times quicker than to sort by several columns: so these are
    compared for the rows that are equal by it alone.
    """
    order = np.argsort(key)
    risen = changes(key[order])
    if risen.all():
        return order
    tied = ~risen
    tied[:-1] |= ~risen[1:]
    rows = order[tied]
    order[tied] = rows[np.lexsort([rows, *(column[rows] for column in reversed(then)), key[rows]])]
    return order


def together(group: I64) -> I64:
    """The numbers of the rows by group, within a group as they come."""
    return np.argsort(group * len(group) + np.arange(len(group)))


def first_to_last(of: npt.NDArray[Any], begin: I64, end: I64) -> tuple[npt.NDArray[Any], I64, I64]:
    """Each of these once, rising, and from the first of its times to the last."""
    unique, row = np.unique(of, return_inverse=True)
    first, last = np.full(len(unique), FOREVER), np.full(len(unique), NEVER)
    np.minimum.at(first, row, begin)
    np.maximum.at(last, row, end)
    return unique, first, last


def apart(group: I64, *times: I64) -> tuple[I64, ...]:
    """The times of groups 0, 1, … with each group's all after those of the one before.

    So one running maximum, or one sort, does for all groups.
    """
    first = min(int(column.min()) for column in times)
    span = max(int(column.max()) for column in times) - first + 1
    assert (int(group.max()) + 1) * span < 2**62, "too many over too long a time for one call"
    shift = group * span - first
    return tuple(column + shift for column in times)
