"""What the longer benchmarks print: a value, and what it is, in both languages."""

from typing import Any

from console.cli.out import number

Row = tuple[str, str, str]  # Vietnamese, English, the value


def rows_of(name: str, found: dict[str, Any]) -> list[Row]:
    """The lines of one benchmark's result, from its JSON object."""
    return _ROWS[name](found)


def _live(r: dict[str, Any]) -> list[Row]:
    rows = _stretch(r["steady"])
    if r["parts_before"]:
        rows.append(("tuần đã gộp bên cạnh", "closed weeks merged beside", str(r["weeks_merged"])))
    if r["live"] is not None:
        rows.append(("tốc độ trực tiếp", "live rate: lag does not grow", _per_s(r["live_rate"])))
        rows += _stretch(r["live"])
    return [*rows, _exact(r)]


def _stretch(s: dict[str, Any]) -> list[Row]:
    at = number(s["rate"])
    return [
        (f"p50 ở {at}/giây", f"p50 at {at}/s", _ms(s["p50_ms"])),
        (f"p99 ở {at}/giây", f"p99 at {at}/s", _ms(s["p99_ms"])),
        ("lâu nhất", "longest", _ms(s["max_ms"])),
        ("CPU của worker", "worker CPU", f"{s['worker_cores']:.2f} cores"),
        ("CPU của máy ClickHouse", "engine CPU", f"{s['engine_cores']:.2f} cores"),
        ("bộ nhớ worker", "worker memory", _mb(s["worker_rss_mb"])),
        ("số part", "active parts", str(s["parts"])),
    ]


def _soak(r: dict[str, Any]) -> list[Row]:
    return [
        ("tốc độ đạt được", "rate achieved", _per_s(r["achieved"])),
        ("bộ nhớ worker lúc ổn định", "worker memory, settled", _mb(r["rss_settled_mb"])),
        ("bộ nhớ worker lúc cuối", "worker memory, at the end", _mb(r["rss_end_mb"])),
        ("tỉ lệ cuối so với ổn định", "end to settled", _ratio(r["rss_ratio"])),
        ("part nhiều nhất", "most active parts", str(r["parts_most"])),
        ("trễ nhiều nhất", "longest lag", f"{r['lag_most_s']:.2f} s"),
        ("tuần đã gộp", "closed weeks merged", str(r["weeks_merged"])),
        _exact(r),
    ]


def _growth(r: dict[str, Any]) -> list[Row]:
    rows: list[Row] = []
    for s in r["stages"]:
        at = number(s["rows"])
        rows += [
            (
                f"{at} dòng: CPU mỗi lượt",
                f"{at} rows: CPU a scan",
                f"{s['cost']['total_us']:.2f} µs",
            ),
            (
                "  bằng việc mẫu, mỗi triệu lượt",
                "  in yardsticks, a million scans",
                f"{s['cost']['yardsticks']:.1f}",
            ),
            (
                "  đọc offset đã có, mọi phân vùng",
                "  reading which offsets are there, all partitions",
                f"{s['present']['at_end_s']:.3f} s",
            ),
            ("  số part", "  active parts", str(s["parts_after"])),
        ]
    paper = r["paper"]
    return [
        *rows,
        (
            "lớn nhất so với bảng lớn đầu tiên",
            "last to the first filled",
            _ratio(r["ratio_last_to_first_filled"]),
        ),
        ("lớn nhất so với bảng trống", "last to empty", _ratio(r["ratio_last_to_empty"])),
        (
            "hai tuần giấy: part mỗi insert",
            "paper: parts an insert",
            str(paper["parts_per_insert"]),
        ),
        ("hai tuần giấy: part sau đó", "paper: parts after", str(paper["parts_after"])),
        _exact(r),
    ]


def _window(r: dict[str, Any]) -> list[Row]:
    small, large = r["small"], r["large"]
    return [
        ("cửa sổ, mỗi triệu mã", "window, a million ids", _mb(r["held_mb_per_million"])),
        ("bộ nhớ, mỗi triệu mã", "resident, a million ids", _mb(r["rss_mb_per_million"])),
        (
            f"cửa sổ có giới hạn, sau {number(r['bounded_ids'])} mã",
            f"bounded, after {number(r['bounded_ids'])} ids",
            _mb(r["bounded_mb"]),
        ),
        (
            "dựng lại, mỗi triệu mã",
            "rebuild, a million ids",
            f"{r['rebuild_s_per_million']:.2f} s",
        ),
        (
            "tra theo người, mỗi giây: 1.000, 20.000 một lần",
            "looked up by person, a second: 1,000 at once, 20,000",
            f"{number(r['look_up_persons_per_s'])}; {number(r['look_up_most_per_s'])}",
        ),
        *(
            (
                f"hàng chờ {number(b['records'])}: bộ nhớ",
                f"backlog of {number(b['records'])}: memory",
                _mb(b["rss_most_mb"]),
            )
            for b in (small, large)
        ),
        ("tỉ lệ", "ratio", _ratio(r["backlog_ratio"])),
    ]


