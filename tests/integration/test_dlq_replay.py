"""`truyvet dlq replay` after a fix: what was refused is written, each event once."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.accounting.replay import FILE_NAME
from issuer.codes import KeyRing, first_code
from schemas.ids import partition_of, person_text
from schemas.places import Place, Producer, place_key
from schemas.scan import format_timestamp
from schemas.topics import DLQ, PRODUCERS, SCANS, SITES
from tests.scans import scan_json
from tests.system import System, running_system, wait_for

EVENTS = 300
LATE_PLACE, LATE_PRODUCER = 900, "bus-7"


class Replay:
    """A system where a place and a producer come late, and what has been published to it."""

    def __init__(self, system: System) -> None:
        self.system = system
        ring = KeyRing.parse(system.settings.code_keys.get_secret_value())
        self.place = first_code(
            system.places[0].model_copy(update={"id": LATE_PLACE, "codes": ()}), ring
        )

    def scans(self, count: int, **changes: Any) -> list[tuple[str, bytes]]:
        """(key, value) of scans of as many people."""
        begun = datetime.now(UTC) - timedelta(hours=6)
        made = []
        for number in range(count):
            person = person_text(uuid.uuid4().int & (2**64 - 1))
            fields = {
                "event_id": str(uuid.uuid4()),
                "person": person,
                "code": self.place.codes[0].token,
                "scanned_at": format_timestamp(begun + timedelta(seconds=number)),
            }
            made.append((person, scan_json(**(fields | changes))))
        return made

    def register(self, place: Place | None = None, producer: Producer | None = None) -> None:
        """What was missing."""
        if place is not None:
            record = place.model_dump_json().encode()
            self.system.publish(SITES.name, [(place_key(place.id), record)])
        if producer is not None:
            record = producer.model_dump_json().encode()
            self.system.publish(PRODUCERS.name, [(producer.id, record)])

    def replay(self, *options: str) -> dict[str, Any]:
        """`truyvet dlq replay`; what it says. Everything is written when it returns."""
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "console.cli.main",
                "dlq",
                "replay",
                *options,
                "--yes",
                "--json",
            ],
            env={**os.environ, **self.system.stack.env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        self.system.drain()
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def reasons(self) -> dict[str, int]:
        """Rows of `rejects` by reason."""
        rows = self.system.clickhouse.rows("SELECT reason, count() FROM rejects GROUP BY reason")
        return {str(reason): int(count) for reason, count in rows}

    def written(self, scans: list[tuple[str, bytes]]) -> list[int]:
        """How often each of these events is in `scans`."""
        rows = self.system.clickhouse.rows(
            "SELECT toString(event_id), count() FROM scans GROUP BY event_id"
        )
        found = {str(event): int(count) for event, count in rows}
        return [found.get(json.loads(value)["event_id"], 0) for _, value in scans]

    def one_outcome_each(self) -> None:
        """Every record of the topic is in one table, once."""
        tables = self.system.all_offsets()
        everywhere = [where for all_ in tables.values() for where in all_]
        topic = {(r.partition, r.offset) for r in self.system.read_topic()}
        assert len(everywhere) == len(set(everywhere))
        assert set(everywhere) == topic


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    directory: Path = tmp_path_factory.mktemp("replay")
    with running_system(
        directory, session_timeout_s=6, insert_timeout_s=3, code_wait_s=0.2
    ) as system:
        system.start_worker()
        yield Replay(system)


def test_a_code_registered_late(late: Replay) -> None:
    system = late.system
    scans = late.scans(EVENTS)
    again = scans[:50]  # refused twice, as two records
    garbage = [("k", b"{garbage %d" % number) for number in range(20)]
    system.publish(SCANS.name, scans + again + garbage)
    producer = system.producer()
    [(person, keyless)] = late.scans(1)
    producer.produce(SCANS.name, value=keyless, partition=3)
    assert producer.flush(30) == 0
    system.drain()
    refused = EVENTS + len(again) + 1
    assert late.reasons() == {"unknown_code": refused, "not_json": len(garbage)}
    assert set(late.written(scans)) == {0}

    late.register(place=late.place)

    def known() -> bool:
        [fresh] = late.scans(1)
        system.publish(SCANS.name, [fresh])
        system.drain()
        return late.written([fresh]) == [1]

    wait_for(known, 30, "the worker to know the place")
    mended = scans[:10]  # their producer did not wait for the replay
    system.publish(SCANS.name, mended)
    system.drain()
    before = late.reasons()
    refused = before["unknown_code"]  # with those of `known` that came too early

    said = late.replay("--reason", "unknown_code")
    assert (said["selected"], said["replayed"]) == (refused, refused)
    assert set(late.written([*scans, (person, keyless)])) == {1}
    assert late.reasons() == before, "nothing was refused again"
    [(replayed,)] = system.clickhouse.rows(
        "SELECT kafka_partition FROM scans WHERE event_id = {event:UUID}",
        {"event": json.loads(keyless)["event_id"]},
    )
    assert replayed == 3, "without a key it goes where it was"
    letters = system.read_topic(DLQ.name)
    places = {r.value: dict(r.headers)["partition"] for r in letters}
    for record in system.read_topic():
        if record.value in places:
            assert record.partition == int(places[record.value]), "each goes to where it was"
    late.one_outcome_each()

    said = late.replay("--reason", "unknown_code")
    assert (said["selected"], said["replayed"], said["replayed_before"]) == (0, 0, refused)
    assert set(late.written(scans)) == {1}


def test_one_that_is_misplaced_is_replayed_to_where_its_producer_sends_it(late: Replay) -> None:
    system = late.system
    partitions = system.settings.scan_partitions
    place = late.place.model_copy(update={"id": LATE_PLACE + 1, "codes": ()})
    place = first_code(place, KeyRing.parse(system.settings.code_keys.get_secret_value()))
    misplaced = [
        ((partition_of(person.encode(), partitions) + 1) % partitions, person, value)
        for person, value in late.scans(20, code=place.codes[0].token)
    ]
    others = late.scans(20, code=place.codes[0].token)

    def publish() -> None:
        producer = system.producer()
        for partition, person, value in misplaced:
            producer.produce(SCANS.name, key=person, value=value, partition=partition)
        assert producer.flush(30) == 0
        system.drain()

    publish()
    system.publish(SCANS.name, others)
    system.drain()
    late.register(place=place)

    def known() -> bool:
        [fresh] = late.scans(1, code=place.codes[0].token)
        system.publish(SCANS.name, [fresh])
        system.drain()
        return late.written([fresh]) == [1]

    wait_for(known, 30, "the worker to know the place")
    publish()  # by the same partitioner
    late.replay("--reason", "unknown_code")
    assert set(late.written([(person, value) for _, person, value in misplaced])) == {1}
    assert set(late.written(others)) == {1}
    late.one_outcome_each()


def test_a_replay_whose_note_was_lost_adds_only_duplicates(late: Replay) -> None:
    # killed between the broker's acknowledgement and the note: the same letters go out again
    system = late.system
    (system.settings.data_dir / FILE_NAME).unlink()
    tables = {name: len(all_) for name, all_ in system.all_offsets().items()}
    said = late.replay("--reason", "unknown_code")
    assert said["replayed"] > EVENTS
    now = {name: len(all_) for name, all_ in system.all_offsets().items()}
    added = {name: now[name] - tables[name] for name in now}
    nothing = {"scans": 0, "rejects": 0, "expired": 0, "erased": 0}
    assert added == nothing | {"duplicates": said["replayed"]}
    late.one_outcome_each()


def test_a_producer_allowed_late_and_what_is_still_wrong(late: Replay) -> None:
    system = late.system
    scans = late.scans(40, producer=LATE_PRODUCER)
    system.publish(SCANS.name, scans)
    system.drain()
    before = late.reasons()
    assert before["producer_not_allowed"] == 40
    letters = len(system.read_topic(DLQ.name))

    # not mended yet: every one is refused again, as a new letter
    assert late.replay("--reason", "producer_not_allowed")["replayed"] == 40
    assert late.reasons()["producer_not_allowed"] == 80
    assert len(system.read_topic(DLQ.name)) == letters + 40
    assert set(late.written(scans)) == {0}

    late.register(producer=Producer(id=LATE_PRODUCER, name="Xe buýt 7"))

    def allowed() -> bool:
        [fresh] = late.scans(1, producer=LATE_PRODUCER)
        system.publish(SCANS.name, [fresh])
        system.drain()
        return late.written([fresh]) == [1]

    wait_for(allowed, 30, "the worker to know the producer")
    said = late.replay("--reason", "producer_not_allowed")
    assert said["replayed_before"] == 40
    assert said["replayed"] >= 40
    assert set(late.written(scans)) == {1}
    late.one_outcome_each()
