"""A case on the terminal, and the times people type."""

from datetime import datetime
from typing import Any, Final

from console.cli.out import line
from console.cli.session import Session
from schemas.clock import LOCAL, local_text
from schemas.errors import UserError
from schemas.scan import format_timestamp

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
        (("Mốc dịch tễ", "Place-time points"), _points(case["points"])),
        (("Câu trả lời", "Answers"), _count(case["answers"])),
        (("Được kể tên", "Named contacts"), _count(case["named"])),
        (("Loại trừ", "Exclusions"), _count(case["excluded"])),
        (("Mã khác của ca", "The case's other ids"), _others(case)),
        (("Địa bàn", "Ward"), case["ward"]),
        (("Đăng ký lúc", "Registered at"), local(case["registered_at"])),
    )
    for (vi, en), value in lines:
        if value:
            line(f"{session.words(vi, en):<28} {value}")


def _others(case: dict[str, Any]) -> str:
    same = case.get("same", [])
    return ", ".join(entry["person"] for entry in same if entry["of"] == case["person"])


def moment(option: str, text: str | None) -> str | None:
    """As the API wants it. Raises UserError."""
    if text is None:
        return None
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text)
        if not set(text.upper()) & {"T", " "}:  # of a day alone, midnight is most likely not meant
            raise ValueError
        return format_timestamp(moment if moment.tzinfo else moment.replace(tzinfo=LOCAL))
    except (ValueError, OverflowError):
        raise UserError(
            f"{option}: thời điểm viết như 2026-11-20T08:30. / "
            f"{option}: {text!r} is not a time such as 2026-11-20T08:30."
        ) from None


def point_of(option: str, text: str) -> dict[str, Any]:
    """`PLACE,FROM,TO,SOURCE` as the API wants it. Raises UserError."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 4 or not (parts[0].isascii() and parts[0].isdigit()):
        raise UserError(
            f"{option} {text!r}: cần PLACE,FROM,TO,SOURCE. / {option} {text!r} is not "
            "PLACE,FROM,TO,SOURCE, such as 42,2026-11-20T08:00,2026-11-20T09:30,interview."
        )
    place, begin, end, source = parts
    times = {"begin": moment(option, begin), "end": moment(option, end)}
    return {"place": int(place), "source": source} | times


def _points(points: list[dict[str, Any]]) -> str:
    return "; ".join(f"#{p['place']} {local(p['begin'])} – {local(p['end'])}" for p in points)


def _count(entries: list[Any]) -> str:
    return str(len(entries)) if entries else ""


def day(text: str | None) -> str:
    """`DD/MM/YYYY`, or nothing."""
    return f"{datetime.fromisoformat(text):%d/%m/%Y}" if text else ""


def local(text: str | None) -> str:
    """A time in Asia/Ho_Chi_Minh, or nothing."""
    return local_text(datetime.fromisoformat(text)) if text else ""


def _symptoms(value: str | None, session: Session) -> str:
    words = {"yes": ("có", "yes"), "no": ("không", "no"), "unknown": ("không rõ", "unknown")}
    return session.words(*words[value]) if value else ""
