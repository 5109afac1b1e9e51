"""Whether check-ins as they are would be kept: retention, in the settings and in the tables."""

from datetime import UTC, datetime, timedelta

from console.accounting.reading import engine_away
from schemas.clock import local_text
from schemas.errors import Fatal, Retryable, UserError
from schemas.settings import Settings
from streams.clickhouse import ClickHouse

_HOW_VI = (
    "hãy bắt đầu ở thư mục dữ liệu mới, tắt hạn lưu trữ: "
    "`TRUYVET_RETENTION_DAYS=0 truyvet --data-dir DIR up`, "
    "hoặc dời tệp về hiện tại bằng --shift-to-now"
)
_HOW = (
    "start on a fresh data directory with retention off: "
    "`TRUYVET_RETENTION_DAYS=0 truyvet --data-dir DIR up`, "
    "or move the file to the present with --shift-to-now"
)


def refuse_unless_kept(settings: Settings, earliest_ms: int | None, now: datetime) -> None:
    """Raises UserError if the earliest check-in (milliseconds since 1970) would be refused or taken
    away."""
    if settings.retention_days != 0:
        if earliest_ms is None or earliest_ms >= too_old_before(settings, now):
            return
        first = local_text(datetime.fromtimestamp(earliest_ms / 1000, UTC))
        raise UserError(
            f"--as-recorded: {settings.data_dir} chỉ giữ lượt quét {settings.retention_days} ngày, "
            f"tệp bắt đầu từ {first}; {_HOW_VI}. / --as-recorded: "
            f"{settings.data_dir} keeps scans for {settings.retention_days} days only, the file "
            f"begins at {first}; {_HOW}."
        )
    clickhouse = ClickHouse(settings, timeout_s=15)
    try:
        made = clickhouse.rows(
            "SELECT engine_full FROM system.tables "  # noqa: S608 (our own name)
            f"WHERE database = currentDatabase() AND name = '{clickhouse.shape.local('scans')}'"
        )
    except (Retryable, Fatal) as error:
        raise engine_away(settings, error) from error
    finally:
        clickhouse.close()
    if not made:
        raise UserError(
            "Chưa có bảng `scans`: hãy chạy `truyvet migrate`. / "
            "There is no table `scans` yet: run `truyvet migrate`."
        )
    if " TTL " in str(made[0][0]):
        raise UserError(
            f"--as-recorded: các bảng trong {settings.data_dir} đã tạo với hạn lưu trữ, lượt quét "
            f"cũ sẽ bị xoá; {_HOW_VI}. / "
            f"--as-recorded: the tables of {settings.data_dir} were made with a retention, which "
            f"would take old scans away; {_HOW}."
        )


def too_old_before(settings: Settings, now: datetime) -> int:
    """Milliseconds since 1970; a scan before it is refused as `too_old`. 0 without retention."""
    if settings.retention_days == 0:
        return 0
    return int((now - timedelta(days=settings.retention_days)).timestamp() * 1000)
