"""The stages a place goes through until it is scanned, in their order, and their names."""

from enum import StrEnum
from typing import Final


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


def reached(scanned_days: int, inspected_days: int) -> dict[Stage, str]:
    """Whether a row of the table `coverage` has reached each stage, as SQL over its columns.

    Scanned and inspected: within so many days before the row's round.
    """
    return {
        Stage.REGISTERED: "site > 0",
        Stage.CODE: "code",
        Stage.DUTY: "duty",
        Stage.PRINTED: "printed",
        Stage.POSTED: "posted",
        Stage.INSPECTED: f"inspected_at > toDateTime(round) - INTERVAL {inspected_days:d} DAY",
        Stage.SCANNED: f"last_scan > toDateTime(round) - INTERVAL {scanned_days:d} DAY",
    }
