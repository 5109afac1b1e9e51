"""`docs/poison.md` on the real Kafka and the real engine, every record of it."""

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.ids import person_text
from schemas.reasons import Reason
from schemas.scan import format_timestamp
from schemas.topics import DLQ, SCANS, SCANS_MAX_MESSAGE
from streams.unpack import STRETCH
from tests.poison import cases, documented
from tests.scans import scan_json
from tests.system import System, WorkerProcess, running_system

Where = tuple[int, int]  # partition, offset
BOMB = 700 << 20


class Poisoner:
    """Publishes and remembers where each record landed."""

    def __init__(self, system: System, worker: WorkerProcess) -> None:
        self._system = system
        self._worker = worker
        self.person = person_text(uuid.uuid4().int & (2**64 - 1))

    def scan(self, **changes: Any) -> bytes:
        now = format_timestamp(datetime.now(UTC))
        fresh = {
            "event_id": str(uuid.uuid4()),
            "person": self.person,
            "code": self._system.tokens[0],
            "scanned_at": now,
        }
        return scan_json(**(fresh | changes))

    def publish(
        self,
        values: list[bytes | None],
        options: dict[str, Any] | None = None,
        key: str | None = "",
    ) -> list[Where | str]:
        """Partition and offset of each, or the name of the broker's refusal."""
        landed: dict[int, Where | str] = {}
        producer = self._system.producer(**{"message.max.bytes": 30_000_000, **(options or {})})
        for number, value in enumerate(values):

            def noted(error: Any, message: Any, number: int = number) -> None:
                where = (message.partition(), message.offset())
                landed[number] = error.name() if error else where

            key_bytes = None if key is None else (key or self.person).encode()
            producer.produce(SCANS.name, key=key_bytes, value=value, on_delivery=noted)
            producer.poll(0)
        assert producer.flush(60) == 0
        return [landed[number] for number in range(len(values))]

    def outcomes(self, landed: list[Where | str]) -> list[str]:
        """What became of them, once everything is committed."""
        self._system.drain()
        found = {where: table for table, all_ in self._tables().items() for where in all_}
        for partition, offset, reason in self._system.clickhouse.rows(
            "SELECT kafka_partition, kafka_offset, reason FROM rejects"
        ):
            found[(int(partition), int(offset))] = str(reason)
        return ["refused_by_broker" if isinstance(w, str) else found[w] for w in landed]

    def highest_from_now(self) -> int:
        """What the worker holds now, resident; `highest` is of what comes after."""
        Path(f"/proc/{self._worker.pid}/clear_refs").write_text("5")
        return self.highest()

    def highest(self) -> int:
        """Bytes of the worker that were resident at once."""
        lines = Path(f"/proc/{self._worker.pid}/status").read_text().splitlines()
        [kib] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
        return 1024 * int(kib)

    def letter(self, where: Where | str) -> Any:
        """The one letter of a refused record."""
        partition, offset = _where(where)
        key = f"{SCANS.name}/{partition}/{offset}".encode()
        [letter] = [r for r in self._system.read_topic(DLQ.name) if r.key == key]
        return letter

    def _tables(self) -> dict[str, list[Where]]:
        tables = self._system.all_offsets()
        everywhere = Counter(where for all_ in tables.values() for where in all_)
        assert max(everywhere.values()) == 1, "a record is in one table, once"
        return tables


def _where(landed: Where | str) -> Where:
    assert not isinstance(landed, str), f"refused by the broker: {landed}"
    return landed


@pytest.fixture(scope="module")
def poisoner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Poisoner]:
    directory: Path = tmp_path_factory.mktemp("poison")
    with running_system(directory, session_timeout_s=6, insert_timeout_s=3) as system:
        worker = system.start_worker()
        yield Poisoner(system, worker)
        assert worker.alive, "nothing stopped the worker"


