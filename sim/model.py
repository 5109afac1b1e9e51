"""The shapes of the simulation: numpy record types, outcomes and the constants of time."""

from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Records = npt.NDArray[np.void]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Array = npt.NDArray[Any]

DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
LOCAL_OFFSET_MS: Final = 7 * 3_600_000  # Asia/Ho_Chi_Minh has had no other since 1975
MINUTES_A_DAY: Final = 1440

# Truth: who was where. `person` and `place` are positions in People and World; times are UTC
# milliseconds; `trip` is a vehicle's run, see sim/trips.py, or -1.
VISIT: Final = np.dtype(
    [("person", "<i4"), ("place", "<i4"), ("start", "<i8"), ("end", "<i8"), ("trip", "<i4")]
)

# One record on the topic before it is written as JSON. `place` of a row with a revoked or a forged
# code says where it was pretended; `aux` picks the code or the corruption.
ROW: Final = np.dtype(
    [
        ("person", "<i4"),
        ("place", "<i4"),
        ("scanned", "<i8"),
        ("upload", "<i8"),
        ("recorded", "<i8"),
        ("id_high", "<u8"),
        ("id_low", "<u8"),
        ("trip", "<i4"),
        ("aux", "<u4"),
        ("seat", "<i1"),
        ("companions", "<i1"),
        ("direction", "<u1"),
        ("method", "<u1"),
        ("outcome", "<u1"),
        ("fault", "<u1"),
    ]
)

DIRECTIONS: Final = ("in", "out", "pass")
IN, OUT, PASS = 0, 1, 2
METHODS: Final = ("self", "staff", "card", "typed")
SELF, STAFF, CARD, TYPED = 0, 1, 2, 3


class Fault(IntEnum):
    """What is wrong with a record that must be refused; 0 for one that is sound."""

    NONE = 0
    NOT_JSON = 1
    TRUNCATED = 2
    WRONG_TYPE = 3
    MISSING_FIELD = 4
    MALFORMED_PERSON = 5
    FORGED_CODE = 6
    REVOKED_CODE = 7
    FAR_FUTURE = 8
    UNKNOWN_PRODUCER = 9


# What must become of a record, by the position stored in ROW.outcome. A reject is named by
# its reason (schemas.reasons.Reason).
OUTCOMES: Final = (
    "written",
    "duplicate",
    "not_json",
    "wrong_schema",
    "malformed_id",
    "unknown_code",
    "revoked_code",
    "in_future",
    "producer_not_allowed",
)
WRITTEN, DUPLICATE = 0, 1

OUTCOME_OF: Final = {
    Fault.NOT_JSON: OUTCOMES.index("not_json"),
    Fault.TRUNCATED: OUTCOMES.index("not_json"),
    Fault.WRONG_TYPE: OUTCOMES.index("wrong_schema"),
    Fault.MISSING_FIELD: OUTCOMES.index("wrong_schema"),
    Fault.MALFORMED_PERSON: OUTCOMES.index("malformed_id"),
    Fault.FORGED_CODE: OUTCOMES.index("unknown_code"),
    Fault.REVOKED_CODE: OUTCOMES.index("revoked_code"),
    Fault.FAR_FUTURE: OUTCOMES.index("in_future"),
    Fault.UNKNOWN_PRODUCER: OUTCOMES.index("producer_not_allowed"),
}


def local_day(moment_ms: int) -> int:
    """The calendar day in Asia/Ho_Chi_Minh, counted from 1970-01-01."""
    return (moment_ms + LOCAL_OFFSET_MS) // DAY_MS


def midnight_ms(day: int) -> int:
    """The first UTC millisecond of a local day."""
    return day * DAY_MS - LOCAL_OFFSET_MS


def weekday(day: int) -> int:
    """Monday is 0; 1970-01-01 was a Thursday."""
    return (day + 3) % 7
