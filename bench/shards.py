"""`truyvet bench shards`: the tables of a cluster acted out on one machine, and what it costs.

The same city's scans go to one engine and to several: by a worker's own writer, which reads every
batch back, through the fan-out of `bench.shards_fanout`. While the last batches are written the
last engine is killed. Then the same cases are traced on each. The answers are JSON, and must be
those of the one engine to the byte. On two cores more shards are no gain: the ratios are what the
fan-out and the smaller pieces cost.
"""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
from prometheus_client import CollectorRegistry

from bench.load_city import city_places
from bench.report import machine
from bench.shards_check import must_hold
from bench.shards_engines import Engine, running_engines
from bench.shards_fanout import SCANS, Shards
from bench.tables import quiet
from bench.trace_cases import Tracer, percentiles
from bench.trace_city import DAYS, SCANS_A_PLACE, Scans, TraceCity
from bench.trace_fill import PARTITIONS, ScanTables, by_partition, merge_weeks
from issuer.codes import KeyRing
from schemas.errors import UserError
from schemas.meters import Metrics
from schemas.metrics import INSERT_RETRIES
from schemas.places import Place
from streams.clickhouse import ClickHouse
from streams.convert import Rows
from streams.write import Writer
from tracer.documents import contact_documents, run_document
from tracer.trace import TraceResult

Say = Callable[[str], None]
_TOPIC: Final = "scans.v1"
_SURE_S: Final = 60.0  # the partition is nobody else's here
_INSERT_S: Final = 30
_KILL_S: Final = 0.05  # after the first of the batches beside which an engine is killed
_LEAST_PLACES: Final = 500
_WARM_UP: Final = 5
_RING: Final = KeyRing.parse("1:" + "5a" * 32)  # nobody scans these codes
_NONE: Final = np.zeros(0, np.uint64)


@dataclass(frozen=True)
class Plan:
    """How many engines, one first; scans; rows of a batch; cases; batches with an engine killed."""

    shards: tuple[int, ...] = (1, 2, 4)
    scans: int = 2_000_000
    batch: int = 10_000
    cases: int = 100
    killed: int = 8
    seed: int = 7


@dataclass(frozen=True)
class Traced:
    """Milliseconds of a trace: elapsed, and CPU of the client and of all engines."""

    p50_ms: float
    p99_ms: float
    client_cpu_ms: float
    engines_cpu_ms: float


@dataclass(frozen=True)
class Sharded:
    """What was measured on so many shards. `asked_table`: traces that do not name the projection.

    `settled`: batches that had to be looked up and completed beside the killed engine.
    `differ_alone`: cases that one shard without the others answers otherwise.
    """

    shards: int
    rows: int
    smallest: int
    people_on_several: float
    client_us: float
    engines_us: float
    settled: int
    traced: Traced
    asked_table: Traced
    contacts: int
    differ_alone: int