def test_every_record_of_the_document(poisoner: Poisoner) -> None:
    said = documented()
    poison = cases(poisoner.scan)
    mixed: list[bytes | None] = []
    for value in poison.values():
        mixed += [value, poisoner.scan()]
    landed = poisoner.publish(mixed)
    outcomes = poisoner.outcomes(landed)
    assert dict(zip(poison, outcomes[::2], strict=True)) == {name: said[name] for name in poison}
    assert set(outcomes[1::2]) == {said["neighbours_of_one_bad_line"]}
    # each refused one is a letter with its own bytes
    letters = {r.key: r for r in poisoner._system.read_topic(DLQ.name)}
    for (name, value), where in zip(poison.items(), landed[::2], strict=True):
        key = f"{SCANS.name}/{where[0]}/{where[1]}".encode()
        assert (key in letters) == (said[name] in list(Reason)), name
        if key in letters:
            assert letters[key].value == (value or b""), name
            assert dict(letters[key].headers)["reason"].decode() == said[name]


def test_all_bad_lines(poisoner: Poisoner) -> None:
    landed = poisoner.publish([b"\xff{" + bytes([i % 256]) * (i % 70) for i in range(1_000)])
    assert set(poisoner.outcomes(landed)) == {documented()["all_bad_lines"]}


def test_the_topics_limit(poisoner: Poisoner) -> None:
    # a batch's header is 61 bytes; a record's own: length, attributes, two deltas, key and value
    # with their lengths, no headers
    overhead = 61 + 3 + 1 + 1 + 1 + 1 + len(poisoner.person) + 3 + 1
    fits = poisoner.scan(pad="x" * (SCANS_MAX_MESSAGE - overhead - len(poisoner.scan(pad=""))))
    options = {"compression.type": "none", "enable.idempotence": False}
    [at_limit] = poisoner.publish([fits], options)
    [over] = poisoner.publish([fits + b" "], options)
    assert over == "MSG_SIZE_TOO_LARGE"
    assert poisoner.outcomes([at_limit, over]) == [
        documented()["at_the_topics_limit"],
        documented()["over_the_topics_limit"],
    ]
    assert poisoner.letter(at_limit).value == fits


def test_a_batch_that_compresses_well(poisoner: Poisoner) -> None:
    value = poisoner.scan(pad=" " * 20 * 1024 * 1024)
    landed = poisoner.publish([value])
    assert poisoner.outcomes(landed) == [documented()["compressed_20_mib"]]
    letter = poisoner.letter(landed[0])
    assert letter.value == value[:SCANS_MAX_MESSAGE]
    partition, offset = _where(landed[0])
    [(size,)] = poisoner._system.clickhouse.rows(
        "SELECT length(original) FROM rejects "
        f"WHERE kafka_partition = {partition} AND kafka_offset = {offset}"
    )
    assert dict(letter.headers)["truncated"] == str(size).encode()
    assert STRETCH - 1_000 <= size < 2 * STRETCH, "the row keeps more than a letter can hold"


def test_a_batch_that_holds_more_than_memory_should(poisoner: Poisoner) -> None:
    large = b"{" + b" " * (BOMB - 1)
    some = [large[: BOMB // 560]] * 20  # what is kept of them is in memory several times
    options = {
        "compression.type": "zstd", "message.max.bytes": 1_000_000_000, "linger.ms": 1_000,
        "batch.size": 1_000_000_000,
    }  # fmt: skip
    before = poisoner.highest_from_now()
    landed = poisoner.publish([poisoner.scan(), large, *some, poisoner.scan()], options)
    outcome = documented()["compressed_750_mib"]
    assert poisoner.outcomes(landed) == ["scans", *[outcome] * 21, "scans"]
    assert poisoner.highest() - before < BOMB // 2, "never in memory as a whole"
    offsets = [_where(where)[1] for where in landed]
    assert offsets == [offsets[0] + n for n in range(23)], "they were in one batch"


def test_copies_that_compress_well(poisoner: Poisoner) -> None:
    options = {"batch.num.messages": 100_000, "batch.size": 30_000_000, "linger.ms": 1_000}
    landed = poisoner.publish([poisoner.scan()] * 100_000, options)
    first, *rest = poisoner.outcomes(landed)
    assert first == "scans"
    assert set(rest) == {documented()["compressed_copies"]}


def test_keys_that_are_not_the_person(poisoner: Poisoner) -> None:
    none = poisoner.publish([poisoner.scan()], key=None)
    other = poisoner.publish([poisoner.scan()], key="somebody else")
    assert poisoner.outcomes(none + other) == [documented()["no_key"], documented()["another_key"]]
