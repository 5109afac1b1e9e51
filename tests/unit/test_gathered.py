"""Texts gathered out of the bytes they lie in, and what was gathered, joined."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.gathered import gathered, joined, whole
from streams.texts import Texts

texts = st.lists(st.none() | st.binary(max_size=40), max_size=12)


@settings(deadline=None)  # compiles
@given(st.lists(st.tuples(texts, st.integers(0, 2**12 - 1)), min_size=1, max_size=4))
def test_what_is_gathered_and_joined_is_what_was_there(
    some: list[tuple[list[bytes | None], int]],
) -> None:
    columns, expected = [], []
    for values, chosen in some:
        rows = [row for row in range(len(values)) if chosen >> row & 1]
        columns.append(gathered(Texts.of(values), np.array(rows, np.int64)))
        columns[-1].validate(full=True)
        assert columns[-1].to_pylist() == [values[row] or b"" for row in rows]
        expected += columns[-1].to_pylist()
    whole = joined(columns)
    whole.validate(full=True)
    assert whole.type == pa.large_binary()
    assert whole.to_pylist() == expected


@settings(deadline=None)
@given(st.lists(st.tuples(texts, st.integers(0, 2**12 - 1)), min_size=1, max_size=4))
def test_tables_of_which_rows_were_left_out_become_one(
    some: list[tuple[list[bytes | None], int]],
) -> None:
    """As where some of a batch's rows are in the tables already: filtered, or cut."""
    tables = []
    for number, (values, chosen) in enumerate(some):
        words = pa.array([f"{number % 2}"] * len(values), pa.string()).dictionary_encode()
        original = gathered(Texts.of(values), np.arange(len(values)))
        table = pa.table(
            {"original": original, "reason": words, "n": pa.array(range(len(values)), pa.int64())}
        )
        kept = pa.array([bool(chosen >> row & 1) for row in range(len(values))], pa.bool_())
        tables.append(table.filter(kept) if number % 3 else table)
    one = whole(tables)
    assert one.to_pylist() == [row for table in tables for row in table.to_pylist()]
    assert all(one.column(name).num_chunks <= 1 for name in one.column_names)
    one.validate(full=True)
