"""`truyvet worker`: one process that shares the partitions with the others of its group."""

import asyncio
import os
import secrets
import signal
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, cast

import faust
import structlog
from faust.exceptions import ConsumerNotStarted
from faust.types import TP
from prometheus_client import CollectorRegistry

from issuer.codes import KeyRing
from issuer.kinds import kinds, sectors
from schemas import metrics as m
from schemas.errors import Fatal
from schemas.logs import configure_logging
from schemas.meters import Metrics
from schemas.settings import Settings
from schemas.topics import CASES, ERASURES, PRODUCERS, SCANS, SITES, TRACES
from streams import memory
from streams.accounts import Accounts
from streams.again import Again
from streams.app import add_case_agent, add_scan_agent, add_trace_agent, create_app
from streams.casework import CaseWork, asking
from streams.clickhouse import ClickHouse, Priority
from streams.directory import Directory
from streams.erasures import Erasures, list_key
from streams.follow import Follower, each
from streams.followup import FollowUp
from streams.housekeeping import keep_house
from streams.latency import Latencies
from streams.leaving import WITHIN_S, leave_within
from streams.machine import note_disk
from streams.monitor import Monitor
from streams.pipeline import Pipeline
from streams.publish import Publisher
from streams.recall import Recall
from streams.rejectlimit import RejectLimit, RejectPolicy, TooManyRejects
from streams.samelog import check_log
from streams.segments.keeping import open_held
from streams.shop import Shop, Slots
from streams.spans import open_spans
from streams.steps import Steps
from streams.tracing import Tracing
from streams.transport import BatchConsumer, Hooks
from streams.warm import warm
from streams.watch import OpenCases
from streams.watcher import CaseWatcher
from streams.write import Writer
from tracer.parameters import load_parameters
from tracer.ruleset import load_rule_sets

log = structlog.get_logger()
_SPARE_THREADS = 8  # beside a slot's write each, for taking over a few partitions at once
EXIT_FATAL = 70


