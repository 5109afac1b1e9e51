"""A worker's start with a register, and how soon a revocation is in force in every worker."""

import statistics
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from confluent_kafka import Producer

from bench.one_scan import one_scan
from bench.places_console import Console, Say
from bench.process_stack import Bench
from bench.process_usage import peak_mb
from bench.process_worker import Worker, wait_for
from schemas.errors import UserError
from schemas.ids import partition_of, person_text
from schemas.metrics import SCANS_REJECTED
from schemas.topics import SCANS

_START_S: Final = 600.0
_SETTLE_S: Final = 2.0
_TICK_S: Final = 0.05
_BEFORE_S: Final = 0.5
_REFUSED_S: Final = 60.0
_WORKERS: Final = 2


@dataclass(frozen=True)
class Started:
    """Starts of one worker: seconds from the process's begin until it is ready, and of those on a
    core; MB resident two seconds later and at most; medians but for the longest."""

    starts: int
    ready_s: float
    longest_s: float
    cpu_s: float
    rss_mb: float
    peak_mb: float


def started(bench: Bench, starts: int) -> Started:
    """Start a worker so often, one after the other. Raises UserError."""
    seconds, cpu, rss, peaks = [], [], [], []
    for _ in range(starts):
        begin = time.monotonic()
        worker = bench.begin_worker()
        worker.wait_ready(_START_S)
        seconds.append(time.monotonic() - begin)
        cpu.append(worker.usage().cpu_s)
        time.sleep(_SETTLE_S)
        rss.append(worker.usage().rss_mb)
        peaks.append(peak_mb(worker.pid))
        worker.stop()
    return Started(
        starts,
        round(statistics.median(seconds), 2),
        round(max(seconds), 2),
        round(statistics.median(cpu), 2),
        round(statistics.median(rss), 1),
        round(statistics.median(peaks), 1),
    )


@dataclass(frozen=True)
class Revoked:
    """Revocations, each in force in every partition of every worker after; seconds.

    `…_s`: from the moment that the code says it was revoked at to the broker's append of the first
    scan that was refused, none of which was accepted after it, in the slowest partition. `seen_s`:
    until the refusals of all partitions could be read in ClickHouse.
    """

    revocations: int
    workers: int
    partitions: int
    median_s: float
    longest_s: float
    seen_longest_s: float
    wrongly_accepted: int  # scans made after a revocation and before it was in force
    refused_by_worker: list[int]


def revoked(bench: Bench, console: Console, places: Iterable[int], say: Say) -> Revoked:
    """Revoke the code of each of these places while it is scanned everywhere. Raises UserError."""
    workers = [bench.begin_worker() for _ in range(_WORKERS)]
    for worker in workers:
        worker.wait_ready(_START_S)
    wait_for(lambda: all(map(_has_partitions, workers)), _REFUSED_S, "both to have partitions")
    partitions = bench.settings.scan_partitions
    slowest, seen, accepted = [], [], 0
    with Scanner(bench.settings.kafka_bootstrap, partitions) as scanner:
        for place in places:
            token, at_ms, seen_s = _revoke(bench, console, scanner, place)
            rows = _outcomes(bench, place, token, at_ms)
            late, wrong = in_force(rows, at_ms, partitions)
            slowest.append(late)
            seen.append(seen_s)
            accepted += wrong
            say(f"  place {place}: in force after {late:.2f} s, seen after {seen_s:.2f} s")
    refused = [_refused(worker) for worker in workers]
    if not all(refused):
        raise UserError(
            f"Một worker không từ chối lượt quét nào của mã đã thu hồi: {refused}. / "
            f"A worker refused no scan of a revoked code: {refused}."
        )
    for worker in workers:
        worker.stop()
    return Revoked(
        len(slowest), len(workers), partitions, round(statistics.median(slowest), 3),
        round(max(slowest), 3), round(max(seen), 3), accepted, refused,
    )  # fmt: skip


