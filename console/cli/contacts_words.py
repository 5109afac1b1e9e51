"""The words of the table of possible contacts."""

from typing import Final

from console.cli.entries_text import SOURCES

TIERS: Final = {
    "named": (
        "Ca bệnh kể tên, có hoặc không quét chung",
        "Named by the case, seen by scans or not",
    ),
    "same_small_enclosed": (
        "Cùng không gian hẹp, kín cùng lúc",
        "Same small enclosed place, same time",
    ),
    "same_place": ("Cùng địa điểm, cùng lúc", "Same place, same time"),
    "same_time_only": (
        "Có mặt cùng thời điểm (cổng, nơi mở hoặc rộng): không gọi, chỉ tự theo dõi",
        "There at the same time (gate, open or large place): not on the call list",
    ),
}
CALLED: Final = (
    "Có mặt cùng thời điểm, và đã xác định: gọi",
    "There at the same time, and confirmed: to be called",
)
RULED_OUT: Final = (
    "Cán bộ đã hỏi và loại trừ: không gọi",
    "Ruled out by an officer: not on the call list",
)
# what a contact's answers leave; an officer decides
PROPOSED: Final = {"CONFIRMED": ("F1?", "F1?"), "NO_CONTACT": ("loại trừ?", "rule out?")}
BANDS: Final = {"high": ("cao", "high"), "medium": ("vừa", "medium"), "low": ("thấp", "low")}
# by the weighted minutes of a day, under a rule-set that has weights
CATEGORIES: Final = {"high": ("cao", "high"), "low": ("thấp", "low"), "none": ("0", "0")}
PROVENANCE: Final = {
    "scan_in": ("quét vào", "scan in"),
    "scan_pass": ("quét ở cổng", "scan at gate"),
    "assumed": ("giả định", "assumed"),
    "scan_out": ("quét ra", "scan out"),
    "answered": ("tự khai", "answered"),
    "next_elsewhere": ("quét nơi khác", "next scan"),
    "trip_end": ("hết chuyến", "trip end"),
    "closing_time": ("giờ đóng cửa", "closing time"),
    "usual_stay": ("thường lệ", "usual stay"),
    "cap": ("giới hạn", "cap"),
    **SOURCES,
}
SHORT: Final = {
    "touch": ("chạm?", "touch?"),
    "masks": ("khẩu trang?", "masks?"),
    "within_2_m": ("dưới 2 m?", "within 2 m?"),
    "care": ("chăm sóc?", "care?"),
    "protective_equipment": ("phòng hộ?", "protection?"),
}
