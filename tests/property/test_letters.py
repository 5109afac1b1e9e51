"""Dead letters written by a compiled loop say what a slow, obvious writer says, and each is read by
aiokafka as it was meant."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.reasons import Reason
from streams import deadletters
from streams.batch import RawBatch, Verdicts
from streams.deadletters import dead_letters
from streams.decode import decode
from streams.rejects import Rejected, Rejects
from streams.texts import Texts
from tests.letters import unpacked
from tests.scans import raw_batch

TOPIC = "scans.v1"
records = st.lists(
    st.tuples(
        st.none() | st.binary(max_size=200) | st.binary(max_size=3).map(lambda b: b * 1_000),
        st.none() | st.binary(max_size=40),
        st.integers(0, 2**45),
        st.integers(-1, 2**42),
        st.booleans(),
        st.sampled_from(Reason),
        st.text(max_size=20) | st.sampled_from(["a detail", "ngày — đêm"]),
    ),
    min_size=1,
    max_size=80,
)


def obvious(raw: RawBatch, reject: Rejected, most: int, most_key: int) -> Any:
    offset = int(raw.offsets[reject.index])
    value, key = raw.values[reject.index] or b"", raw.keys[reject.index]
    headers = [
        ("topic", TOPIC.encode()),
        ("partition", str(raw.partition).encode()),
        ("offset", str(offset).encode()),
        ("timestamp", str(int(raw.appended[reject.index])).encode()),
        ("reason", reject.reason.value.encode()),
        ("detail", reject.detail.encode()),
        ("version", deadletters._VERSION.encode()),
    ]
    if key is not None:
        headers.append(("key", key[:most_key]))
    if len(value) > most:
        headers.append(("truncated", str(len(value)).encode()))
    return f"{TOPIC}/{raw.partition}/{offset}".encode(), value[:most], headers


@settings(max_examples=150, deadline=None)
@given(records, st.integers(0, 300), st.sampled_from([150, 700, 1 << 20]))
def test_letters_say_what_they_should(some: list[Any], partition: int, most: int) -> None:
    values, keys, offsets, times, refused, reasons, details = zip(*some, strict=True)
    raw = RawBatch(
        partition,
        np.array(offsets, np.int64),
        np.array(times, np.int64),
        Texts.of(keys),
        Texts.of(values),
    )
    rejects = [
        Rejected(row, reasons[row], details[row]) for row in range(len(some)) if refused[row]
    ]
    verdicts = Verdicts(raw, decode(raw_batch([])).scans, Rejects.of(rejects))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deadletters, "_MOST", most)
        patch.setattr(deadletters, "_MOST_KEY", 30)
        packed = dead_letters(TOPIC, verdicts)
    found = [(letter.key, letter.value, list(letter.headers)) for letter in unpacked(packed)]
    assert found == [obvious(raw, reject, most, 30) for reject in rejects]


def test_batches_are_as_large_as_the_topic_takes_and_no_larger() -> None:
    values: list[bytes | None] = [b"x" * 1_000] * 3_000
    batches = dead_letters(TOPIC, decode(raw_batch(values)))
    assert [letter.offset for letter in unpacked(batches[:1])][:3] == [0, 1, 2]
    assert sum(packed.count for packed in batches) == 3_000
    assert len(batches) == 4
