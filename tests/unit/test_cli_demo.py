"""What the demo says of its sum: it is right to the event, or every difference is named."""

from pathlib import Path
from typing import Any

from console.accounting.alerts import Alerted
from console.accounting.counts import Counts
from console.cli.demo_report import Demo, differences
from console.cli.demo_truth import Truth

EXPECTED = [
    {"written": 7, "duplicate": 1, "rejected": 2, "total": 10, "by_reason": {"not_json": 2}},
    {"written": 4, "duplicate": 0, "rejected": 1, "total": 5, "by_reason": {"too_old": 1}},
]


def demo(**changes: Any) -> Demo:
    counts = {
        "produced": 15,
        "written": 11,
        "duplicates": 1,
        "rejected": 3,
        "rejected_by_reason": {"not_json": 2, "too_old": 1},
        "expired": 0,
        "erased": 0,
        "in_flight": 0,
        "missing": 0,
    }
    fields: dict[str, Any] = {
        "counts": Counts(**{**counts, **changes.pop("counts", {})}),
        "expected": EXPECTED,
        "latency": {"count": 5, "p50_ms": 1.0, "p99_ms": 2.0},
        "alerted": Alerted({"id": "C-1"}, 0.1, 0.2, {"run_completed": 1}),
        "contacts": 3,
        "truth": Truth(3, 3, 1, 1, 3, 3),
        "notices": 0,
        "poster": Path("p.pdf"),
        "codes": Path("c.csv"),
        "data_dir": Path("d"),
    }
    return Demo(**{**fields, **changes})


def test_it_adds_up() -> None:
    assert differences(demo()) == []


def test_every_difference_is_named() -> None:
    off = {
        "written": 10,
        "in_flight": 1,
        "rejected_by_reason": {"not_json": 2, "id_reused": 1},
    }
    assert differences(demo(counts=off)) == [
        "written: 10, expected 11",
        "in flight: 1, expected 0",
        "rejected id_reused: 1, expected 0",
        "rejected too_old: 0, expected 1",
    ]


def test_nothing_may_be_sent_and_something_must_be_found() -> None:
    wrong = differences(demo(notices=1, contacts=0, latency={"count": 0}))
    assert len(wrong) == 3
    assert wrong[0] == "notices sent: 1, expected 0"


def test_the_document_says_whether_it_is_right() -> None:
    found = demo()
    found.wrong = differences(found)
    assert found.document()["ok"] is True
    assert found.document()["expected"]["total"] == 15
