"""Texts gathered out of the bytes they lie in, and what was gathered, joined."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.gathered import gathered, joined
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
