"""Is the pipeline well?"""

from typing import Final

from deploy.grafana.panels import Ask, Board, Panel

PIPELINE: Final = Board(
    "truyvet-pipeline",
    "Đường xử lý có khoẻ không?",
    "Is the pipeline well?",
    (
        Panel(
            "Tồn đọng lâu nhất", "The oldest that waits",
            "dưới hai giây. Hỏi thẳng Kafka, nên đúng cả khi không tiến trình nào chạy.",
            "below two seconds. Asked of Kafka, so it is true also when no worker runs.",
            (Ask("max by (partition) (truyvet_backlog_seconds)", "{{partition}}"),),
            unit="s", bad_above=60,
        ),
        Panel(
            "Số bản ghi chờ", "Records that wait",
            "vài giây lượt quét, về 0 lúc vắng.", "some seconds of scans, 0 at quiet hours.",
            (Ask("sum(max by (partition) (truyvet_backlog_records))", "chờ / waiting"),),
        ),
        Panel(
            "Vào bằng ra", "In equals out",
            "đường trên và các đường dưới cộng lại bằng nhau.",
            "the first line is the sum of the others.",
            (
                Ask("sum(rate(truyvet_scans_in_total[5m]))", "vào / in"),
                Ask("sum(rate(truyvet_scans_written_total[5m]))", "đã ghi / written"),
                Ask("sum(rate(truyvet_scans_duplicate_total[5m]))", "trùng / duplicate"),
                Ask("sum(rate(truyvet_scans_rejected_total[5m]))", "từ chối / rejected"),
                Ask("sum(rate(truyvet_scans_expired_total[5m]))", "quá hạn / expired"),
                Ask("sum(rate(truyvet_scans_erased_total[5m]))", "đã xoá / erased"),
            ),
            unit="reqps",
        ),
        Panel(
            "Từ chối theo lý do", "Share refused by reason",
            "tổng dưới 1 %, không lý do nào trên 2 %.", "below 1 % in all, no reason above 2 %.",
            (Ask("truyvet:reject_share:ratio5m", "{{reason}}"),),
            unit="percentunit", bad_above=0.02,
        ),
        Panel(
            "Từ Kafka đến tra cứu được", "From Kafka to queryable",
            "99 % dưới một giây; cam kết là 99,9 % dưới năm.",
            "99 % below a second; the promise is 99.9 % below five.",
            (
                Ask(
                    "histogram_quantile(0.5, "
                    "sum by (le) (rate(truyvet_scan_to_queryable_seconds_bucket[5m])))",
                    "50 %",
                ),
                Ask("truyvet:scan_to_queryable:p99_5m", "99 %"),
            ),
            unit="s", bad_above=5,
        ),
        Panel(
            "Phần trễ hẹn", "The share that is late",
            "dưới 0,1 %: phần cho phép của cam kết. Chỉ tính lượt đã ghi.",
            "below 0.1 %, what the promise allows. Of those written only.",
            (
                Ask("truyvet:scans_slow:ratio1h", "1 h"),
                Ask("truyvet:scans_slow:ratio6h", "6 h"),
            ),
            unit="percentunit", bad_above=0.001,
        ),
        Panel(
            "ClickHouse: một lần ghi", "ClickHouse: one insert",
            "99 % dưới nửa giây.", "99 % below half a second.",
            (
                Ask(
                    "histogram_quantile(0.99, "
                    "sum by (le, table) (rate(truyvet_insert_seconds_bucket[5m])))",
                    "{{table}}",
                ),
            ),
            unit="s",
        ),
        Panel(
            "Lô phải ghi lại", "Batches tried again",
            "không tăng.", "does not grow.",
            (
                Ask("sum(increase(truyvet_insert_retries_total[10m]))", "10 min"),
                Ask("max(truyvet_engine_away)", "ClickHouse vắng / away"),
            ),
        ),
        Panel(
            "Thay đổi chờ lâu nhất", "The oldest change that waits",
            "dưới một giây: địa điểm, mã và ca đã lưu vào Kafka ngay.",
            "below a second: places, codes and cases go to Kafka at once.",
            (Ask("max(truyvet_outbox_oldest_seconds)", "s"),),
            unit="s", width=8, bad_above=60,
        ),
        Panel(
            "Cổng nhận", "The gateway",
            "`unavailable` bằng 0; `refused` nhỏ.", "`unavailable` is 0; `refused` is small.",
            (Ask("sum by (outcome) (rate(truyvet_gateway_scans_total[5m]))", "{{outcome}}"),),
            unit="reqps", width=8,
        ),
        Panel(
            "Yêu cầu bị từ chối vì quá tải", "Refused for want of room",
            "0; `reading` bị từ chối trước, `cases` không bao giờ.",
            "0; `reading` is refused first, `cases` never.",
            (Ask("sum by (work) (rate(truyvet_http_shed_total[5m]))", "{{work}}"),),
            unit="reqps", width=8,
        ),
        Panel(
            "HTTP: lỗi 5xx", "HTTP: 5xx",
            "0.", "0.",
            (
                # 0 only where requests are known of at all
                Ask(
                    'sum(rate(truyvet_http_requests_total{status=~"5.."}[5m])) '
                    "or 0 * sum(rate(truyvet_http_requests_total[5m]))",
                    "5xx",
                ),
            ),
            unit="reqps", width=8,
        ),
        Panel(
            "Chỗ trống trên đĩa", "Free on the disks",
            "trên 15 %, không giảm đều.", "above 15 %, not falling steadily.",
            (
                Ask(
                    "min by (disk) (truyvet_disk_free_bytes / truyvet_disk_size_bytes)", "{{disk}}"
                ),
            ),
            unit="percentunit", width=8, bad_below=0.15, most=1,
        ),
        Panel(
            "Đồng hồ lệch", "Clocks apart",
            "0.", "0.",
            (
                Ask(
                    "max by (clock, instance) (abs(truyvet_clock_skew_seconds))",
                    "{{clock}} {{instance}}",
                ),
            ),
            unit="s", width=8, bad_above=2,
        ),
        Panel(
            "Hỏi lần cuối", "Last found out",
            "mọi hàng dưới một phút; lâu hơn thì các ô khác trống chứ không sai.",
            "all below a minute; beyond it other panels are empty rather than wrong.",
            (Ask("time() - max by (probe) (truyvet_exported_timestamp_seconds)", "{{probe}}"),),
            unit="s", kind="bargauge", width=8, bad_above=600,
        ),
    ),
)  # fmt: skip
