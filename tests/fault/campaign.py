"""Many kills, one system, traffic all the time: rounds of faults drawn from a seed.

Two workers share the partitions. Each is given a named point at which it will die, or a moment;
in some rounds the engine or the broker is killed as well. A worker that waits for a rebalance gets
one from others that join for a while. A round is over when both workers are dead; the next two
take over from them.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from confluent_kafka import KafkaException

from schemas.clickhouse import TTL_MARGIN_DAYS
from schemas.topics import SCANS
from tests.fault.checker import Agreed, Checker
from tests.fault.opencase import CaseScans, OpenCase
from tests.fault.points import POINTS
from tests.fault.proxy import Fault, Proxy, Seeded
from tests.system import System, Traffic, WorkerProcess

TIMING: Final = {
    "session_timeout_s": 6,
    "insert_timeout_s": 3,
    "flush_ms": 150,
    "duplicate_ids": 1_000,  # so few that ids leave the window all the time,
    "duplicate_past": 4_000,  # and what is remembered of them is forgotten
}
AT_ONCE: Final = "at_once"  # instead of a named point: a moment of the clock
_LATEST_S: Final = 60.0  # a point that is not reached by then is not reached
_PASSES_EVERY_S, _STAYS_S = 12.0, 8.0  # others join, where somebody waits for a rebalance
_SERVICE_FATES: Final = ("engine", "kafka")
_LINE_FAULTS: Final = (
    Fault.REFUSED, Fault.CUT, Fault.NO_SPACE, Fault.NO_SPACE_AFTER, Fault.CLOSED_AFTER,
    Fault.SLOW, Fault.LEFT_BEHIND,
)  # fmt: skip
_LINE_FAULT_SHARE: Final = 0.02
_IN_TRANSACTION: Final = 40
# Some workers write as if they had come to it so late that the oldest scans are kept no more.
_LATER_DAYS: Final = TTL_MARGIN_DAYS + 2
_LATER_EVERY: Final = 3


@dataclass(frozen=True)
class Fate:
    """How one worker of a round ends: at the `nth` pass of a point, or after `seconds`."""

    point: str
    nth: int
    seconds: float


@dataclass(frozen=True)
class Round:
    """What happens to two workers, and to a service (or none) `service_after` seconds in."""

    fates: tuple[Fate, Fate]
    service: str | None
    service_after: float

    @property
    def kills(self) -> int:
        """How many processes die."""
        return len(self.fates) + (self.service is not None)


def plan(seed: int, kills: int) -> Iterator[Round]:
    """Rounds with `kills` kills in all; every named point comes once before any comes again."""
    rng = Random(seed)
    deck: list[str] = []
    services: list[str] = []
    left = kills
    while left > 0:
        fates = []
        for _ in range(2):
            if not deck:
                deck = [*POINTS, AT_ONCE, AT_ONCE]
                rng.shuffle(deck)
            point = deck.pop()
            most = POINTS.get(point, 1)
            fates.append(Fate(point, rng.randint(1, most), rng.uniform(0.5, 9.0)))
        if not services:
            services = [*_SERVICE_FATES, *_SERVICE_FATES, ""]
            rng.shuffle(services)
        service = services.pop() or None
        yield Round((fates[0], fates[1]), service, rng.uniform(0.2, 7.0))
        left -= 2 + (service is not None)


class Campaign:
    """Runs rounds and checks. `say` is told each step; raises AssertionError when a check fails."""

    def __init__(
        self,
        system: System,
        seed: int,
        directory: Path,
        *,
        rate: int = 1_500,
        weaken: Sequence[str] = (),
        say: Callable[[str], None] = print,
    ) -> None:
        self._system = system
        self._seed = seed
        self._hits = directory / "hits"
        self._rate = rate
        self._weaken = [argument for part in weaken for argument in ("--weaken", part)]
        self._say = say
        self._case = OpenCase(system)
        self._checker = Checker(system, self._case)
        self._maker = CaseScans(system, seed, self._case)
        self._transacted = CaseScans(system, seed + 1_000_000, self._case)
        self._line = Proxy(
            system.settings.clickhouse_url, Seeded(seed, _LINE_FAULT_SHARE, _LINE_FAULTS)
        )
        self._began = 0.0
        self._workers = 0
        self.killed: Counter[str] = Counter()
        self.not_reached: list[str] = []

    @property
    def kills(self) -> int:
        """Processes killed so far."""
        return sum(self.killed.values())

    @property
    def line_faults(self) -> Counter[str]:
        """What the line to the engine did so far."""
        return self._line.done

    def run(self, kills: int, check_every: int = 25) -> Agreed:
        """Kill as planned, `kills` or one or two more, and those who join and check come on top.

        Those are as many as a slow machine makes them: no planned death is left out for them.
        Checks now and then, and at the end.
        """
        self._began = time.monotonic()
        rounds = list(plan(self._seed, kills - 1))
        with self._line:
            first = self._worker(None)
            first.start()
            self._case.register()
            first.kill()
            self.killed["at_once"] += 1
            agreed: Agreed | None = None
            checked = self.kills
            traffic = self._traffic()
            try:
                for number, round_ in enumerate(rounds, 1):
                    self._round(round_)
                    self._say(
                        f"round {number}, {self.kills} kills, "
                        f"{time.monotonic() - self._began:.0f} s: {_words(round_)}"
                    )
                    if self.kills - checked >= check_every or number == len(rounds):
                        checked = self.kills
                        traffic.stop()
                        agreed = self._check()
                        if number < len(rounds):
                            traffic = self._traffic()
            finally:
                traffic.stop()
        assert agreed is not None
        return agreed

    def hits(self) -> Counter[str]:
        """How often a worker died at each named point, by its own note."""
        if not self._hits.exists():
            return Counter()
        return Counter(line.split()[0] for line in self._hits.read_text().splitlines())

    def _traffic(self) -> Traffic:
        traffic = Traffic(self._system, self._maker, self._rate)
        traffic.start()
        return traffic

    def _worker(self, fate: Fate | None) -> WorkerProcess:
        launcher = ["-m", "tests.fault.worker", *self._weaken]
        self._workers += 1
        if self._workers % _LATER_EVERY == 0:
            launcher += ["--days-later", str(_LATER_DAYS)]
        if fate is not None and fate.point != AT_ONCE:
            launcher += ["--at", f"{fate.point}:{fate.nth}", "--hits", str(self._hits)]
        return self._system.new_worker(launcher, clickhouse_url=self._line.url, **TIMING)

    def _transaction(self) -> None:
        """One that is aborted and one that is not: records nobody may count, and markers."""
        producer = self._system.producer(
            **{"transactional.id": "fault", "transaction.timeout.ms": 10_000, "log_level": 2}
        )
        try:
            producer.init_transactions(20)
            for end in (producer.abort_transaction, producer.commit_transaction):
                producer.begin_transaction()
                for key, value in self._transacted.make(_IN_TRANSACTION):
                    producer.produce(SCANS.name, key=key, value=value)
                producer.flush(20)  # what has not been sent an abort drops: it would test nothing
                end(20)
        except KafkaException as error:  # a broker that was just killed: the next one aborts it
            self._say(f"a transaction was left open: {error}")

    def _round(self, round_: Round) -> None:
        self._transaction()
        began = time.monotonic()
        workers = []
        for fate in round_.fates:
            worker = self._worker(fate)
            worker.launch()
            workers.append(worker)
        alive = dict(zip(workers, round_.fates, strict=True))
        service = round_.service
        passer_by: WorkerProcess | None = None
        passes_at = _PASSES_EVERY_S
        while alive or service:
            now = time.monotonic() - began
            if passer_by and _has_passed(passer_by, now - (passes_at - _PASSES_EVERY_S)):
                self._end(passer_by)
                passer_by = None
            waits = any(f.point.startswith("rebalance") for f in alive.values())
            if waits and not passer_by and now >= passes_at:
                passer_by = self._worker(None)
                passer_by.launch()
                passes_at = now + _PASSES_EVERY_S
            if service and now >= round_.service_after:
                self._kill_service(service)
                service = None
            for worker, fate in list(alive.items()):
                if self._ended(worker, fate, now):
                    del alive[worker]
            time.sleep(0.02)
        if passer_by:
            self._end(passer_by)

    def _end(self, worker: WorkerProcess) -> None:
        if worker.alive:  # it may have stopped by itself when its broker died
            worker.kill()
            self.killed[AT_ONCE] += 1

    def _ended(self, worker: WorkerProcess, fate: Fate, now: float) -> bool:
        if not worker.alive:
            if worker.exit_code == -9:
                self.killed[fate.point] += 1
                return True
            # it may stop by itself when its broker dies; it says so and is started again
            assert self._weaken or worker.exit_code in (0, 1, 70), worker.log.read_text()[-2000:]
            if self._weaken:
                return True
            worker.launch()
            return False
        if fate.point == AT_ONCE and now >= fate.seconds:
            worker.kill()
            self.killed[AT_ONCE] += 1
            return True
        if now > _LATEST_S:
            worker.kill()
            self.killed[AT_ONCE] += 1
            self.not_reached.append(f"{fate.point}:{fate.nth}")
            return True
        return False

    def _kill_service(self, service: str) -> None:
        self._system.stack.kill(service)
        self.killed[service] += 1
        self._system.stack.wait_ready(service, timeout_s=120)

    def _check(self) -> Agreed:
        worker = self._worker(None)
        worker.launch()

        def keep_alive() -> None:
            if not worker.alive and not self._weaken:
                worker.launch()

        self._checker.check_tables()
        self._checker.wait(keep_alive, timeout_s=30 if self._weaken else 120)
        agreed = self._checker.check()
        self._say(f"after {self.kills} kills: {agreed}")
        worker.kill()
        self.killed[AT_ONCE] += 1
        return agreed


def _has_passed(passer_by: WorkerProcess, for_s: float) -> bool:
    """One that never joins makes nobody rebalance: a machine that is slow gives it longer."""
    if for_s < _STAYS_S or not passer_by.alive:
        return for_s >= _STAYS_S
    return for_s >= 3 * _STAYS_S or passer_by.ready()


def _words(round_: Round) -> str:
    fates = [
        f"{f.point} after {f.seconds:.1f} s" if f.point == AT_ONCE else f"{f.point} pass {f.nth}"
        for f in round_.fates
    ]
    if round_.service:
        fates.append(f"{round_.service} after {round_.service_after:.1f} s")
    return ", ".join(fates)
