"""An import from end to end: survey, decide on the times, register, publish, report."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final, Protocol

from console.accounting.outbox import require_console, wait_until_published
from console.codekeys import ring_of
from console.importer import shift
from console.importer.files import Reading, Source, content_hash
from console.importer.publish import BatchPublisher
from console.importer.retention import refuse_unless_kept, too_old_before
from console.importer.rows import Refused, check_ins
from console.importer.scans import Pseudonyms, ScanMaker
from console.importer.survey import Survey, survey_of
from console.importer.times import ParseTime, moment_of
from console.importer.venues import register_venues
from console.store.engine import open_store
from issuer.keyring import KeyRing
from schemas.errors import UserError
from schemas.scan import format_timestamp
from schemas.settings import Settings
from schemas.topics import SCANS

_TOLD_EVERY: Final = 5_000


class Progress(Protocol):
    """What a long import tells: the step, how far, of how much."""

    def __call__(self, step: str, done: float, total: float) -> None: ...


@dataclass(frozen=True)
class Wanted:
    """What to import, and what its times become."""

    reading: Reading
    parse_time: ParseTime
    zone: tzinfo
    as_recorded: bool


@dataclass(frozen=True)
class Report:
    """What became of every row."""

    survey: Survey
    published: int
    weeks: int
    older_than_kept: bool
    zone: str
    ends: dict[int, int]

    def document(self) -> dict[str, Any]:
        """As JSON; rows = published + refused."""
        survey = self.survey
        assert survey.rows == self.published + survey.refused.total()
        return {
            "rows": survey.rows,
            "published": self.published,
            "refused": survey.refused.total(),
            "refused_by_reason": dict(sorted(survey.refused.items())),
            "refused_examples": [
                {"row": refused.row, "reason": refused.reason.value, "detail": refused.detail}
                for examples in survey.examples.values()
                for refused in examples
            ],
            "places": len(survey.venues),
            "shift_weeks": self.weeks,
            "zone_of_times_without_one": self.zone,
            "earliest": _text(survey.earliest_ms, self.weeks),
            "latest": _text(survey.latest_ms, self.weeks),
            "producer": "import",
        }


def import_file(settings: Settings, wanted: Wanted, now: datetime, on_progress: Progress) -> Report:
    """Import a file. Raises UserError; nothing is registered before the first pass is through."""
    pseudonyms = Pseudonyms(settings.person_key.get_secret_value())
    # before a long file is read; what is too old is told before that
    ring = None if wanted.as_recorded else _ready(settings)
    source = Source(wanted.reading)
    survey = survey_of(
        check_ins(source.rows(), wanted.reading.columns, wanted.parse_time),
        lambda: on_progress("read", source.position, source.size),
    )
    if wanted.as_recorded:
        refuse_unless_kept(settings, survey.earliest_ms, now)
    ring = ring or _ready(settings)
    weeks = 0 if wanted.as_recorded else _weeks(settings, wanted, survey, now)
    places = _register(settings, ring, survey, on_progress)
    published, ends = asyncio.run(
        _publish(settings, wanted, pseudonyms, places, weeks, on_progress)
    )
    if published != survey.good:
        raise UserError(
            "Tệp đã thay đổi trong khi đang đọc: hãy nhập lại. / "
            "The file changed while it was being read: import it again."
        )
    kept_from = too_old_before(settings, now)
    earliest = survey.earliest_ms
    older = earliest is not None and earliest + weeks * shift.WEEK_MS < kept_from
    return Report(survey, published, weeks, older, str(wanted.zone), ends)


def _ready(settings: Settings) -> KeyRing:
    """The keys of the codes; raises UserError without them or without a console."""
    ring = ring_of(settings)
    require_console(settings)
    return ring


def _weeks(settings: Settings, wanted: Wanted, survey: Survey, now: datetime) -> int:
    if survey.latest_ms is None:
        return 0
    digest = content_hash(wanted.reading.path)
    weeks = shift.kept_weeks(settings.data_dir, digest)
    if weeks is None:
        weeks = shift.weeks_to_now(survey.latest_ms, int(now.timestamp() * 1000))
        shift.keep_weeks(settings.data_dir, digest, weeks, wanted.reading.path.name)
    return weeks


def _register(
    settings: Settings, ring: KeyRing, survey: Survey, on_progress: Progress
) -> dict[str, tuple[int, str]]:
    if not survey.venues:
        return {}
    store = open_store(settings)
    total = len(survey.venues)
    try:
        places = register_venues(
            store, ring, survey.venues, lambda done: on_progress("register", done, total)
        )
        wait_until_published(
            store, lambda left: on_progress("announce", max(0, 2 * total - left), 2 * total)
        )
    finally:
        store.close()
    return places


async def _publish(
    settings: Settings,
    wanted: Wanted,
    pseudonyms: Pseudonyms,
    places: dict[str, tuple[int, str]],
    weeks: int,
    on_progress: Progress,
) -> tuple[int, dict[int, int]]:
    source = Source(wanted.reading)
    rows = check_ins(source.rows(), wanted.reading.columns, wanted.parse_time)
    async with BatchPublisher(settings, SCANS.name) as publisher:
        try:
            maker = ScanMaker(pseudonyms, places, weeks * shift.WEEK_MS, publisher.partitions)
            for number, row in enumerate(rows, start=1):
                if not isinstance(row, Refused):
                    await publisher.add(*maker.make(row))
                if number % _TOLD_EVERY == 0:
                    on_progress("publish", source.position, source.size)
            await publisher.flush()
        except UserError as error:
            vi, _, en = str(error).partition(" / ")
            done = publisher.acknowledged
            raise UserError(
                f"{vi} Đã gửi {done} dòng; khi chạy tiếp được hãy nhập lại tệp: dòng đã có sẽ được "
                f"nhận ra. / {en or vi} {done} rows are published; import the file again when it "
                "can go on: what is there already is recognised."
            ) from None
        return publisher.acknowledged, dict(publisher.highest)


def _text(moment_ms: int | None, weeks: int) -> str | None:
    if moment_ms is None:
        return None
    return format_timestamp(moment_of(moment_ms + weeks * shift.WEEK_MS))
