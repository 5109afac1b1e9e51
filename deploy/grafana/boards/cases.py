"""Are cases answered?"""

from typing import Final

from deploy.grafana.panels import Ask, Board, Panel


def _quantile(share: str, metric: str) -> str:
    return f"histogram_quantile({share}, sum by (le) (rate({metric}_bucket[30m])))"


CASES: Final = Board(
    "truyvet-cases",
    "Các ca có được trả lời không?",
    "Are cases answered?",
    (
        Panel(
            "Ca chưa truy vết", "Cases without a run",
            "0.", "0.",
            (Ask("max(truyvet_cases_untraced)"),),
            kind="stat", width=4, bad_above=1,
        ),
        Panel(
            "Đã đăng ký", "Registered for",
            "dưới năm giây.", "below five seconds.",
            (Ask("max(truyvet_cases_untraced_seconds)"),),
            unit="s", kind="stat", width=4, bad_above=60,
        ),
        Panel(
            "Ca chưa ai xử lý", "Cases nobody has touched",
            "0 trong giờ làm việc.", "0 by day.",
            (Ask("max(truyvet_cases_not_picked_up)"),),
            kind="stat", width=4, bad_above=1,
        ),
        Panel(
            "Chờ lâu nhất", "Waiting for longest",
            "dưới một giờ; quá bốn giờ thì gọi cấp trên.",
            "below an hour; beyond four the district is called.",
            (Ask("max(truyvet_cases_not_picked_up_seconds)"),),
            unit="s", kind="stat", width=4, bad_above=14_400,
        ),
        Panel(
            "Ca đang mở", "Open cases",
            "như số ca mà y tế biết.", "as many as the health department knows of.",
            (Ask("max(truyvet_open_cases)"),),
            kind="stat", width=4,
        ),
        Panel(
            "Mốc đang theo dõi", "Place-windows watched",
            "vài mốc cho mỗi ca.", "some for each case.",
            (Ask("max(truyvet_place_windows)"),),
            kind="stat", width=4,
        ),
        Panel(
            "Từ ca đến cảnh báo", "From a case to the alert",
            "99 % dưới năm giây: cam kết.", "99 % below five seconds: the promise.",
            (
                Ask(_quantile("0.5", "truyvet_case_to_alert_seconds"), "50 %"),
                Ask(_quantile("0.99", "truyvet_case_to_alert_seconds"), "99 %"),
            ),
            unit="s", bad_above=5,
        ),
        Panel(
            "Từ lượt quét muộn đến kết quả mới", "From a late scan to the new run",
            "99 % dưới hai giây.", "99 % below two seconds.",
            (
                Ask(_quantile("0.5", "truyvet_scan_to_run_seconds"), "50 %"),
                Ask(_quantile("0.99", "truyvet_scan_to_run_seconds"), "99 %"),
            ),
            unit="s", bad_above=10,
        ),
        Panel(
            "Ca trễ hẹn", "The share of cases that are late",
            "dưới 1 %.", "below 1 %.",
            (
                Ask("truyvet:cases_slow:ratio1h", "1 h"),
                Ask("truyvet:cases_slow:ratio6h", "6 h"),
            ),
            unit="percentunit", bad_above=0.01,
        ),
        Panel(
            "Cảnh báo gửi cán bộ, mỗi giờ", "Alerts for officers, an hour",
            "tăng theo số ca; bằng 0 khi có ca mở là đáng ngờ.",
            "grows with the cases; none while cases are open is suspect.",
            (Ask("sum by (kind) (increase(truyvet_alerts_total[1h]))", "{{kind}}"),),
        ),
        Panel(
            "Truy vết đọc từ đâu, mỗi phút", "What traces are read from, a minute",
            "hầu hết từ bản sao tại chỗ (segments); nhiều clickhouse thì chậm gấp vài lần.",
            "nearly all from segments; much of clickhouse is several times as slow.",
            (Ask("sum by (by) (rate(truyvet_reads_total[5m])) * 60", "{{by}}"),),
        ),
        Panel(
            "Lượt quét giữ tại chỗ", "Scans held in segments",
            "mỗi tiến trình: bằng số dòng của bảng scans.",
            "of each process: as many as the table has rows.",
            (Ask("sum by (job, instance, where) (truyvet_held_scans)", "{{instance}} {{where}}"),),
        ),
    ),
)  # fmt: skip
