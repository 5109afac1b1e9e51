"""Every Kafka topic: name, key, how it is kept. Created by `truyvet migrate`.

Broker timestamps (`LogAppendTime`) everywhere: a timestamp in the past would make Kafka's
retention delete the record at once.
"""

from dataclasses import dataclass
from typing import Final

from schemas.scan import MAX_SCAN_BYTES

DAY_MS: Final = 86_400_000
# A reject carries its original whole, which can be as large as the broker let in, and headers.
SCANS_MAX_MESSAGE: Final = 1024 * 1024
DLQ_MAX_MESSAGE: Final = SCANS_MAX_MESSAGE + 64 * 1024


@dataclass(frozen=True)
class Topic:
    """One topic. `partitions` None means the setting `scan_partitions`, fixed once made."""

    name: str
    key: str
    cleanup: str
    carries: str
    partitions: int | None = 1
    keeps_retention: bool = False
    max_message: int | None = None

    def config(self, retention_days: int) -> dict[str, str]:
        """Topic configuration; `retention_days` 0 keeps everything."""
        config = {"cleanup.policy": self.cleanup, "message.timestamp.type": "LogAppendTime"}
        if "delete" in self.cleanup:
            kept = self.keeps_retention and retention_days > 0
            config["retention.ms"] = str(retention_days * DAY_MS if kept else -1)
        if self.keeps_retention:
            # what is gone at the latest: retention after arrival + one segment
            config["segment.ms"] = str(DAY_MS)
        if self.max_message is not None:
            config["max.message.bytes"] = str(self.max_message)
        return config


SCANS: Final = Topic(
    "scans.v1", "person", "delete", "a scan", None, True, max_message=SCANS_MAX_MESSAGE
)
DLQ: Final = Topic(
    "scans.v1.dlq",
    "topic/partition/offset of the original",
    "compact,delete",
    "the original bytes of a refused scan; headers say where it was and why",
    1,
    True,
    max_message=DLQ_MAX_MESSAGE,
)
SITES: Final = Topic("sites.v1", "site/<id> or place/<id>", "compact", "sites, places, their codes")
COVERAGE: Final = Topic(
    "coverage.v1",
    "posting/<place>, list/<list> or required/<list>/<entry>",
    "compact",
    "which establishments are required, what is put up where",
)
PRODUCERS: Final = Topic(
    "producers.v1", "producer", "compact", "allowed places and methods, active or not"
)
CASES: Final = Topic("cases.v1", "case", "compact", "registered, amended, closed, voided")
TRACES: Final = Topic(
    "traces.v1", "case", "delete", "a case to trace again, because scans have come", 1, True
)
ALERTS: Final = Topic("alerts.v1", "case", "delete", "for officers", 1, True)
NOTICES: Final = Topic("notices.v1", "recipient", "delete", "released notices", 1, True)
INSPECTIONS: Final = Topic("inspections.v1", "place", "delete", "steps of inspections", 1, True)

ERASURES: Final = Topic(
    "erasures.v1", "keyed hash of the person", "compact", "who was erased, up to which moment"
)

TOPICS: Final = (
    SCANS, DLQ, SITES, COVERAGE, PRODUCERS, CASES, TRACES, ALERTS, NOTICES, INSPECTIONS, ERASURES,
)  # fmt: skip

assert SCANS.max_message is not None
assert MAX_SCAN_BYTES < SCANS.max_message < DLQ_MAX_MESSAGE
