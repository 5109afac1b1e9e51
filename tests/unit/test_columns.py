"""The vectorised readers, where a mistake would be silent."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.ids import partition_of, person_text
from streams.columns import U64, text_buffers, text_matrix
from streams.kernels import hashes

texts = st.lists(st.text(max_size=40), min_size=1, max_size=8)


def folded(values: pa.StringArray) -> U64:
    h = np.full(len(values), 42, dtype=np.uint64)
    hashes.fold_texts(h, *text_buffers(values))
    return h


@settings(max_examples=300, deadline=None)
@given(texts)
def test_a_values_hash_does_not_depend_on_its_neighbours(values: list[str]) -> None:
    together = folded(pa.array(values, pa.string()))
    for row, value in enumerate(values):
        alone = folded(pa.array([value], pa.string()))
        assert int(together[row]) == int(alone[0])
    sliced = pa.array(["x", *values, "y"], pa.string()).slice(1, len(values))
    assert folded(sliced).tolist() == together.tolist()


def test_the_stored_hash_is_the_same_in_every_version() -> None:
    # golden: rows in the table carry it, and a retry of tomorrow is compared with it
    values = pa.array(["", "d-1", "12345678", "123456789", "chuyến xe"], pa.string())
    assert folded(values).tolist() == GOLDEN


@given(texts, st.integers(1, 12))
def test_text_matrix_reads_slices_and_other_lengths(values: list[str], width: int) -> None:
    column = pa.array(["pad", *values], pa.string()).slice(1)
    matrix, right = text_matrix(column, width)
    for row, value in enumerate(values):
        data = value.encode()
        assert bool(right[row]) == (len(data) == width)
        assert matrix[row].tobytes() == (data if len(data) == width else bytes(width))


@settings(deadline=None)  # compiles
@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20), st.integers(1, 64))
def test_partitions_are_those_of_murmur2(persons: list[int], partitions: int) -> None:
    keys = [person_text(person).encode() for person in persons]
    matrix = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(-1, 13)
    expected = [partition_of(key, partitions) for key in keys]
    assert hashes.partitions(matrix, partitions).tolist() == expected


GOLDEN: list[int] = [
    14437180070566991194,
    7985097125979911737,
    7025479926989063152,
    2303292201358955601,
    14663358131280766492,
]
