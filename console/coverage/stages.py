"""The stages a place goes through until it is scanned, in their order, and their names."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from schemas.settings import Settings


class Stage(StrEnum):
    """From the list of those who must, to a code that people scan."""

    REGISTERED = "registered"
    CODE = "code"
    DUTY = "duty"
    PRINTED = "printed"
    POSTED = "posted"
    INSPECTED = "inspected"
    SCANNED = "scanned"


STAGES: Final = tuple(Stage)
NAMES: Final[dict[Stage, tuple[str, str]]] = {
    Stage.REGISTERED: ("đã đăng ký", "registered"),
    Stage.CODE: ("đã cấp mã", "code issued"),
    Stage.DUTY: ("có người phụ trách", "duty person named"),
    Stage.PRINTED: ("đã in", "printed"),
    Stage.POSTED: ("đã dán", "posted"),
    Stage.INSPECTED: ("đã kiểm tra", "inspected"),
    Stage.SCANNED: ("có lượt quét", "scanned"),
}
REQUIRED_NAME: Final = ("phải có mã", "required")


@dataclass(frozen=True)
class Within:
    """In how many days before a round a scan, and an inspection, counts."""

    scanned_days: int
    inspected_days: int

    @classmethod
    def of(cls, settings: Settings) -> "Within":
        """As the settings say."""
        return cls(settings.coverage_scanned_days, settings.coverage_inspected_days)


def reached(within: Within) -> dict[Stage, str]:
    """Whether a row of the table `coverage` has reached each stage, as SQL over its columns."""
    return {
        Stage.REGISTERED: "site > 0",
        Stage.CODE: "code",
        Stage.DUTY: "duty",
        Stage.PRINTED: "printed",
        Stage.POSTED: "posted",
        Stage.INSPECTED: _since("inspected_at", within.inspected_days),
        Stage.SCANNED: _since("last_scan", within.scanned_days),
    }


def _since(column: str, days: int) -> str:
    return f"{column} > toDateTime(round) - INTERVAL {days:d} DAY"
