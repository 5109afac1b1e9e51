"""What a team does today: the list in order, cut at what they can do, and what is left out.

The order, each only where those before are equal: tier; minutes in bands (60 and more, 15 and
more, less: 15 is the least duration of công văn 11042's clause b, 60 is our assumption);
the day of the last exposure, the latest first, as in the list of contacts; the confidence's band;
the setting; then minutes, last exposure, confidence, case and person themselves, so that the same
list is always cut at the same place.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from console.worklist.axes import BANDS, TIERS
from schemas.clock import LOCAL

Left = Literal[
    "over_capacity",
    "not_on_call_list",
    "decided",
    "dropped",
    "converted",
    "is_case",
    "excluded",
    "duplicate",
    "handed_over",
    "followed",
    "withdrawn",
]
LEFT: Final[dict[Left, tuple[str, str]]] = {
    "over_capacity": ("quá sức của ngày", "over the day's capacity"),
    "not_on_call_list": ("chỉ có mặt cùng thời điểm: không gọi", "only there at the same time"),
    "decided": ("đã có kết luận", "decided already"),
    "dropped": ("đã đưa ra khỏi danh sách", "dropped"),
    "converted": ("đã thành ca bệnh", "became a case"),
    "is_case": ("đang là ca bệnh", "an open case already"),
    "excluded": ("đã loại trừ ở ca bệnh", "excluded with the case"),
    "duplicate": ("trùng với người khác", "the same person as another"),
    "handed_over": ("đã bàn giao nơi khác", "handed over elsewhere"),
    "followed": ("đang theo dõi hằng ngày", "followed day by day already"),
    "withdrawn": ("lần truy vết mới không còn", "no longer in the newest run"),
}
MINUTES: Final = (60.0, 15.0)
# Where an infection would do most harm, or repeats most, comes first: an assumption, to be set by
# an epidemiologist. What is not here is `other`.
SETTINGS: Final[dict[str, tuple[tuple[str, str], frozenset[str]]]] = {
    "home_and_care": (
        ("gia đình, y tế", "home and care"),
        frozenset({"household", "care", "hospital", "department", "clinic", "pharmacy"}),
    ),
    "every_day": (
        ("trường học, nơi làm việc", "school and work"),
        frozenset(
            {"classmate", "colleague", "school", "classroom", "office", "section", "factory"}
            | {"line", "meeting_room", "dormitory"}
        ),
    ),
    "other": (("nơi khác", "elsewhere"), frozenset()),
}
_TIERS: Final = {tier: rank for rank, tier in enumerate(TIERS)}
_BANDS: Final = {band: rank for rank, band in enumerate(BANDS)}
_SETTINGS: Final = {setting: rank for rank, setting in enumerate(SETTINGS)}
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Candidate:
    """One contact of one case. `left`: why it is not for today, whatever the capacity."""

    case_id: str
    person: str
    tier: str
    minutes: float
    last_exposure: datetime | None
    band: str
    confidence: float
    setting: str
    left: Left | None = None

    @property
    def order(self) -> tuple[object, ...]:
        """Smaller is sooner."""
        last = self.last_exposure or _NEVER
        return (
            _TIERS.get(self.tier, len(_TIERS)),
            sum(self.minutes < least for least in MINUTES),
            -last.astimezone(LOCAL).date().toordinal(),
            _BANDS.get(self.band, len(_BANDS)),
            _SETTINGS[self.setting],
            -self.minutes,
            -last.timestamp(),
            -self.confidence,
            self.case_id,
            self.person,
        )


@dataclass(frozen=True)
class LeftOut:
    """How many are left out for one reason, of one tier and confidence."""

    reason: Left
    tier: str
    band: str
    count: int


@dataclass(frozen=True)
class Triage:
    """The day's list, and what is not on it. `cases`: all of a person's, the list's first."""

    today: list[Candidate]
    cases: dict[str, list[str]]
    left_out: list[LeftOut] = field(default_factory=list)


def setting_of(kinds: Iterable[str]) -> str:
    """The first setting of the order that one of these kinds of place, or relations, is of."""
    found = set(kinds)
    for name, (_, members) in SETTINGS.items():
        if found & members:
            return name
    return "other"


def cut(candidates: Iterable[Candidate], capacity: int) -> Triage:
    """A person of several cases is there once, by the case that puts them highest."""
    counts: Counter[tuple[Left, str, str]] = Counter()
    best: dict[str, Candidate] = {}
    cases: dict[str, list[str]] = {}
    for candidate in candidates:
        if candidate.left is not None:
            counts[candidate.left, candidate.tier, candidate.band] += 1
            continue
        cases.setdefault(candidate.person, []).append(candidate.case_id)
        known = best.get(candidate.person)
        if known is None or candidate.order < known.order:
            best[candidate.person] = candidate
    ordered = sorted(best.values(), key=lambda candidate: candidate.order)
    for candidate in ordered[capacity:]:
        counts["over_capacity", candidate.tier, candidate.band] += 1
    reasons, tiers, bands = list(LEFT), _TIERS, _BANDS
    left_out = [LeftOut(*key, count) for key, count in counts.items()]
    left_out.sort(
        key=lambda left: (
            reasons.index(left.reason), tiers.get(left.tier, 9), bands.get(left.band, 9), left.tier
        )
    )  # fmt: skip
    today = ordered[:capacity]
    shown = {c.person: sorted(cases[c.person], key=lambda i: (i != c.case_id, i)) for c in today}
    return Triage(today, shown, left_out)
