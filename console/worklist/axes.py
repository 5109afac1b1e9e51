"""SORMAS's four axes, kept apart, and what else an officer says of a contact.

The values are SORMAS's own (`ContactClassification`, `ContactStatus`, `FollowUpStatus`,
`ContactCategory`, `VisitStatus` of sormas-api), so that they go out as they are.
"""

from enum import StrEnum
from typing import Final


class Classification(StrEnum):
    """Whether it is a contact. Only a person changes it."""

    UNCONFIRMED = "UNCONFIRMED"
    CONFIRMED = "CONFIRMED"
    NO_CONTACT = "NO_CONTACT"


class Status(StrEnum):
    """Whether there is work left. `CONVERTED` comes of `convert` alone."""

    ACTIVE = "ACTIVE"
    CONVERTED = "CONVERTED"
    DROPPED = "DROPPED"


class FollowUp(StrEnum):
    """Whether the contact is followed day by day. Nothing here: nobody has said yet."""

    FOLLOW_UP = "FOLLOW_UP"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"
    LOST = "LOST"
    NO_FOLLOW_UP = "NO_FOLLOW_UP"


class Category(StrEnum):
    """How much follow-up the contact needs, by the officer's judgement."""

    HIGH_RISK = "HIGH_RISK"
    HIGH_RISK_MED = "HIGH_RISK_MED"
    MEDIUM_RISK_MED = "MEDIUM_RISK_MED"
    LOW_RISK = "LOW_RISK"
    NO_RISK = "NO_RISK"


class Reachability(StrEnum):
    """How the person can be reached. Nothing here: not tried yet."""

    CALL = "CALL"
    OWN_PAGE = "OWN_PAGE"
    THROUGH_SITE = "THROUGH_SITE"
    NOT_AT_ALL = "NOT_AT_ALL"


class VisitResult(StrEnum):
    """What came of a day's visit or call."""

    COOPERATIVE = "COOPERATIVE"
    UNAVAILABLE = "UNAVAILABLE"
    UNCOOPERATIVE = "UNCOOPERATIVE"


class Answer(StrEnum):
    """To a question of the rule-set."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


Words = tuple[str, str]

CLASSIFICATIONS: Final[dict[str, Words]] = {
    "UNCONFIRMED": ("chưa xác định", "not decided"),
    "CONFIRMED": ("người tiếp xúc gần (F1)", "contact (F1)"),
    "NO_CONTACT": ("không phải tiếp xúc", "not a contact"),
}
RELATIONS: Final[dict[str, Words]] = {
    "household": ("cùng nhà", "household"),
    "colleague": ("đồng nghiệp", "colleague"),
    "classmate": ("bạn học", "classmate"),
    "care": ("chăm sóc", "care"),
    "other": ("khác", "other"),
}
STATUSES: Final[dict[str, Words]] = {
    "ACTIVE": ("đang xử lý", "active"),
    "CONVERTED": ("đã thành ca bệnh", "became a case"),
    "DROPPED": ("đã đưa ra khỏi danh sách", "dropped"),
}
FOLLOW_UPS: Final[dict[str, Words]] = {
    "FOLLOW_UP": ("đang theo dõi", "followed"),
    "COMPLETED": ("đã theo dõi đủ", "completed"),
    "CANCELED": ("ngừng theo dõi", "cancelled"),
    "LOST": ("mất dấu", "lost"),
    "NO_FOLLOW_UP": ("không theo dõi", "not followed"),
}
CATEGORIES: Final[dict[str, Words]] = {
    "HIGH_RISK": ("nguy cơ cao", "high risk"),
    "HIGH_RISK_MED": ("nguy cơ cao, nhân viên y tế", "high risk, medical staff"),
    "MEDIUM_RISK_MED": ("nguy cơ vừa, nhân viên y tế", "medium risk, medical staff"),
    "LOW_RISK": ("nguy cơ thấp", "low risk"),
    "NO_RISK": ("không có nguy cơ", "no risk"),
}
REACHABILITIES: Final[dict[str, Words]] = {
    "CALL": ("gọi điện", "by call"),
    "OWN_PAGE": ("qua trang cá nhân", "own web page"),
    "THROUGH_SITE": ("qua cơ sở", "through the site"),
    "NOT_AT_ALL": ("không liên lạc được", "not at all"),
    "NOT_TRIED": ("chưa thử", "not tried"),
}
RESULTS: Final[dict[str, Words]] = {
    "COOPERATIVE": ("gặp được", "cooperative"),
    "UNAVAILABLE": ("vắng mặt", "unavailable"),
    "UNCOOPERATIVE": ("không hợp tác", "uncooperative"),
}
ANSWERS: Final[dict[str, Words]] = {
    "yes": ("có", "yes"),
    "no": ("không", "no"),
    "unknown": ("không rõ", "unknown"),
}
TIERS: Final[dict[str, Words]] = {
    "named": ("Khai khi phỏng vấn", "Named in the interview"),
    "same_small_enclosed": ("Cùng không gian hẹp, kín", "Same small enclosed place"),
    "same_place": ("Cùng địa điểm", "Same place"),
    "same_time_only": ("Có mặt cùng thời điểm", "There at the same time"),
}
# and who is on a list only
LISTED_TIERS: Final[dict[str, Words]] = TIERS | {
    "withdrawn": ("Không còn trong lần truy vết mới", "Withdrawn")
}
BANDS: Final[dict[str, Words]] = {
    "high": ("cao", "high"),
    "medium": ("vừa", "medium"),
    "low": ("thấp", "low"),
}
