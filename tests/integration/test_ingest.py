"""From the topic to the tables, on the real Kafka and the real engine."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.ids import partition_of
from schemas.topics import DLQ, SCANS, SCANS_MAX_MESSAGE
from tests.system import ScanMaker, System, running_system, wait_for


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    directory: Path = tmp_path_factory.mktemp("ingest")
    with running_system(directory, session_timeout_s=6, insert_timeout_s=3) as started:
        yield started


def _agrees(system: System) -> Counter[str]:
    """Every record is in exactly one table, once; what was refused is on the DLQ."""
    records = system.read_topic()
    tables = system.all_offsets()
    everywhere = [offset for offsets in tables.values() for offset in offsets]
    assert len(everywhere) == len(set(everywhere)), "an offset is there twice"
    assert set(everywhere) == {(r.partition, r.offset) for r in records}
    letters = system.read_topic(DLQ.name)
    originals = {(r.partition, r.offset): r.value for r in records}
    assert {tuple(_where(r)) for r in letters} == set(tables["rejects"])
    for letter in letters:
        headers = dict(letter.headers)
        original = originals[_where(letter)] or b""  # null would be a tombstone
        assert letter.value == original[:SCANS_MAX_MESSAGE]
        assert ("truncated" in headers) == (len(original) > SCANS_MAX_MESSAGE)
        assert headers["topic"] == SCANS.name.encode()
        assert headers["reason"]
    return Counter({name: len(offsets) for name, offsets in tables.items()})


def _where(letter: object) -> tuple[int, int]:
    key: bytes = letter.key  # type: ignore[attr-defined]
    _, partition, offset = key.decode().split("/")
    return int(partition), int(offset)


def test_a_stream_with_garbage_and_repeats(system: System) -> None:
    worker = system.start_worker()
    maker = ScanMaker(system, seed=11)
    records = maker.make(20_000)
    system.publish(SCANS.name, records)
    system.drain()
    counts = _agrees(system)
    assert counts["scans"] == len(
        {value for _, value in records if value.startswith(b'{"event_id"')}
    )
    assert counts["rejects"] > 100
    assert counts["duplicates"] > 100
    [(unique,)] = system.clickhouse.rows("SELECT uniqExact(person, event_id) FROM scans")
    assert unique == counts["scans"]
    metrics = worker.get("/metrics").text
    assert "truyvet_scan_to_queryable_seconds_bucket" in metrics
    assert worker.get("/latency").json()["count"] == 20_000
    assert worker.stop() == 0
    # everything was committed: a new worker has nothing to read again
    committed = system.committed()
    assert all(committed[p] == end for p, end in system.end_offsets().items() if end)


def test_fuzzed_bytes_never_stop_a_worker(system: System) -> None:
    worker = system.start_worker()
    before = len(system.offsets("rejects"))
    good = ScanMaker(system, seed=12)._one
    poison = [
        b"", b"\x00", b"\xff\xfe", b"{", b"}" * 100, b"[" * 3000, b'{"a":' * 500, b"null", b"1e999",
        b'{"event_id":1}', b"\xef\xbb\xbf{}", b'{"person":"\\ud800"}', b"x" * 900_000, b"{}\n{}",
        b'{"a":1}{"b":2}', "đây không phải JSON".encode(), json.dumps({"code": "A" * 5000}).encode(),
    ]  # fmt: skip
    system.publish(SCANS.name, [("k", value) for value in poison])
    system.publish(SCANS.name, [good() for _ in range(50)])
    producer = system.producer(**{"message.max.bytes": 30_000_000})
    producer.produce(SCANS.name, key="k", value=None)
    producer.produce(SCANS.name, key="k", value=b" " * 20_000_000)  # some 80 kB as lz4
    assert producer.flush(30) == 0
    system.drain()
    _agrees(system)
    assert len(system.offsets("rejects")) >= before + len(poison) + 1
    originals = {
        row[0] for row in system.clickhouse.rows("SELECT unhex(hex(original)) FROM rejects")
    }
    assert any("đây" in str(text) for text in originals)
    assert worker.alive
    worker.stop()


def test_two_workers_share_the_partitions(system: System) -> None:
    one = system.start_worker()
    maker = ScanMaker(system, seed=13)
    system.publish(SCANS.name, maker.make(3_000))
    two = system.start_worker()
    system.publish(SCANS.name, maker.make(3_000))
    one.stop()
    system.publish(SCANS.name, maker.make(3_000))
    system.drain()
    _agrees(system)
    two.stop()


def test_a_worker_that_joins_and_one_that_leaves_in_a_backlog(system: System) -> None:
    """The room is full, batches are held back, and partitions change hands."""
    tight = {"flush_records": 500, "max_poll_records": 1_000, "inflight_batches": 1}
    system.publish(SCANS.name, ScanMaker(system, seed=15).make(60_000))
    one = system.start_worker(**tight)
    two = system.start_worker(**tight)
    assert one.stop() == 0
    three = system.start_worker()
    assert two.stop() == 0
    system.drain()
    _agrees(system)
    assert three.stop() == 0


def test_a_transactions_aborted_records_never_happened(system: System) -> None:
    worker = system.start_worker()
    maker = ScanMaker(system, seed=14)
    producer = system.producer(**{"transactional.id": "t-1"})
    producer.init_transactions(30)
    for round_ in range(4):
        producer.begin_transaction()
        for key, value in maker.make(200):
            producer.produce(SCANS.name, key=key, value=value)
        # Until its records lie in the topic there is nothing to abort: librdkafka drops what it
        # has not sent, and a broker that has not heard of the transaction refuses its end.
        assert producer.flush(30) == 0
        if round_ % 2:
            producer.abort_transaction(30)
        else:
            producer.commit_transaction(30)
    last = [record for record in maker.make(400) if record[1].startswith(b"{")]
    system.publish(SCANS.name, last)
    wanted = {partition_of(key.encode(), 8) for key, _ in last}
    ends = system.end_offsets()

    def past_the_markers() -> bool:
        committed = system.committed()
        return all(committed.get(p) == ends[p] for p in wanted)

    wait_for(past_the_markers, 60, "commits to pass the transaction markers")
    _agrees(system)
    worker.stop()
