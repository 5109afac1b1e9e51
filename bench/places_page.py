"""What `truyvet bench places` found: its limits, its table, and the page in the documents."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

Found = dict[str, Any]
Row = tuple[str, str, str, str]  # Vietnamese, English, how long or how fast, memory

PAGE: Final = "bench-places.md"
BEGIN: Final = "<!-- figures: written by `truyvet bench places --write docs` -->"
END: Final = "<!-- end of figures -->"
_QUESTIONS: Final = {
    "whole": ("phễu cả thành phố", "funnel of everything"),
    "by_ward": ("phễu theo phường, xã", "funnel by ward"),
    "by_kind": ("phễu theo loại hình", "funnel by kind"),
    "one_ward": ("phễu của một phường", "funnel of one ward"),
    "by_day": ("phễu theo ngày, 28 ngày", "funnel by day, 28 days"),
    "behind_posted": ("100 điểm chưa dán", "100 places not posted"),
    "behind_scanned_ward": ("điểm chưa ai quét, một phường", "not scanned, of one ward"),
}
LIMITS: Final = {
    "worker_ready_s": ("worker sẵn sàng, s", "worker ready, s"),
    "worker_register_mb": ("sổ trong worker, MB", "the register in a worker, MB"),
    "revoked_longest_s": ("thu hồi có hiệu lực, s", "a revocation in force, s"),
    "coverage_query_p99_s": ("hỏi độ phủ, p99, s", "a coverage query, p99, s"),
    "coverage_oldest_s": ("độ phủ cũ nhất, s", "coverage shown, the oldest, s"),
}


def limits(found: Found) -> list[Found]:
    """What is asked for a million places, and what was found."""
    asked = max(one["p99_ms"] for one in found["coverage"]["asked"]) / 1000
    return [
        {"what": what, "found": value, "limit": limit, "passed": value <= limit}
        for what, value, limit in (
            ("worker_ready_s", found["worker"]["full"]["longest_s"], 15.0),
            ("worker_register_mb", found["worker"]["register_mb"], 300.0),
            ("revoked_longest_s", found["revoked"]["longest_s"], 2.0),
            ("coverage_query_p99_s", round(asked, 3), 1.0),
            ("coverage_oldest_s", found["coverage"]["oldest_s"], 60.0),
        )
    ]


def rows(found: Found) -> list[Row]:
    """The lines of the table."""
    dry, done, required = found["dry_run"], found["import"], found["required"]
    published, worker, covered = found["published"], found["worker"], found["coverage"]
    full, empty, told = worker["full"], worker["empty"], found["revoked"]
    told_of = _number(told["revocations"])
    lines = [
        ("nhập danh sách, có cấp mã", "import of the list, with codes",
         f"{_s(done['seconds'])}, {_number(done['per_s'])}/s, {_cpu(done)}", _mb(done["peak_mb"])),
        (f"danh sách phải có mã, {_number(required['rows'])} mục",
         f"required list, {_number(required['rows'])} entries",
         f"{_s(required['seconds'])}, {_cpu(required)}", _mb(required["peak_mb"])),
        ("đưa lên Kafka", "published to Kafka",
         f"{_s(published['seconds'])}, {_number(published['per_s'])}/s",
         _mb(published["console_peak_mb"])),
        ("worker sẵn sàng, không có điểm nào", "worker ready, no places",
         f"{_s(empty['longest_s'])}, {_cpu(empty)}", _mb(empty["rss_mb"])),
        ("worker sẵn sàng, đủ mọi mã", "worker ready with all codes",
         f"{_s(full['longest_s'])}, {_cpu(full)}", _mb(full["rss_mb"])),
        ("phần của sổ trong worker", "of which the register",
         "", f"{_mb(worker['register_mb'])} (+{_mb(worker['register_peak_mb'])})"),
        ("độ phủ: chép sổ từ Kafka", "coverage: the register copied from Kafka",
         _s(covered["copied_s"]), _mb(covered["peak_mb"])),
        (f"vòng đếm đầu, {_number(found['scans'])} lượt quét",
         f"first round, {_number(found['scans'])} scans", _s(covered["counted_s"]), ""),
    ]  # fmt: skip
    if dry:
        took = f"{_s(dry['seconds'])}, {_cpu(dry)}"
        lines.insert(0, ("đọc thử danh sách", "dry run of the list", took, _mb(dry["peak_mb"])))
    lines += [
        (vi, en, _s(covered[key]), "")
        for vi, en, key in (
            ("vòng sau, không đổi", "next round, nothing new", "unchanged_s"),
            ("vòng sau, có lượt quét mới", "next round, with new scans", "with_scans_s"),
            ("độ phủ đang xem cũ nhất", "coverage shown, the oldest", "oldest_s"),
        )
        if covered[key] is not None
    ]
    lines += [
        *(
            (*_QUESTIONS[one["question"]], f"p50 {_ms(one['p50_ms'])}, p99 {_ms(one['p99_ms'])}, "
             f"CPU {_ms(one['cpu_ms'])}",
             "") for one in covered["asked"]
        ),
        (f"{told_of} mã bị thu hồi: mọi worker từ chối, lâu nhất",
         f"{told_of} codes revoked: every worker refuses, the longest",
         f"{told['longest_s']:.2f} s", ""),
    ]  # fmt: skip
    return lines


def _number(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\u202f")


def _cpu(found: Found) -> str:
    return f"CPU {_s(found['cpu_s'])}"


def _s(seconds: float) -> str:
    return f"{seconds:.1f} s"


def _ms(value: float) -> str:
    return f"{_number(value)} ms"


def _mb(value: float) -> str:
    return f"{_number(value)} MB"


def write_page(docs: Path, found: Found) -> None:
    """Write the tables between the page's two marks."""
    page = docs / PAGE
    text = page.read_text(encoding="utf-8") if page.exists() else f"{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{tables(found)}\n{END}{after}", encoding="utf-8")


def tables(found: Found) -> str:
    """The result as Markdown, in English."""
    machine = found["machine"]
    about = (
        f"{machine['cores']} cores ({machine['processor']}), "
        f"{machine['memory_kb'] / 1e6:.0f} GB, Python {machine['python']}, SQLite; one run, seed "
        f"{found['seed']}, load of the machine at the end {found['load']}. "
        f"{_number(found['places'])} places of {_number(found['sites'])} sites, "
        f"{_number(found['scans'])} scans."
    )
    held = [
        (
            LIMITS[one["what"]][1],
            f"{one['found']:g}",
            f"{one['limit']:g}",
            "met" if one["passed"] else "**missed**",
        )
        for one in found["limits"]
    ]
    seen = found["revoked"]["seen_longest_s"]
    return "\n\n".join(
        (
            about,
            _table(("asked for", "found", "at most", ""), held),
            _table(("what", "time", "memory"), [row[1:] for row in rows(found)]),
            f"All refusals of a revocation could be read in ClickHouse after {seen} s at most.",
        )
    )


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(one)} |" for one in (heads, ["---"] * len(heads), *lines))
