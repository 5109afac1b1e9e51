"""A case on the terminal."""

from typing import Any, Final

from console.cli.case_text import day, local
from console.cli.entries_text import listed
from console.cli.out import line
from console.cli.session import Session

STATUSES: Final = {
    "suspected": ("nghi ngờ", "suspected"),
    "confirmed": ("xác định", "confirmed"),
    "closed": ("đã đóng", "closed"),
    "voided": ("đã huỷ", "voided"),
}


def show_case(case: dict[str, Any], session: Session) -> None:
    """The case as it stands, a line a field."""
    lines = (
        (("Ca", "Case"), f"{case['id']} ({session.words(*STATUSES[case['status']])})"),
        (("Người", "Person"), case["person"]),
        (("Phiên bản", "Version"), str(case["version"])),
        (("Triệu chứng", "Symptoms"), _symptoms(case["symptoms"], session)),
        (("Ngày khởi phát", "Onset"), day(case["onset"])),
        (("Ngày lấy mẫu", "Sampled on"), day(case["sampled_on"])),
        (("Ngày có kết quả", "Result on"), day(case.get("result_on"))),
        (("Cách ly lúc", "Isolated at"), local(case["isolated_at"])),
        (("Âm tính lúc", "Negative at"), local(case["negative_at"])),
        (("Mốc dịch tễ", "Place-time points"), listed("points", case["points"], session, 50)),
        (("Câu trả lời", "Answers"), listed("answers", case["answers"], session)),
        (("Được kể tên", "Named contacts"), listed("named", case["named"], session)),
        (("Loại trừ", "Exclusions"), listed("excluded", case["excluded"], session)),
        (("Mã khác của ca", "The case's other ids"), _others(case)),
        (("Địa bàn", "Ward"), case["ward"]),
        (("Đăng ký lúc", "Registered at"), local(case["registered_at"])),
    )
    shown = [(session.words(*name), value.split("\n")) for name, value in lines if value]
    width = max(28, *(len(name) for name, _ in shown))
    for name, (first, *others) in shown:
        line(f"{name:<{width}} {first}")
        for other in others:
            line(f"{'':<{width}} {other}")


def _others(case: dict[str, Any]) -> str:
    same = case.get("same", [])
    return ", ".join(entry["person"] for entry in same if entry["of"] == case["person"])


def _symptoms(value: str | None, session: Session) -> str:
    words = {"yes": ("có", "yes"), "no": ("không", "no"), "unknown": ("không rõ", "unknown")}
    return session.words(*words[value]) if value else ""
