"""`truyvet bench garbage`: what a topic costs that holds nothing but one kind of bad record.

In each round an empty topic, a good one and then each kind, all as a backlog. The cost is the CPU
of worker, engine and broker from the worker's start until the log's end and the merges' end, less
what the empty topic took: what a record costs, whatever a start does. Nobody can starve the rest
with records that are dear to refuse, or to accept.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from confluent_kafka import Producer

from bench.load_city import PRODUCER
from bench.load_encode import Encoder, Mix
from bench.process_stack import Bench, running_bench
from schemas.errors import UserError
from schemas.kafka import librdkafka
from schemas.topics import SCANS

Say = Callable[[str], None]
Spoil = Callable[[bytes], bytes]
Figures = npt.NDArray[np.float64]
_DRAIN_S: Final = 900.0
_BLOCK: Final = 10_000
_LONG: Final = b'{"event_id":"' + b"x" * 4_000 + b'"}'
LIMIT: Final = 5.0

EMPTY: Final = "empty"
GOOD: Final = "good"
NO_KEY: Final = "no key"
# Each makes one kind of bad record of a good one, and says the reason it is refused for.
KINDS: Final[dict[str, tuple[str | None, Spoil]]] = {
    NO_KEY: (None, bytes),  # accepted, but each is looked up in the tables, as one too old would be
    "cut off": ("not_json", lambda v: v[: len(v) // 2]),
    "random bytes": ("not_json", lambda v: bytes(255 - b for b in v)),
    "bad UTF-8": ("not_json", lambda v: v.replace(b'"device":"', b'"device":"\xff')),
    "null": ("wrong_schema", lambda _: b"null"),
    "4,000 letters": ("wrong_schema", lambda _: _LONG),
    "field missing": ("wrong_schema", lambda v: v.replace(b'"device"', b'"gadget"')),
    "number as text": ("wrong_schema", lambda v: v[:-1] + b',"companions":"2"}'),
    "text as number": ("wrong_schema", lambda v: v[:-1] + b',"trip":7}'),
    "nested deeply": ("not_json", lambda v: v[:-1] + b',"x":' + b"[" * 500 + b"]" * 500 + b"}"),
    "unknown code": ("unknown_code", lambda v: v.replace(b'"code":"', b'"code":"z')),
    "time without zone": ("wrong_schema", lambda v: v.replace(b"Z\"", b"\"")),
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """Records of each kind."""

    records: int = 500_000
    rounds: int = 3
    places: int = 2_000
    seed: int = 7


@dataclass(frozen=True)
class Cost:
    """CPU in µs a record, medians; `ratio` of the three together to the good topic's, and
    `byte_ratio` the same for each of a record's `bytes`."""

    kind: str
    bytes: float
    worker_us: float
    engine_us: float
    broker_us: float
    per_s: float
    ratio: float
    byte_ratio: float


@dataclass(frozen=True)
class Result:
    """A cost a kind; the good topic's is first. `start_s` is the CPU of an empty topic's run."""

    records: int
    start_s: float
    limit: float
    worst: float
    costs: list[Cost]
    exact: bool

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def run(data_dir: Path, plan: Plan, say: Say) -> Result:
    """Measure on a data directory of its own. Raises UserError when a kind is not refused."""
    found: dict[str, list[Figures]] = {kind: [] for kind in (EMPTY, GOOD, *KINDS)}
    with running_bench(data_dir, places=plan.places, seed=plan.seed) as bench:
        _measure(bench, plan, GOOD, 0)  # the first finds cold files
        for number in range(1, plan.rounds + 1):
            for kind, figures in found.items():
                figures.append(_measure(bench, plan, kind, number))
                say(f"round {number}: {kind}: {figures[-1][:3].sum():.2f} s")
    start, *medians = (np.median(figures, axis=0) for figures in found.values())
    good_us, good_bytes = _us(medians[0] - start, plan).sum(), medians[0][4] / plan.records
    costs = []
    for kind, m in zip((GOOD, *KINDS), medians, strict=True):
        worker, engine, broker = _us(m - start, plan).tolist()
        size, ratio = float(m[4]) / plan.records, (worker + engine + broker) / float(good_us)
        costs.append(
            Cost(
                kind,
                bytes=round(size, 1),
                worker_us=round(worker, 3),
                engine_us=round(engine, 3),
                broker_us=round(broker, 3),
                per_s=round(plan.records / float(m[3])),
                ratio=round(ratio, 3),
                byte_ratio=round(ratio * float(good_bytes) / size, 3),
            )
        )
    # each was counted: else there is no result
    worst = max(cost.ratio for cost in costs)
    return Result(plan.records, round(float(start[:3].sum()), 3), LIMIT, worst, costs, exact=True)


def _us(figures: Figures, plan: Plan) -> Figures:
    """Worker, engine and broker CPU in µs a record."""
    return 1e6 * figures[:3] / plan.records


def _measure(bench: Bench, plan: Plan, kind: str, number: int) -> Figures:
    """CPU seconds of worker, engine and broker, seconds from ready to the log's end, and bytes."""
    reason, spoil = KINDS.get(kind, (None, bytes))
    records = 0 if kind == EMPTY else plan.records
    bench.empty_tables()
    seed = plan.seed + 1_000 * number + len(kind)
    size = _publish(bench, records, spoil, seed, keyed=kind != NO_KEY)
    bench.wait_merged(_DRAIN_S)
    engine, kafka = bench.usage("engine").cpu_s, bench.usage("kafka").cpu_s
    worker = bench.worker()
    begin = time.monotonic()
    bench.drain(_DRAIN_S)
    seconds = time.monotonic() - begin
    own = worker.usage().cpu_s
    bench.wait_merged(_DRAIN_S)
    spent = (own, bench.usage("engine").cpu_s - engine, bench.usage("kafka").cpu_s - kafka)
    worker.stop()
    bench.check_counts({"rejects" if reason else "scans": records}, kind)
    reasons = {str(row[0]) for row in bench.clickhouse.rows("SELECT DISTINCT reason FROM rejects")}
    if reasons - {reason}:
        raise UserError(
            f"{kind}: bị từ chối vì {', '.join(sorted(reasons))}, không phải vì {reason}. / "
            f"{kind}: refused for {', '.join(sorted(reasons))}, not for {reason}."
        )
    return np.array([*spent, seconds, size])


def _publish(bench: Bench, records: int, spoil: Spoil, seed: int, *, keyed: bool) -> int:
    """How many bytes they have."""
    size = 0
    producer = Producer(
        {
            **librdkafka(bench.settings),
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "linger.ms": 50,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    for key, value in _records(bench, records, seed):
        spoilt = spoil(value)
        size += len(spoilt)
        producer.produce(SCANS.name, key=key if keyed else None, value=spoilt)
        producer.poll(0)
    if left := producer.flush(60):
        raise UserError(
            f"{left} bản ghi không gửi được trong 60 giây. / "
            f"{left} records could not be published within 60 s."
        )
    return size


def _records(bench: Bench, records: int, seed: int) -> Iterator[tuple[bytes, bytes]]:
    tokens = bench.tokens_file.read_text().splitlines()
    encoder = Encoder(tokens, Mix(repeats=0.0), PRODUCER, seed)
    for begin in range(0, records, _BLOCK):
        count = min(_BLOCK, records - begin)
        now_ms = int(time.time() * 1000)
        block = encoder.block(np.full(count, now_ms, np.int64))
        yield from ((m["key"], m["value"]) for m in block.messages)
