"""A benchmark's own Kafka and engine with a registered city, and what is started on them."""

import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException

from bench.load_city import register_city
from bench.load_encode import Mix
from bench.load_offsets import Accounted, Log, account
from bench.load_run import RunningLoad
from bench.process_usage import Usage, usage
from bench.process_worker import Worker, wait_for
from deploy.embedded.service import BackOff
from deploy.embedded.stack import Stack, StackOptions
from schemas.errors import UserError
from schemas.places import Place
from schemas.settings import PREFIX, Settings, load_settings
from streams.clickhouse import ClickHouse
from streams.convert import OUTCOMES
from streams.migrate import migrate

_QUIET_S = 2.0
# A nation's setting: 128 million ids in eight partitions, more than a day of 100 million scans.
NATION = {"duplicate_past": 16_000_000}


@dataclass
class Bench:
    """Kafka and the engine on this machine, loopback only, with places and codes."""

    stack: Stack
    settings: Settings
    clickhouse: ClickHouse
    places: list[Place]
    log: Log
    seed: int
    _workers: list[Worker] = field(default_factory=list)
    _loads: list[RunningLoad] = field(default_factory=list)

    @property
    def tokens_file(self) -> Path:
        """The live codes, one a line."""
        return self.settings.data_dir / "bench-tokens.txt"

    def worker(self, **changed: Any) -> Worker:
        """A worker, ready; `changed` are settings by name."""
        worker = self.begin_worker(**changed)
        worker.wait_ready()
        return worker

    def begin_worker(self, *, tree: Path | None = None, **changed: Any) -> Worker:
        """A worker whose process has just begun; `changed` are settings by name.

        `tree` is another version's source.
        """
        env = {
            **os.environ,
            **self.stack.env,
            **{PREFIX + name.upper(): str(value) for name, value in changed.items()},
        }
        log = self.settings.data_dir / "logs" / f"bench-worker-{len(self._workers)}.log"
        worker = Worker(env, log, tree)
        self._workers.append(worker)
        return worker

    def load(
        self, rate: float, records: int, mix: Mix | None = None, linger_ms: int = 5
    ) -> RunningLoad:
        """A load that publishes already; each has event ids and people of its own."""
        self.seed += 1
        load = RunningLoad(
            self.settings.kafka_bootstrap,
            self.tokens_file,
            rate=rate,
            records=records,
            seed=self.seed,
            mix=mix,
            linger_ms=linger_ms,
        )
        self._loads.append(load)
        load.wait_begun()
        return load

    def usage(self, service: str) -> Usage:
        """CPU and memory of `kafka` or `engine`. Raises UserError while it is down."""
        found = self.stack.status().service(service)
        if found is None or found.pid is None:
            raise UserError(f"{service} không chạy. / {service} does not run.")
        return usage(found.pid)

    def drain(self, timeout_s: float) -> None:
        """Until the committed offsets are the log's ends. Raises UserError."""

        def reached() -> bool:
            try:
                return self.log.backlog() == 0
            except KafkaException:  # a broker that is too busy to answer is asked again
                return False

        wait_for(reached, timeout_s, "the workers to reach the log's end")

    def parts(self, table: str = "scans") -> int:
        """Active parts of a table."""
        [(count,)] = self.clickhouse.rows(
            f"SELECT count() FROM system.parts WHERE active AND table = '{table}'"  # noqa: S608
        )
        return int(count)

    def wait_merged(self, timeout_s: float) -> None:
        """Until the engine has merged nothing for two seconds. Raises UserError."""
        quiet_since = time.monotonic()

        def quiet() -> bool:
            nonlocal quiet_since
            if self.clickhouse.rows("SELECT count() FROM system.merges")[0][0]:
                quiet_since = time.monotonic()
            return time.monotonic() - quiet_since >= _QUIET_S

        wait_for(quiet, timeout_s, "the engine's merges to end")

    def empty_tables(self) -> None:
        """The tables of outcomes hold nothing after."""
        for table in OUTCOMES:
            self.clickhouse.command(f"TRUNCATE TABLE {table}")

    def check_counts(self, wanted: Mapping[str, int], what: str) -> None:
        """Raises UserError unless the tables of outcomes hold as many rows; none if not named."""
        counts = {
            table: int(self.clickhouse.rows(f"SELECT count() FROM {table}")[0][0])  # noqa: S608
            for table in OUTCOMES
        }
        if counts != {**dict.fromkeys(OUTCOMES, 0), **wanted}:
            raise UserError(
                f"{what}: các bảng có {counts}, không phải {wanted}. / "
                f"{what}: the tables hold {counts}, not {wanted}."
            )

    def account(self) -> Accounted:
        """The tables beside the log. Raises UserError unless every offset is there once."""
        found = account(self.clickhouse, self.log.ranges())
        if not found.exact:
            raise UserError(
                f"Các bảng không khớp với log: {found}. / "
                f"The tables are not what the log is: {found}."
            )
        return found

    def end(self) -> None:
        """End what is still running."""
        for load in self._loads:
            with suppress(UserError):
                load.kill()
        for worker in self._workers:
            worker.stop()
        self.log.close()
        self.clickhouse.close()


@contextmanager
def running_bench(
    data_dir: Path,
    *,
    places: int = 5_000,
    seed: int = 7,
    env: Mapping[str, Any] | None = None,
    back_off: BackOff | None = None,
) -> Iterator[Bench]:
    """On a data directory of its own, which must be empty or absent. Raises UserError.

    `env` are settings by name, for everything that runs here.
    """
    if data_dir.exists() and any(data_dir.iterdir()):
        raise UserError(
            f"{data_dir} không trống: phép đo cần một thư mục riêng. / "
            f"{data_dir} is not empty: the benchmark needs a directory of its own."
        )
    with running_again(data_dir, places=places, seed=seed, env=env, back_off=back_off) as bench:
        yield bench


@contextmanager
def running_again(
    data_dir: Path,
    *,
    places: int = 5_000,
    seed: int = 7,
    env: Mapping[str, Any] | None = None,
    back_off: BackOff | None = None,
    migrated: Callable[[Settings], object] = migrate,
) -> Iterator[Bench]:
    """As `running_bench`, on a data directory that may have been prepared.

    `migrated` makes topics and tables.
    """
    changed = {PREFIX + name.upper(): str(value) for name, value in (env or {}).items()}
    options = StackOptions(data_dir=data_dir, services=frozenset({"kafka", "engine"}), env=changed)
    with Stack(options, back_off=back_off) as stack:
        settings = load_settings(options.data_dir)
        migrated(settings)
        made = register_city(settings, places, seed)
        # event ids of two runs on one directory must differ; people and places need not
        first_seed = secrets.randbelow(2**31)
        bench = Bench(
            stack, settings, ClickHouse(settings, timeout_s=900), made, Log(settings), first_seed
        )
        bench.tokens_file.write_text("\n".join(place.codes[-1].token for place in made))
        try:
            yield bench
        finally:
            bench.end()
