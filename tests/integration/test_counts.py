"""`counts` on the real system: exact, and still exact when retention has taken rows away."""

from pathlib import Path

from console.accounting.reading import read_counts
from streams.totals import write_daily_totals
from tests.system import ScanMaker, running_system


def test_the_account_is_exact_and_outlives_the_rows(tmp_path: Path) -> None:
    with running_system(tmp_path, session_timeout_s=6, insert_timeout_s=3) as system:
        worker = system.start_worker(session_timeout_s=6, insert_timeout_s=3)
        system.publish("scans.v1", ScanMaker(system, 21, days=20).make(5_000))
        system.drain()
        worker.stop()
        before = read_counts(system.settings)
        assert (before.produced, before.missing, before.in_flight) == (5_000, 0, 0)
        assert before.written + before.duplicates + before.rejected == 5_000
        assert sum(before.rejected_by_reason.values()) == before.rejected
        # with a retention of 5 days these days are at the end of their lives
        write_daily_totals(system.clickhouse, 5)
        write_daily_totals(system.clickhouse, 5)
        assert read_counts(system.settings) == before
        gone = "scanned_at < toStartOfDay(now('UTC')) - INTERVAL 7 DAY AND "
        gone += "scanned_at >= toStartOfDay(now('UTC')) - INTERVAL 12 DAY"
        [(rows,)] = system.clickhouse.rows(f"SELECT count() FROM scans WHERE {gone}")
        assert rows > 500
        system.clickhouse.command(
            f"ALTER TABLE scans DELETE WHERE {gone} SETTINGS mutations_sync = 1, "
            "lightweight_mutation_projection_mode = 'rebuild'"
        )
        assert read_counts(system.settings) == before
        [(partition, offset)] = system.clickhouse.rows(
            "SELECT kafka_partition, kafka_offset FROM scans WHERE scanned_at > "
            "now() - INTERVAL 3 DAY LIMIT 1"
        )
        system.clickhouse.command(
            f"ALTER TABLE scans DELETE WHERE kafka_partition = {partition} "
            f"AND kafka_offset = {offset} SETTINGS mutations_sync = 1, "
            "lightweight_mutation_projection_mode = 'rebuild'"
        )
        assert read_counts(system.settings).missing == 1  # a lost row is not explained away
