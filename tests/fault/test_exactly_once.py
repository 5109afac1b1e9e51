"""Worker, broker and engine killed with SIGKILL while scans flow; then every record is in exactly
one table, once, and everything that follows from it is out.

The seed is printed and can be given: `TRUYVET_FAULT_SEED=7 pytest -s tests/fault`. The long form:
`TRUYVET_FAULT_KILLS=200 pytest -s tests/fault/test_exactly_once.py`.
"""

import os
from pathlib import Path

import pytest

from tests.fault.campaign import TIMING, Campaign
from tests.fault.points import POINTS
from tests.system import running_system

SEED = int(os.environ.get("TRUYVET_FAULT_SEED", "2021"))
KILLS = int(os.environ.get("TRUYVET_FAULT_KILLS", "33"))
_ALL_POINTS = 33  # so many kills go through every named point


@pytest.mark.timeout(120 + 12 * KILLS)
def test_killed_at_named_points_and_at_random_every_record_is_one_row(tmp_path: Path) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    with running_system(tmp_path, **TIMING) as system:
        campaign = Campaign(system, SEED, tmp_path, say=lambda text: print(text, flush=True))
        agreed = campaign.run(KILLS)
        hits = campaign.hits()
        print(f"killed {dict(campaign.killed)}; the line: {dict(campaign.line_faults)}; {agreed}")
        assert campaign.kills >= KILLS
        assert not campaign.not_reached, f"points nobody passed: {campaign.not_reached}"
        assert hits == {p: n for p, n in campaign.killed.items() if p in POINTS}
        if KILLS >= _ALL_POINTS:
            assert hits.keys() == POINTS.keys()
        assert agreed.tables["scans"] > 10_000
        assert agreed.tables["expired"] > 100
        assert agreed.alerts > 100
        weeks = system.clickhouse.rows("SELECT uniqExact(toMonday(scanned_at)) FROM scans")
        assert weeks[0][0] >= 3
