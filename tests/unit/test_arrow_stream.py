"""An Arrow stream in pieces is the stream Arrow writes, and large buffers are not copied for it."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from streams import arrow_stream as module
from streams.arrow_stream import arrow_stream

columns = st.lists(st.binary(max_size=40), max_size=30)


def obvious(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def table_of(texts: list[bytes]) -> pa.Table:
    words = pa.array([text[:1] for text in texts], pa.binary()).dictionary_encode()
    return pa.table(
        {
            "text": pa.array(texts, pa.large_binary()),
            "length": np.array([len(text) for text in texts], np.int64),
            "word": words,
        }
    )


@settings(max_examples=60)
@given(columns, st.integers(1, 200), st.integers(1, 200))
def test_the_pieces_are_arrows_own_stream(texts: list[bytes], piece: int, large: int) -> None:
    table = table_of(texts)
    kept = module._PIECE, module._LARGE
    module._PIECE, module._LARGE = piece, large  # type: ignore[misc]
    try:
        pieces = [bytes(some) for some in arrow_stream(table)]
    finally:
        module._PIECE, module._LARGE = kept  # type: ignore[misc]
    assert b"".join(pieces) == obvious(table)
    assert max(map(len, pieces)) <= piece
    assert all(pieces), "an empty piece would end a chunked body"


def test_a_large_buffer_is_sent_as_it_lies() -> None:
    table = table_of([b"x" * 1_000] * 1_000)
    own = table.column("text").chunk(0).buffers()[2]
    begin = own.address
    sent = [np.frombuffer(piece, np.uint8).ctypes.data for piece in arrow_stream(table)]
    assert sum(begin <= at < begin + own.size for at in sent) == 4