def run(data_dir: Path, plan: Plan, until: date, say: Say) -> dict[str, Any]:
    """Measure, each number of shards in a directory of its own that is gone after.

    Raises UserError when an answer is not that of one engine, or a row is missing or there twice.
    """
    if plan.shards[0] != 1:
        raise UserError("--shards: 1 trước hết, để so sánh. / 1 comes first, to compare with.")
    places = city_places(_RING, max(_LEAST_PLACES, plan.scans // SCANS_A_PLACE), plan.seed)
    city = TraceCity(places, plan.scans, plan.seed, until)
    found: list[Sharded] = []
    wanted: list[str] = []
    for count in plan.shards:
        say(f"{count} shards" if count > 1 else "one engine")
        folder = data_dir / str(count)
        try:
            with running_engines(folder, count) as (engines, clients):
                measured, answers = _Measured(plan, city, places, engines, clients).all()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        found.append(measured)
        wanted = wanted or answers
        if answers != wanted:
            differ = sum(ours != theirs for ours, theirs in zip(answers, wanted, strict=True))
            raise UserError(
                f"{count} mảnh trả lời khác một máy ở {differ} ca. / "
                f"{count} shards answer {differ} cases otherwise than one engine."
            )
        say(f"  {measured.rows:,} rows; traces p50 {measured.traced.p50_ms} ms, the same answers")
    return {"same_answers": len(wanted), **_ratios(found), "seed": plan.seed, "machine": machine()}


class _Measured:
    """One number of shards."""

    def __init__(
        self,
        plan: Plan,
        city: TraceCity,
        places: Sequence[Place],
        engines: Sequence[Engine],
        clients: Sequence[ClickHouse],
    ) -> None:
        self._plan, self._city, self._places = plan, city, places
        self._engines, self._clients = engines, clients
        self._last_place = max(place.id for place in places)
        self._shards = Shards(clients, self._last_place)
        self._metrics = Metrics(CollectorRegistry())

    def all(self) -> tuple[Sharded, list[str]]:
        """What was measured, and the answer to each case."""
        batches = list(_batches(self._city, self._plan.batch))
        calm = max(1, len(batches) - self._plan.killed)
        client_s, engines_s = self._cpu(lambda: self._write(batches[:calm], settle=True))
        self._write_beside_a_death(batches[calm:])
        rows = sum(batch.count for batch in batches)
        smallest, several = must_hold(self._clients, rows)
        for client in self._clients:
            merge_weeks(client, current=True)
        traced, answers, contacts = self._traced(self._shards)
        asked, same, _ = self._traced(Shards(self._clients, self._last_place, by_projection=False))
        if same != answers:
            raise UserError(
                "Truy vết hỏi thẳng bảng trả lời khác. / "
                "Traces that ask the table answer otherwise."
            )
        alone = self._traced(Shards(self._clients[:1], self._last_place))[1]
        written = sum(batch.count for batch in batches[:calm])
        measured = Sharded(
            shards=len(self._engines),
            rows=rows,
            smallest=smallest,
            people_on_several=several,
            client_us=round(1e6 * client_s / written, 2),
            engines_us=round(1e6 * engines_s / written, 2),
            settled=int(self._metrics.counter(INSERT_RETRIES)._value.get()),
            traced=traced,
            asked_table=asked,
            contacts=contacts,
            differ_alone=sum(a != b for a, b in zip(alone, answers, strict=True)),
        )
        return measured, answers

    def _cpu(self, work: Callable[[], Any]) -> tuple[float, float]:
        """CPU seconds that it takes of this process, and of the engines."""
        own, theirs = time.process_time(), sum(engine.cpu_s for engine in self._engines)
        work()
        spent = sum(engine.cpu_s for engine in self._engines) - theirs
        return time.process_time() - own, spent

    def _write(self, batches: Sequence[Rows], *, settle: bool = False) -> None:
        writer = Writer(
            self._shards,
            self._metrics,
            topic=_TOPIC,
            run="bench",
            retention_days=0,
            insert_timeout_s=_INSERT_S,
        )
        for batch in batches:
            writer.write(batch, _NONE, lambda: time.monotonic() + _SURE_S)
        if settle:  # the merges that these rows cause are part of what they cost
            for client in self._clients:
                quiet(client)

    def _write_beside_a_death(self, batches: Sequence[Rows]) -> None:
        """The last engine is killed in the middle of it, and started again."""
        with ThreadPoolExecutor(1, "write") as pool:
            writing = pool.submit(self._write, batches)
            time.sleep(_KILL_S)
            self._engines[-1].kill()
            self._engines[-1].start_again()
            writing.result()

    def _traced(self, shards: Shards) -> tuple[Traced, list[str], int]:
        tracer = Tracer(shards, self._places, self._city)
        cases = tracer.cases(self._plan.cases)
        for case in cases[:_WARM_UP]:
            tracer.trace(case)
        seconds: list[float] = []
        answers: list[str] = []
        contacts = 0

        def trace() -> None:
            nonlocal contacts
            for case in cases:
                took, result = tracer.timed(case)
                seconds.append(took)
                answers.append(_answer(result))
                contacts += result.contacts.height

        client_s, engines_s = self._cpu(trace)
        p50, p99, _ = percentiles(seconds)
        each = 1000 / len(cases)
        traced = Traced(p50, p99, round(client_s * each, 1), round(engines_s * each, 1))
        return traced, answers, contacts


def _batches(city: TraceCity, size: int) -> Iterator[Rows]:
    """The city's scans as a worker's batches: each of one partition, in the order of time."""
    tables = ScanTables(city)
    days = [city.day(number) for number in range(DAYS)]
    columns = zip(*((day.who, day.place, day.at, day.out) for day in days), strict=True)
    whole = Scans(*map(np.concatenate, columns))
    for begin in range(0, len(whole), PARTITIONS * size):
        for scans in by_partition(whole.part(begin, begin + PARTITIONS * size)):
            if len(scans):
                yield _rows(tables.of(scans))


def _rows(table: pa.Table) -> Rows:
    offsets = table.column("kafka_offset")
    partition = table.column("kafka_partition")[0].as_py()
    scans = {SCANS: table.drop_columns(["written_at"])}  # the writer's own
    return Rows(partition, offsets[0].as_py(), offsets[-1].as_py(), scans)


def _answer(result: TraceResult) -> str:
    """Of the run and its contacts as they are stored, to the byte."""
    whole = orjson.dumps([run_document(result), contact_documents(result)])
    return hashlib.sha256(whole).hexdigest()


def _ratios(found: Sequence[Sharded]) -> dict[str, Any]:
    """What each number of shards costs, in times of the one engine's."""
    one = found[0]
    rows = []
    for some in found:
        row = asdict(some)
        row["times"] = {
            "client_us": round(some.client_us / one.client_us, 2),
            "engines_us": round(some.engines_us / one.engines_us, 2),
            "p50_ms": round(some.traced.p50_ms / one.traced.p50_ms, 2),
            "client_cpu_ms": round(some.traced.client_cpu_ms / one.traced.client_cpu_ms, 2),
            "engines_cpu_ms": round(some.traced.engines_cpu_ms / one.traced.engines_cpu_ms, 2),
        }
        rows.append(row)
    return {"shards": rows}
