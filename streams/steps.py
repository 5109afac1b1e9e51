"""The way of a scan, read as a sentence: decode, validate, erase, resolve, deduplicate,
convert.

All of it is computation on one batch, in one thread, without touching the network, but for the
look-up that old or misplaced scans need.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from schemas import metrics as m
from schemas.meters import Metrics
from streams.batch import RawBatch, Verdicts
from streams.convert import Rows, convert
from streams.decode import decode
from streams.deduplicate import LookUp, deduplicate
from streams.directory import Directory
from streams.erase import erase
from streams.erasures import Erasures
from streams.givenup import GivenUp
from streams.resolve import Resolved, awaited, resolve
from streams.standing import Standing, put_back, set_aside
from streams.validate import validate
from streams.window import Window


@dataclass(frozen=True)
class Judged:
    """A batch after the last step: its verdicts, the places of its scans, and its rows."""

    verdicts: Verdicts
    resolved: Resolved
    rows: Rows
    misplaced: int


class Steps:
    """The steps with what they need to know."""

    def __init__(
        self,
        directory: Directory,
        erasures: Erasures,
        metrics: Metrics,
        *,
        retention_days: int,
        partitions: int,
        look_up: LookUp,
    ) -> None:
        self._directory = directory
        self._erasures = erasures
        self._metrics = metrics
        self._retention_days = retention_days
        self._partitions = partitions
        self._look_up = look_up
        self._given_up = GivenUp()

    def read(self, raw: RawBatch, standing: Standing | None = None) -> Verdicts:
        """What can be said without knowing the codes: decode, validate, erase. Records that the
        tables have already keep the verdict that is there."""
        with self._timed("decode"):
            verdicts = decode(raw)
            if standing is not None:
                set_aside(verdicts, standing, self._erasures)
        with self._timed("validate"):
            validate(verdicts, self._directory, self._retention_days)
            erase(verdicts, self._erasures)
        return verdicts

    def waits(self, verdicts: Verdicts) -> bool:
        """Whether one of its codes is ours, not yet known, and not given up."""
        return bool(self._given_up.others(awaited(verdicts, self._directory)))

    def give_up(self, verdicts: Verdicts) -> None:
        """Wait for these codes no more: one that never comes must not hold up every batch it is
        in. Should it come after all, it is known like any other."""
        self._given_up.add(awaited(verdicts, self._directory))
        self._metrics.counter(m.CODE_WAITS).inc()

    def judge(self, verdicts: Verdicts, window: Window) -> Judged:
        """Resolve, deduplicate and convert. Raises Retryable when a look-up fails, unchanged."""
        kept = verdicts.scans, verdicts.rejected
        try:
            with self._timed("resolve"):
                resolved = resolve(verdicts, self._directory)
            with self._timed("deduplicate"):
                resolved, hashes, misplaced = deduplicate(
                    verdicts, resolved, window, self._partitions, self._look_up
                )
        except BaseException:
            verdicts.scans, verdicts.rejected = kept
            raise
        if verdicts.written is not None:
            resolved, hashes = put_back(verdicts, verdicts.written, resolved, hashes)
        with self._timed("convert"):
            rows = convert(verdicts, resolved, hashes)
        return Judged(verdicts, resolved, rows, misplaced)

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        clock = self._metrics.histogram(m.STEP_SECONDS, step).time()
        with clock, self._metrics.cpu(m.STEP_CPU, step):
            yield
