"""The rehearsal: a backup under load, an empty machine, everything as it was, and on from there."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from console.accounting.reading import read_counts
from console.backup import keys
from console.backup.pieces import TABLES, Piece, Sums
from console.backup.sealed import passphrase_in
from console.store.engine import open_store
from console.store.keys import Role, create_key
from console.store.migrations.run import upgrade
from console.store.register import register_sites
from issuer.codes import KeyRing
from schemas.cases import Case, CaseStatus
from schemas.settings import PREFIX
from schemas.topics import ALERTS, CASES, SCANS, SITES
from streams.runs import Runs
from tests.console_kit import new_sites
from tests.fault.opencase import scan
from tests.system import ScanMaker, System, Traffic, running_system, wait_for

CASE, ALICE = "0000000000CAS", "00000000000A1"
START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)
ROOT = Path(__file__).parents[2]


def truyvet(data_dir: Path, *arguments: str, **environment: str) -> dict[str, Any]:
    """Run the command; what it said as JSON."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)} | environment
    command = [sys.executable, "-m", "console.cli.main", "--data-dir", str(data_dir), *arguments]
    done = subprocess.run(
        [*command, "--json"], env=env, cwd=ROOT, capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    found: dict[str, Any] = orjson.loads(done.stdout)
    return found


def truyvet_said(data_dir: Path, *arguments: str) -> str:
    """What the command says when it refuses."""
    with pytest.raises(AssertionError) as refused:
        truyvet(data_dir, *arguments)
    return " ".join(str(refused.value).split())


def a_case(system: System) -> None:
    """Someone met Alice, and is a case now."""
    token = system.places[0].codes[-1].token
    for person, begin, end in ((CASE, 0, 120), (ALICE, 30, 60)):
        met = [(begin, "in"), (end, "out")]
        system.publish(
            SCANS.name,
            [(person, scan(person, token, START + timedelta(minutes=m), d)) for m, d in met],
        )
    system.drain()
    case = Case(
        id="C-2026-000777", version=1, status=CaseStatus.CONFIRMED, person=CASE, onset=START.date(),
        ward="11413", registered_at=START + timedelta(hours=29), registered_by="test",
    )  # fmt: skip
    system.publish(CASES.name, [(case.id, case.model_dump_json().encode())])

    def completed() -> bool:
        found = [orjson.loads(record.value) for record in system.read_topic(ALERTS.name)]
        return any(alert["kind"] == "run_completed" for alert in found)

    wait_for(completed, 30, "the run")


def register(system: System) -> None:
    """Sites with codes, and a key."""
    upgrade(system.settings)
    store = open_store(system.settings)
    ring = KeyRing.parse(system.settings.code_keys.get_secret_value())
    register_sites(store, ring, new_sites(20, 5), source="test")
    create_key(store, Role.OFFICER, "*", name="kept")
    store.close()


@pytest.mark.timeout(600)
def test_a_backup_under_load_comes_back_on_an_empty_machine(tmp_path: Path) -> None:
    out, maker_seed = tmp_path / "backup", 5
    with running_system(tmp_path / "a") as system:
        register(system)
        system.start_worker()
        maker = ScanMaker(system, maker_seed)
        system.publish(SCANS.name, maker.make(20_000))
        a_case(system)
        run = Runs(system.clickhouse).last("C-2026-000777")
        assert run is not None
        # a run is in the backup when it is a minute old
        system.clickhouse.command(
            "ALTER TABLE trace_runs UPDATE stored_at = stored_at - INTERVAL 2 MINUTE WHERE 1 "
            "SETTINGS mutations_sync = 2"
        )
        traffic = Traffic(system, maker, 2_000)
        traffic.start()
        wait_for(lambda: sum(system.committed().values()) > 22_000, 30, "traffic to be written")
        passphrase = tmp_path / "passphrase"
        passphrase.write_text("six words that dice have chosen\n")
        sealed = ("--passphrase-file", str(passphrase))
        made = truyvet(tmp_path / "a", "backup", str(out), *sealed)
        assert made["encrypted"]
        traffic.stop()
        system.drain()
        produced = read_counts(system.settings).produced
        places = [(record.key, record.value) for record in system.read_topic(SITES.name)]
        assert (out.with_name("backup.keys").stat().st_mode & 0o777) == 0o600
        assert not out.with_name("backup.partial").exists()
        manifest = orjson.loads((out / "manifest.json").read_bytes())
        cut = {int(p): end for p, end in manifest["facts"]["cut"].items()}
        assert 22_000 < sum(cut.values()) < produced
        sums = Sums(system.clickhouse)
        before = {
            part["name"]: sums.of(Piece(part["of"][6:], part["partition"], part["where"]))
            for part in manifest["parts"]
            if part["of"].startswith("table/")
        }
        assert made["rows"]["relational/places"] == 100
        secrets = keys.read(out.with_name("backup.keys"), passphrase_in(passphrase)).values()
        files = [out.with_name("backup.keys"), *out.rglob("*")]
        whole = b"".join(f.read_bytes() for f in files if f.is_file())
        assert len(secrets) >= 3
        assert not any(secret.encode() in whole for secret in secrets if len(secret) > 20)

    passphrase.write_text("six words that somebody guessed\n")
    for how, why in ((sealed, "does not open"), ((), "--passphrase-file")):
        assert why in truyvet_said(tmp_path / "b", "restore", str(out), *how)
        assert not (tmp_path / "b" / "truyvet.env").exists()
    passphrase.write_text("six words that dice have chosen\n")
    restored = truyvet(tmp_path / "b", "restore", str(out), *sealed)
    assert restored["wrong"] == []
    assert restored["lost"] == {}
    assert restored["moved"] >= sum(cut.values())
    with running_system(tmp_path / "b") as system:
        sums = Sums(system.clickhouse)
        for part in manifest["parts"]:
            if part["of"].startswith("table/"):
                piece = Piece(part["of"][6:], part["partition"], part["where"])
                assert sums.of(piece) == before[part["name"]] == (part["rows"], part["check"])
        again = Runs(system.clickhouse).last("C-2026-000777")
        assert again is not None
        assert again.version == run.version
        counts = read_counts(system.settings)
        assert (counts.missing, counts.in_flight) == (0, 0)
        assert counts.produced == sum(cut.values())
        found = [(record.key, record.value) for record in system.read_topic(SITES.name)]
        assert found[:50] == places
        # and it goes on: new scans get offsets that no row has, an old one is a duplicate
        system.start_worker()
        system.publish(SCANS.name, ScanMaker(system, 77).make(5_000))
        system.drain()
        after = read_counts(system.settings)
        assert after.missing == 0
        assert after.produced == counts.produced + 5_000
        assert after.written > counts.written + 4_500
    # the engine's disk is lost, Kafka lives: the tables alone, and the workers read the rest again
    refused = truyvet_said(tmp_path / "b", "restore", str(out), "--only", "tables")
    assert "data here already" in refused
    shutil.rmtree(tmp_path / "b" / "engine")
    tables = truyvet(tmp_path / "b", "restore", str(out), "--only", "tables")
    assert (tables["wrong"], tables["moved"], tables["lost"]) == ([], 0, {})
    with running_system(tmp_path / "b") as system:
        assert read_counts(system.settings).in_flight == 5_000
        system.start_worker()
        system.drain()
        assert read_counts(system.settings) == after
    assert {kept.name for kept in TABLES} <= {part["of"][6:] for part in manifest["parts"]} | {
        "expired", "erased", "daily_totals", "coverage_days",
    }  # fmt: skip
