"""Is the city being scanned?"""

from typing import Final

from deploy.grafana.panels import Ask, Board, Panel

CITY: Final = Board(
    "truyvet-city",
    "Thành phố có đang quét không?",
    "Is the city being scanned?",
    (
        Panel(
            "Lượt quét mỗi giây", "Scans a second",
            "có hình dạng của một ngày, giống hôm qua và tuần trước.",
            "the shape of a day, like yesterday and a week ago.",
            (
                Ask("truyvet:scans_in:rate5m", "nay / now"),
                Ask("truyvet:scans_in:rate5m offset 1w", "tuần trước / a week ago"),
            ),
            unit="reqps", width=16,
        ),
        Panel(
            "Xã, phường im lặng cả ngày", "Wards quiet for a day",
            "0. Đếm cả những nơi không có tên riêng trong số liệu.",
            "0. Counts also those without a series of their own.",
            (Ask("max(truyvet_wards_quiet)"),),
            kind="stat", width=4, bad_above=1,
        ),
        Panel(
            "Nguồn gửi im lặng", "Silent producers",
            "0.", "0.",
            (Ask("max(truyvet_producers_silent)"),),
            kind="stat", width=4, bad_above=1,
        ),
        Panel(
            "Điểm quét theo bước", "Places by stage",
            "bốn cột gần bằng nhau; `scanned` kém `posted` xa là áp phích không ai quét.",
            "four bars nearly equal; `scanned` far below `posted` is posters that nobody scans.",
            (Ask("sum by (stage) (max by (ward, stage) (truyvet_ward_places))", "{{stage}}"),),
            kind="bargauge", width=8,
        ),
        Panel(
            "Xã, phường quét ít nhất", "Wards with the smallest share scanned",
            "mọi nơi trên 80 %.", "all above 80 %.",
            (
                Ask(
                    "bottomk(10, "
                    'max by (ward, unit) (truyvet_ward_places{stage="scanned"}) / '
                    'max by (ward, unit) (truyvet_ward_places{stage="code"}))',
                    "{{unit}} {{ward}}",
                ),
            ),
            unit="percentunit", kind="bargauge", width=8, bad_below=0.8, most=1,
        ),
        Panel(
            "Xã, phường im lặng lâu nhất", "Wards quiet for longest",
            "phút vào ban ngày; không nơi nào quá một ngày.",
            "minutes by day; none beyond a day.",
            (
                Ask(
                    "topk(10, time() - max by (ward, unit) "
                    "(truyvet_ward_quiet_since_timestamp_seconds))",
                    "{{unit}} {{ward}}",
                ),
            ),
            unit="s", kind="bargauge", width=8, bad_above=86_400,
        ),
        Panel(
            "Nguồn gửi, 15 phút qua", "Producers, the last 15 minutes",
            "nguồn nào cũng có mặt như mọi ngày; `(other)` là các nguồn còn lại.",
            "each is there as on other days; `(other)` are the remaining ones.",
            (
                Ask(
                    "topk(15, sum by (producer) (max by (producer, outcome) "
                    "(truyvet_producer_recent_scans)))",
                    "{{producer}}",
                ),
            ),
        ),
        Panel(
            "Tỷ lệ bị từ chối theo nguồn", "Share refused by producer",
            "dưới 2 %; một nguồn cao hơn hẳn là lỗi của nguồn đó.",
            "below 2 %; one that stands out has a fault of its own.",
            (
                Ask(
                    "topk(15, max by (producer) "
                    '(truyvet_producer_recent_scans{outcome="rejected"}) / '
                    "sum by (producer) (max by (producer, outcome) "
                    "(truyvet_producer_recent_scans) > 0))",
                    "{{producer}}",
                ),
            ),
            unit="percentunit", bad_above=0.2,
        ),
        Panel(
            "Độ bao phủ đếm lúc", "Coverage was counted",
            "chưa đầy một phút trước.", "less than a minute ago.",
            (Ask("time() - max(truyvet_coverage_round_timestamp_seconds)"),),
            unit="s", kind="stat", width=6, bad_above=900,
        ),
        Panel(
            "Điểm quét sắp hết hạn mã", "Places whose code ends soon",
            "0: mã mới đã được cấp trước.", "0: new codes were issued before.",
            (Ask("max(truyvet_codes_ending)"),),
            kind="stat", width=6, bad_above=1,
        ),
        Panel(
            "Trễ khi tải lên", "Delay of uploads",
            "nửa số lượt dưới một phút; phần dài là danh sách giấy nhập sau.",
            "half of them below a minute; the long tail is paper typed in later.",
            (
                Ask(
                    "histogram_quantile(0.5, "
                    "sum by (le) (rate(truyvet_upload_delay_seconds_bucket[15m])))",
                    "50 %",
                ),
                Ask(
                    "histogram_quantile(0.95, "
                    "sum by (le) (rate(truyvet_upload_delay_seconds_bucket[15m])))",
                    "95 %",
                ),
            ),
            unit="s",
        ),
    ),
)  # fmt: skip