class Worker:
    """Everything one worker process is made of, wired once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.exit_code = 0
        self.metrics = Metrics(CollectorRegistry(), of="worker")
        self.latencies = Latencies()
        self.spans = open_spans(settings, self.metrics, "truyvet-worker")
        self.clickhouse = ClickHouse(settings, timeout_s=settings.insert_timeout_s + 5)
        self.directory = Directory(KeyRing.parse(settings.code_keys.get_secret_value()))
        self.erasures = Erasures(list_key(settings.person_key.get_secret_value()))
        self.open_cases = OpenCases()
        self.publisher = Publisher(settings)
        self.recall = Recall(self.clickhouse, settings, self.metrics)
        tables = ClickHouse(settings, settings.insert_timeout_s + 5, Priority.CASES)
        self.held = open_held(settings, tables, self.metrics)
        self.tracing = Tracing(
            tables, self.directory, load_rule_sets(kinds=kinds(), sectors=sectors()),
            load_parameters(), settings.retention_days, self.spans, self.held,
        )  # fmt: skip
        self.watcher = CaseWatcher(self.open_cases, self.tracing, asking(self.publisher))
        self.directory.told = self.watcher.places_changed
        self._follow_up = FollowUp(self.open_cases, self.watcher, self.publisher, self.metrics)
        self._accounts = Accounts(
            self.metrics, self.latencies, self.directory, settings, self.spans
        )
        self.pipeline = Pipeline(self._shop(), self._fatal, self.latencies.begin)
        self._followers = [  # the first three have been read before a case is looked at
            Follower(settings, TRACES.name, each(self.watcher.moved), news=True),
            Follower(settings, SITES.name, self.directory.site_records),
            Follower(settings, CASES.name, each(self.watcher.apply)),
            Follower(settings, PRODUCERS.name, each(self.directory.producer_record)),
            Follower(settings, ERASURES.name, each(self.erasures.record)),
        ]
        self._monitor = Monitor(
            settings, self.metrics, self.latencies, self._missing, self._refresh
        )
        self.app = create_app(settings, Hooks(self._open, self._before_revoke, self._close))
        add_scan_agent(self.app, self._ready, self.pipeline)
        work = CaseWork(
            self.tracing,
            self.publisher,
            self.watcher.open_case,
            self._accounts.alerted,
            self._accounts.told,
            self.spans,
        )
        self.again = Again(work.again)
        add_case_agent(self.app, self._ready, work, self._fatal)
        add_trace_agent(self.app, self._ready, self.again)
        self._tasks: list[asyncio.Task[Any]] = []
        self._stopped: set[int] = set()  # partitions that refused more than the limit allows
        self._closing = False
        self._asked_to_close = asyncio.Event()
        self._released = False

    def run(self) -> int:
        """Until stopped by a signal; the exit code."""
        worker = faust.Worker(
            self.app, loglevel=self._settings.log_level.upper(), override_logging=False
        )
        try:
            worker.execute_from_commandline()
        except SystemExit as stop:
            self.exit_code = self.exit_code or int(stop.code or 0)
        return self.exit_code

    def _shop(self) -> Shop:
        settings = self._settings
        return Shop(
            steps=Steps(
                self.directory,
                self.erasures,
                self.metrics,
                retention_days=settings.retention_days,
                partitions=settings.scan_partitions,
                look_up=self.recall.look_up,
            ),
            writer=Writer(
                self.clickhouse,
                self.metrics,
                topic=SCANS.name,
                run=secrets.token_hex(6),
                retention_days=settings.retention_days,
                insert_timeout_s=settings.insert_timeout_s,
                same_log=lambda partition: check_log(settings, self.clickhouse, partition),
            ),
            threads=ThreadPoolExecutor(
                settings.inflight_batches + _SPARE_THREADS, thread_name_prefix="batch"
            ),
            slots=Slots(settings.inflight_batches, settings.flush_records),
            judging=asyncio.Lock(),
            recalling=asyncio.Lock(),
            rebuild=self.recall.rebuild,
            remember=self.recall.remember,
            follow_up=self._follow_up,
            done=self._accounts.done,
            stopped=self._partition_stopped,
            limit=lambda: RejectLimit(
                RejectPolicy(settings.reject_limit, settings.reject_window_s * 1000)
            ),
            flush_records=settings.flush_records,
            flush_s=settings.flush_ms / 1000,
            code_wait_s=settings.code_wait_s,
            surely_ours_s=self._surely_ours_s,
        )

    async def _open(self) -> None:
        background = [f.run() for f in self._followers]
        background += [self.watcher.run(*(f.ready for f in self._followers[:3])), self.again.run()]
        self._tasks = [asyncio.create_task(work) for work in background]
        for task in self._tasks:
            task.add_done_callback(self._task_ended)
        await asyncio.to_thread(warm)
        keep_house(self._settings, self.metrics, self.held)
        await self._monitor.start()
        await self._before_joining()

    async def _before_joining(self) -> None:
        """Whoever has no partitions yet makes nobody wait: all that has to be read before the
        first scan is read before the group is joined, while the others work on."""
        ready = asyncio.create_task(self._ready())
        closing = asyncio.create_task(self._asked_to_close.wait())
        await asyncio.wait([ready, closing], return_when=asyncio.FIRST_COMPLETED)
        for task in (ready, closing):
            task.cancel()
        with suppress(asyncio.CancelledError, Fatal):  # the process was told to stop
            await ready

    async def _close(self) -> None:
        self._closing = True
        self._asked_to_close.set()
        leave_within(WITHIN_S, self.exit_code)
        self.pipeline.close()
        mine = [line.partition for line in self.pipeline.lines()]
        await cast(BatchConsumer, self.app.consumer).finish(self._leave(mine))
        self._released = True
        for task in self._tasks:
            task.cancel()
        await self.publisher.close()
        await asyncio.to_thread(self.spans.close)
        await self._monitor.stop()

    async def _before_revoke(self, revoked: set[TP]) -> None:
        partitions = [tp.partition for tp in revoked if tp.topic == SCANS.name]
        await self._leave(partitions)
        # the group waits for all of its workers to come so far: whatever the others had in hand is
        # written when the first batch after this is
        self._follow_up.rebalanced()
        for partition in self._stopped.intersection(partitions):
            self._stopped.discard(partition)  # whoever has it next judges it anew
            self.metrics.gauge(m.PARTITION_STOPPED, str(partition)).set(0)

    async def _leave(self, partitions: Iterable[int]) -> None:
        await self.pipeline.leave(list(partitions), self._settings.insert_timeout_s + 1)

    # what the lines ask for

    def _surely_ours_s(self) -> float:
        if self._released:  # the group is being left: somebody else may have our partitions
            return 0.0
        return self._settings.session_timeout_s - self.app.heartbeat.age()

    def _partition_stopped(self, partition: int, error: TooManyRejects) -> None:
        log.error("partition_stopped", partition=partition, detail=str(error))
        self._stopped.add(partition)
        self.metrics.gauge(m.PARTITION_STOPPED, str(partition)).set(1)
        self.app.consumer.pause_partitions({TP(SCANS.name, partition)})

    # whether it can work

    async def _ready(self) -> None:
        try:
            await self._wait_until_ready()
        except Fatal as error:
            self._fatal(error)
            raise

    async def _wait_until_ready(self) -> None:
        for follower in self._followers:
            await follower.ready.wait()
        while not await asyncio.to_thread(self.clickhouse.answers):  # noqa: ASYNC110 (a server)
            await asyncio.sleep(1)
        while not self.watcher.settled:  # noqa: ASYNC110 (a scan judged sooner raises no alert)
            await asyncio.sleep(0.05)
        partitions = self.app.consumer.topic_partitions(SCANS.name)
        if partitions is not None and partitions != self._settings.scan_partitions:
            raise Fatal(
                f"{SCANS.name} has {partitions} partitions and TRUYVET_SCAN_PARTITIONS says "
                f"{self._settings.scan_partitions}: set it to what the topic was made with"
            )

    def _missing(self) -> list[str]:
        missing = [
            f"topic {f.topic} is being read" for f in self._followers if not f.ready.is_set()
        ]
        if not self._assigned():
            missing.append("no partitions are assigned yet")
        if self.metrics.gauge(m.ENGINE_AWAY)._value.get():
            missing.append("ClickHouse cannot be written to")
        if self._stopped:
            listed = ", ".join(str(p) for p in sorted(self._stopped))
            missing.append(f"partitions {listed} stand still: more rejects than the limit allows")
        return missing

    def _assigned(self) -> bool:
        try:
            return bool(self.app.consumer.assignment())
        except ConsumerNotStarted:
            return False

    def _refresh(self) -> None:
        self._accounts.gauges(self.pipeline.lines, self.open_cases)
        self._accounts.fetching(self.app.fetching_cpu_s)
        note_disk(self.metrics, "data", self._settings.data_dir)

    def _task_ended(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._fatal(task.exception())

    def _fatal(self, error: BaseException | None) -> None:
        """Stop, say why, lose nothing: what was not acknowledged is read again."""
        if self._closing:
            return
        log.error("fatal", kind=type(error).__name__, detail=str(error), exc_info=error)
        self.exit_code = EXIT_FATAL
        os.kill(os.getpid(), signal.SIGTERM)


def run(settings: Settings) -> int:
    """Run one worker until it is stopped; the process's exit code."""
    configure_logging(settings.log_level)
    memory.configure()
    memory.seldom_collect()
    return Worker(settings).run()
