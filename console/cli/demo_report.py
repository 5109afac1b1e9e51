"""The demo's summary: the sum to the event, the times, the truth, what to run next."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from console.accounting.alerts import Alerted
from console.accounting.counts import Counts
from console.cli.counting import show as show_counts
from console.cli.demo_truth import LONG_ENOUGH_MINUTES, Truth
from console.cli.out import line, number
from console.cli.session import Session

LABEL: Final = 62  # a label in both languages


@dataclass
class Demo:
    """Everything that the demo measured. `wrong`: what does not add up, a sentence each."""

    counts: Counts
    expected: list[dict[str, Any]]
    latency: dict[str, float]
    alerted: Alerted
    contacts: int
    truth: Truth
    notices: int
    poster: Path
    codes: Path
    data_dir: Path
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "ok": not self.wrong,
            "wrong": self.wrong,
            "counts": self.counts.document(),
            "expected": _together(self.expected),
            "scan_to_queryable": self.latency,
            "case": self.alerted.case,
            "case_to_first_alert_s": round(self.alerted.first_s, 3),
            "case_to_alert_s": round(self.alerted.complete_s, 3),
            "alerts": self.alerted.kinds,
            "possible_contacts": self.contacts,
            "truth": vars(self.truth),
            "notices": self.notices,
            "poster": str(self.poster),
            "codes": str(self.codes),
            "data_dir": str(self.data_dir),
            "seconds": round(self.seconds, 1),
        }


def differences(demo: Demo) -> list[str]:
    """What does not come out as the simulator, and the promise, said it must."""
    counts, expected = demo.counts, _together(demo.expected)
    pairs = [
        ("produced", counts.produced, expected["total"]),
        ("written", counts.written, expected["written"]),
        ("duplicates", counts.duplicates, expected["duplicate"]),
        ("expired", counts.expired, 0),
        ("erased", counts.erased, 0),
        ("in flight", counts.in_flight, 0),
        ("missing", counts.missing, 0),
        ("notices sent", demo.notices, 0),
    ]
    reasons = expected["by_reason"]
    for reason in sorted({*reasons, *counts.rejected_by_reason}):
        found = counts.rejected_by_reason.get(reason, 0)
        pairs.append((f"rejected {reason}", found, reasons.get(reason, 0)))
    wrong = [f"{name}: {found}, expected {due}" for name, found, due in pairs if found != due]
    if not demo.contacts:
        wrong.append("the case has no possible contacts")
    if not demo.latency.get("count"):
        wrong.append("no latency was measured in the steady stretch")
    return wrong


def _together(expected: list[dict[str, Any]]) -> dict[str, Any]:
    reasons: Counter[str] = Counter()
    for part in expected:
        reasons.update(part["by_reason"])
    names = ("written", "duplicate", "rejected", "total")
    return {name: sum(part[name] for part in expected) for name in names} | {
        "by_reason": dict(reasons)
    }


def show_summary(demo: Demo, session: Session, kept: bool) -> None:
    """For people."""
    words = session.words
    line("\n" + words("Tổng kết", "Summary"))
    show_counts(demo.counts, session)
    if demo.wrong:
        line("\n✗ " + words("Sổ không khớp:", "It does not add up:"))
        for sentence in demo.wrong:
            line(f"    {sentence}")
    else:
        line(
            "✓ "
            + words(
                "khớp đến từng lượt quét, từng lý do",
                "to the event, reason by reason, as the simulator said",
            )
        )
    latency, truth = demo.latency, demo.truth
    p50, p99 = latency.get("p50_ms", 0), latency.get("p99_ms", 0)
    rows = [
        (
            words("từ quét đến truy vấn được", "scan to queryable"),
            f"p50 {p50:.0f} ms, p99 {p99:.0f} ms ({number(latency['count'])})",
        ),
        (
            words("từ ca đến cảnh báo", "case to alert"),
            f"{demo.alerted.complete_s:.2f} s ({sum(demo.alerted.kinds.values())} → alerts.v1)",
        ),
        (
            words("gửi tới người dân", "sent to anyone"),
            f"{demo.notices} (notices.v1)",
        ),
        (
            words("người thật sự có mặt cùng lúc", "really there at the same time"),
            _found(truth.found, truth.true, session),
        ),
        (
            words(f"từ {LONG_ENOUGH_MINUTES} phút", f"{LONG_ENOUGH_MINUTES} minutes or more"),
            _found(truth.long_found, truth.long, session),
        ),
        (
            words("danh sách gọi đúng", "of the call list really there"),
            f"{truth.called_true}/{truth.called}",
        ),
        (words("áp phích", "poster"), str(demo.poster)),
        (words("mã", "codes"), str(demo.codes)),
        (words("thời gian", "took"), f"{demo.seconds:.0f} s"),
    ]
    for name, value in rows:
        line(f"  {name:<{LABEL}}  {value}")
    case, at = demo.alerted.case["id"], f"truyvet --data-dir {demo.data_dir}"
    line("\n" + words("Tiếp theo", "Next"))
    if kept:
        line(f"  {at} contacts {case}")
        line(f"  {at} down")
    else:
        line(f"  {at} up && {at} contacts {case}")
        line("  truyvet up")


def _found(found: int, true: int, session: Session) -> str:
    share = f" ({100 * found / true:.0f} %)" if true else ""
    return f"{found}/{true}{share} {session.words('được tìm ra', 'found')}"
