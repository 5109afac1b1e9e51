"""When the rest of an erased person's data is gone: topics and backups are not edited, they age."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from schemas.clock import LOCAL
from schemas.settings import Settings
from schemas.topics import ALERTS, CASES, DLQ, SCANS

_SEGMENT_DAYS = 1  # the topics' `segment.ms`: a closed segment goes whole
_OUTBOX_DAYS = 7


@dataclass(frozen=True)
class Rest:
    """Something that still has data, what, and the local day from which it has none (None: it
    keeps what it has)."""

    what: str
    has: tuple[str, str]
    gone_by: date | None


def rest(settings: Settings, before: datetime) -> list[Rest]:
    """What is left anywhere of what was reported before this moment, and until when."""
    day = before.astimezone(LOCAL).date()
    days = settings.retention_days
    topics = day + timedelta(days=days + _SEGMENT_DAYS + 1) if days else None
    return [
        Rest(f"topic {SCANS.name}", ("bản ghi lượt quét", "scans as they were sent"), topics),
        Rest(f"topic {DLQ.name}", ("bản ghi bị từ chối", "refused records"), topics),
        Rest(f"topic {ALERTS.name}", ("cảnh báo cho cán bộ", "alerts to officers"), topics),
        Rest(
            f"topic {CASES.name}",
            ("bản cũ của ca đã kết thúc, đến khi nén", "older versions of ended cases, until "
             "compaction"),
            None,
        ),
        Rest(
            "segments",
            (
                "bản sao để truy vết, đến lần làm mới sau (vài giây)",
                "copies for traces, until the next round (seconds)",
            ),
            day,
        ),
        Rest(
            "outbox",
            ("sự kiện vừa gửi đi", "events on their way"),
            day + timedelta(days=_OUTBOX_DAYS + 1),
        ),
        Rest(
            "backups",
            (
                f"bản sao lưu cũ, giữ {settings.backup_days} ngày",
                f"backups of before, kept {settings.backup_days} days",
            ),
            day + timedelta(days=settings.backup_days + 1),
        ),
    ]  # fmt: skip