def _watch(r: dict[str, Any]) -> list[Row]:
    return [
        ("không có ca: CPU mỗi lượt quét", "no case: CPU a scan", f"{r['without_us']:.3f} µs"),
        (
            f"{number(r['windows'])} mốc: CPU mỗi lượt quét",
            f"{number(r['windows'])} place-windows: CPU a scan",
            f"{r['with_us']:.3f} µs",
        ),
        ("tỉ lệ", "ratio", _ratio(r["ratio"])),
        (
            f"cả hai worker, {number(r['runs'])} lượt truy vết lại có điều mới",
            f"both workers, {number(r['runs'])} runs with something new",
            f"{r['all_without_us']:.3f} → {r['all_with_us']:.3f} µs, {_ratio(r['all_ratio'])}",
        ),
        _exact(r),
    ]


def _outage(r: dict[str, Any]) -> list[Row]:
    return [
        ("không có ClickHouse", "without ClickHouse", f"{r['down_s']:.0f} s"),
        ("hàng chờ lúc trở lại", "backlog at its return", number(r["backlog"])),
        ("bộ nhớ worker trước đó", "worker memory before", _mb(r["rss_before_mb"])),
        ("bộ nhớ worker nhiều nhất", "worker memory, most", _mb(r["rss_most_during_mb"])),
        ("số liệu báo mất", "the metric said away", f"{100 * r['engine_away_share']:.0f} %"),
        ("/ready báo chưa sẵn sàng", "/ready said no", f"{100 * r['not_ready_share']:.0f} %"),
        ("đuổi kịp sau", "caught up after", f"{r['catch_up_s']:.1f} s"),
        ("tốc độ đuổi kịp", "catch-up rate", _per_s(r["catch_up_per_s"])),
        _exact(r),
    ]


def _fsync(r: dict[str, Any]) -> list[Row]:
    rows: list[Row] = []
    for o in r["outcomes"]:
        rows += [
            (
                f"{o['setting']}: vào Kafka",
                f"{o['setting']}: into Kafka",
                _ratio(o["publish_ratio"]),
            ),
            (
                f"{o['setting']}: vào bảng",
                f"{o['setting']}: into tables",
                _ratio(o["ingest_ratio"]),
            ),
        ]
    return rows


def _garbage(r: dict[str, Any]) -> list[Row]:
    first, *kinds = r["costs"]
    words = f"{first['worker_us'] + first['engine_us'] + first['broker_us']:.1f} µs"
    return [
        ("chủ đề tốt: CPU mỗi bản ghi", "good topic: CPU a record", words),
        *((f"{c['kind']}, {c['bytes']:.0f} byte",) * 2 + (_ratio(c["ratio"]),) for c in kinds),
        _exact(r),
    ]


def _trace(r: dict[str, Any]) -> list[Row]:
    rows: list[Row] = []
    for s in r["sizes"]:
        at, unmerged, merged = number(s["scans"]), s["unmerged"], s["merged"]
        rows += [
            (f"{at} lượt, đã gộp: p50", f"{at} scans, merged: p50", _ms1(merged["p50_ms"])),
            ("  p99", "  p99", _ms1(merged["p99_ms"])),
            (
                f"  tuần này trong {unmerged['current_week_parts']} part: p50",
                f"  current week in {unmerged['current_week_parts']} parts: p50",
                _ms1(unmerged["p50_ms"]),
            ),
            (
                f"  bệnh nhân có {number(s['many_contacts'])} người tiếp xúc",
                f"  a patient with {number(s['many_contacts'])} contacts",
                f"{s['many_s']:.2f} s",
            ),
            *(
                (
                    f"  {b['name']}, {b['cases']} ca, cùng câu trả lời: p50",
                    f"  {b['name']}, {b['cases']} cases, same answers: p50",
                    "–" if b["failure"] else _ms1(b["p50_ms"]),
                )
                for b in s["beside"]
            ),
        ]
    rows.append(("lớn so với nhỏ", "growth, large to small", _ratio(r["growth"])))
    rows.append(("tự nối so với truyvet", "self-join to truyvet", _ratio(r["ratio_to_naive"])))
    if r["ingest"]:
        at = number(r["ingest"]["rate"])
        words = f"p99 bên cạnh {at} lượt/giây", f"p99 beside {at} scans/s to idle"
        rows.append((*words, _ratio(r["ingest"]["ratio"])))
    return rows


def _ms1(value: float) -> str:
    return f"{value:.1f} ms"


def _exact(r: dict[str, Any]) -> Row:
    words = "đúng / yes" if r["exact"] else "SAI / NO"
    return "mỗi offset đúng một lần", "every offset exactly once", words


def _ms(value: float) -> str:
    return f"{number(value)} ms"


def _mb(value: float) -> str:
    return f"{number(value)} MB"


def _per_s(value: float) -> str:
    return f"{number(value)} /s"


def _ratio(value: float) -> str:
    return f"{value:.3f} ×"


_ROWS = {
    "live": _live,
    "soak": _soak,
    "growth": _growth,
    "window": _window,
    "watch": _watch,
    "outage": _outage,
    "fsync": _fsync,
    "garbage": _garbage,
    "trace": _trace,
}
