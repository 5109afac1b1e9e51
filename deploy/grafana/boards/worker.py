"""One worker."""

from typing import Final

from deploy.grafana.panels import Ask, Board, Panel

_W: Final = 'instance=~"$instance"'

WORKER: Final = Board(
    "truyvet-worker",
    "Một tiến trình xử lý",
    "One worker",
    (
        Panel(
            "Phân vùng đang giữ, trễ theo giây", "Partitions held, lag in seconds",
            "mỗi phân vùng dưới hai giây.", "each partition below two seconds.",
            (Ask(f"truyvet_lag_seconds{{{_W}}}", "{{instance}} {{partition}}"),),
            unit="s", bad_above=60,
        ),
        Panel(
            "Lượt quét mỗi giây", "Scans a second",
            "chia đều giữa các tiến trình.", "shared evenly by the workers.",
            (
                Ask(
                    f"sum by (instance) (rate(truyvet_scans_in_total{{{_W}}}[5m]))", "{{instance}}"
                ),
            ),
            unit="reqps",
        ),
        Panel(
            "CPU", "CPU (cores)",
            "dưới 0,8 lõi: gần 1 là đến giới hạn, thêm một tiến trình.",
            "below 0.8 cores: near 1 it is at its limit, start another.",
            (
                Ask(
                    f'rate(process_cpu_seconds_total{{job="truyvet-worker",{_W}}}[5m])',
                    "{{instance}}",
                ),
            ),
            unit="none", width=8, bad_above=0.9,
        ),
        Panel(
            "Bộ nhớ", "Memory",
            "lên rồi đứng yên; tăng mãi là rò rỉ.",
            "rises, then stands; one that never stops leaks.",
            (
                Ask(
                    f'process_resident_memory_bytes{{job="truyvet-worker",{_W}}}', "{{instance}}"
                ),
            ),
            unit="bytes", width=8,
        ),
        Panel(
            "Tệp đang mở", "Open files",
            "xa giới hạn.", "far from the limit.",
            (
                Ask(f'process_open_fds{{job="truyvet-worker",{_W}}}', "{{instance}}"),
                Ask(f'process_max_fds{{job="truyvet-worker",{_W}}}', "giới hạn / limit"),
            ),
            width=8,
        ),
        Panel(
            "Mỗi bước mất bao lâu", "Seconds by step",
            "mili giây; `decode` và `deduplicate` dài nhất.",
            "milliseconds; `decode` and `deduplicate` are the longest.",
            (
                Ask(
                    f"sum by (step) (rate(truyvet_step_seconds_sum{{{_W}}}[5m])) / "
                    f"sum by (step) (rate(truyvet_step_seconds_count{{{_W}}}[5m]))",
                    "{{step}}",
                ),
            ),
            unit="s",
        ),
        Panel(
            "Bản ghi mỗi lô", "Records in a batch",
            "hàng trăm lúc vắng, hàng vạn khi đang đuổi kịp.",
            "hundreds at quiet hours, tens of thousands when catching up.",
            (
                Ask(
                    f"sum by (instance) (rate(truyvet_batch_records_sum{{{_W}}}[5m])) / "
                    f"sum by (instance) (rate(truyvet_batch_records_count{{{_W}}}[5m]))",
                    "{{instance}}",
                ),
            ),
        ),
        Panel(
            "Lô đang xử lý", "Batches in flight",
            "0 đến 2 mỗi phân vùng.", "0 to 2 a partition.",
            (Ask(f"truyvet_batches_in_flight{{{_W}}}", "{{instance}}"),),
            width=8,
        ),
        Panel(
            "Phải tra cứu trong ClickHouse", "Looked up in ClickHouse",
            "tăng một lúc sau khi khởi động, rồi gần 0.",
            "grows for a while after a start, then nearly 0.",
            (
                Ask(
                    f"sum by (instance) (rate(truyvet_scans_looked_up_total{{{_W}}}[5m]))",
                    "tra / looked up {{instance}}",
                ),
                Ask(
                    f"sum by (instance) (rate(truyvet_scans_misplaced_total{{{_W}}}[5m]))",
                    "sai phân vùng / misplaced {{instance}}",
                ),
            ),
            unit="reqps", width=8,
        ),
        Panel(
            "Mã đã biết", "Codes known",
            "bằng nhau ở mọi tiến trình.", "the same on every worker.",
            (Ask(f"truyvet_codes_known{{{_W}}}", "{{instance}}"),),
            width=8,
        ),
    ),
    variables=(("instance", "label_values(truyvet_batches_in_flight, instance)"),),
)  # fmt: skip