def in_force(
    rows: Iterable[tuple[int, int, bool]], revoked_ms: int, partitions: int
) -> tuple[float, int]:
    """Seconds until the slowest partition refused for good, and scans accepted in between.

    `rows`: (partition, ms of the broker's append, refused) of scans made after the revocation.
    Raises UserError if a partition never did.
    """
    last_good: dict[int, int] = {}
    refusals: dict[int, list[int]] = {}
    wrong = 0
    for partition, appended_ms, was_refused in rows:
        if was_refused:
            refusals.setdefault(partition, []).append(appended_ms)
        else:
            wrong += 1
            last_good[partition] = max(appended_ms, last_good.get(partition, 0))
    found = []
    for partition in range(partitions):
        after = last_good.get(partition, 0)
        since = [ms for ms in refusals.get(partition, []) if ms >= after]
        if not since:
            raise UserError(
                f"Phân vùng {partition} vẫn nhận mã đã thu hồi. / "
                f"Partition {partition} went on accepting a revoked code."
            )
        found.append(max(0, min(since) - revoked_ms) / 1000)
    return max(found), wrong


class Scanner:
    """Publishes a scan of the code that is `token` to every partition, twenty times a second."""

    def __init__(self, bootstrap: str, partitions: int) -> None:
        self.token: str | None = None
        self._bootstrap = bootstrap
        self._persons = one_person_each(partitions)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scanner", daemon=True)

    def __enter__(self) -> "Scanner":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        producer = Producer(
            {
                "bootstrap.servers": self._bootstrap,
                "partitioner": "murmur2_random",
                "linger.ms": 0,
                "log_level": 3,
            }
        )
        while not self._over.wait(_TICK_S):
            if token := self.token:
                now = datetime.now(UTC)
                for person in self._persons:
                    producer.produce(SCANS.name, key=person, value=one_scan(person, token, now))
            producer.poll(0)
        producer.flush(_REFUSED_S)


def one_person_each(partitions: int) -> list[str]:
    """People whose scans go to partition 0, 1, …"""
    found: dict[int, str] = {}
    number = 1
    while len(found) < partitions:
        person = person_text(number)
        found.setdefault(partition_of(person.encode(), partitions), person)
        number += 1
    return [found[partition] for partition in range(partitions)]


def _revoke(bench: Bench, console: Console, scanner: Scanner, place: int) -> tuple[str, int, float]:
    """The code, when it was revoked (ms), and how long until every partition's refusal is read."""
    [code] = console.get(f"/v1/places/{place}/codes")["codes"]
    scanner.token = code["token"]
    time.sleep(_BEFORE_S)
    body = {"reason": "bench: the print was lost"}
    answer = console.post(f"/v1/places/{place}/codes/{code['version']}/revoke", body)
    at = datetime.fromisoformat(answer["codes"][0]["revoked_at"])
    wait_for(
        lambda: _refusing(bench, code["token"]) == bench.settings.scan_partitions, _REFUSED_S,
        f"every partition to refuse the code of place {place}", every_s=0.1,
    )  # fmt: skip
    seen_s = time.time() - at.timestamp()
    time.sleep(_BEFORE_S)
    return code["token"], round(at.timestamp() * 1000), seen_s


def _refusing(bench: Bench, token: str) -> int:
    [(count,)] = bench.clickhouse.rows(
        "SELECT uniqExact(kafka_partition) FROM rejects "
        "WHERE reason = 'revoked_code' AND position(original, {token:String}) > 0",
        {"token": token},
    )
    return int(count)


def _outcomes(bench: Bench, place: int, token: str, at_ms: int) -> list[tuple[int, int, bool]]:
    query = (
        "SELECT kafka_partition, toUnixTimestamp64Milli(appended_at), false FROM scans "
        "WHERE place = {place:UInt32} AND toUnixTimestamp64Milli(scanned_at) >= {at:Int64} "
        "AND kafka_partition < {partitions:UInt16} UNION ALL "
        "SELECT kafka_partition, toUnixTimestamp64Milli(appended_at), true FROM rejects "
        "WHERE reason = 'revoked_code' AND position(original, {token:String}) > 0"
    )
    parameters: dict[str, Any] = {
        "place": place, "at": at_ms, "token": token, "partitions": bench.settings.scan_partitions,
    }  # fmt: skip
    return [(int(p), int(ms), bool(r)) for p, ms, r in bench.clickhouse.rows(query, parameters)]


def _has_partitions(worker: Worker) -> bool:
    return worker.ready()[0]


def _refused(worker: Worker) -> int:
    samples = worker.metrics()
    return round(
        sum(
            value
            for (name, labels), value in samples.items()
            if name == SCANS_REJECTED.name and "revoked_code" in labels
        )
    )
