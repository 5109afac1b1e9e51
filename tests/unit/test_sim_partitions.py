"""Partitions, persons and event ids made over arrays are those of `schemas.ids`."""

from uuid import UUID

import numpy as np

from issuer.codes import read
from schemas.ids import partition_of, person_text
from sim.encode import event_ids, timestamps
from sim.faults import forged_tokens
from sim.model import ROW
from sim.partitions import person_partitions
from sim.people import person_texts
from sim.scans import give_ids


def test_partitions_are_kafkas() -> None:
    bits = np.random.default_rng(1).integers(0, 2**64, 300, dtype=np.uint64)
    texts = person_texts(bits)
    assert list(texts) == [person_text(b) for b in bits.tolist()]
    for count in (1, 8, 13):
        found = person_partitions(texts, count).tolist()
        assert found == [partition_of(text.encode(), count) for text in texts]


def test_event_ids_are_uuid7_of_their_time() -> None:
    rows = np.zeros(50, dtype=ROW)
    rows["scanned"] = 1_638_316_800_123
    rows["recorded"] = -1
    rows["recorded"][0] = 1_638_316_900_000
    give_ids(rows, np.random.default_rng(2))
    ids = [UUID(text) for text in event_ids(rows)]
    assert len(set(ids)) == 50
    assert all(i.version == 7 and i.variant == "specified in RFC 4122" for i in ids)
    assert ids[1].int >> 80 == 1_638_316_800_123
    assert ids[0].int >> 80 == 1_638_316_900_000
    assert timestamps(rows["scanned"])[1] == "2021-12-01T00:00:00.123"


def test_forged_codes_are_well_formed() -> None:
    for token in forged_tokens(50, np.random.default_rng(1)):
        read(token)
