"""The tables made anew from Kafka while scans come in: exact to the offset, differences listed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from console.accounting.log import asked
from console.accounting.reading import read_counts
from console.rebuild.run import DIFFERENCES, STATE, Rebuild
from console.store.engine import open_store
from console.store.migrations.run import upgrade
from issuer.codes import KeyRing, first_code
from schemas.places import place_key
from schemas.topics import SCANS, SITES
from tests.integration.test_backup import truyvet, truyvet_said
from tests.integration.test_dlq_replay import Replay
from tests.integration.test_erasure import ALICE, erase, everywhere, meet
from tests.system import ScanMaker, System, Traffic, end_workers, running_system, wait_for


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(Path(tmp_path_factory.mktemp("rebuild"))) as made:
        upgrade(made.settings)
        yield made


def outcomes(system: System) -> dict[tuple[int, int], str]:
    """Of each offset the table it is in, and for rejects why; an offset twice fails."""
    rows = system.clickhouse.rows(
        " UNION ALL ".join(
            f"SELECT kafka_partition, kafka_offset, {what} FROM {table}"
            for table, what in (
                ("scans", "concat('scans ', toString(place), toString(event_id))"),
                ("rejects", "toString(reason)"),
                ("duplicates", "'duplicate'"),
                ("expired", "'expired'"),
                ("erased", "'erased'"),
            )
        )
    )
    found = {(p, o): what for p, o, what in rows}
    assert len(found) == len(rows)
    return found


async def forget(system: System, ends: dict[int, int]) -> None:
    """What Kafka's retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=system.settings.kafka_bootstrap)
    await admin.start()
    wanted = {TopicPartition(SCANS.name, p): RecordsToDelete(end) for p, end in ends.items()}
    await admin.delete_records(wanted)
    await admin.close()


@pytest.mark.timeout(600)
def test_exact_while_serving(system: System) -> None:
    store = open_store(system.settings)
    system.start_worker()
    maker = ScanMaker(system, 8)
    system.publish(SCANS.name, maker.make(15_000))
    meet(system, ALICE, 0, 0)
    system.drain()
    middle = {p: end // 3 for p, end in system.committed().items()}
    asked(system.settings, lambda: forget(system, middle))
    assert erase(system, store, ALICE).removed["scans"] == 2
    # a code is revoked from before, after scans with it were written
    place = system.places[7]
    code = place.codes[-1]
    gone = code.model_copy(update={"revoked_at": datetime.now(UTC) - timedelta(days=10)})
    changed = place.model_copy(update={"version": 2, "codes": (gone,)})
    system.publish(SITES.name, [(place_key(place.id), changed.model_dump_json().encode())])
    traffic = Traffic(system, maker, 1_000)
    traffic.start()
    wait_for(lambda: sum(system.committed().values()) > 17_000, 30, "traffic")
    before = outcomes(system)
    said = truyvet(system.settings.data_dir, "rebuild")
    assert said["swapped"]
    assert said["start_workers_again"], "it knows as written what is refused now"
    assert said["carried"] > 3_000
    assert said["unexplained"] == 0
    traffic.stop()
    system.drain()
    counts = read_counts(system.settings)
    assert (counts.missing, counts.in_flight) == (0, 0)
    assert counts.erased == 2
    after = outcomes(system)
    differing = {at: (before[at], after[at]) for at in before if before[at] != after[at]}
    # the sentence about each difference is true: revoked, and nothing else
    assert differing
    for was, now in differing.values():
        assert was.startswith("scans 8")
        assert now == "revoked_code"
    listed = (system.settings.data_dir / DIFFERENCES).read_text().splitlines()[1:]
    assert {tuple(map(int, line.split(",")[:2])) for line in listed} >= set(differing)
    assert sum(row["records"] for row in said["differences"]) == len(listed)
    assert everywhere(system, ALICE) == {}
    databases = {name for (name,) in system.clickhouse.rows("SELECT name FROM system.databases")}
    assert "default_rebuild" not in databases
    assert not (system.settings.data_dir / STATE).exists()
    store.close()


@pytest.mark.timeout(400)
def test_stopped_in_the_middle_it_goes_on(system: System, monkeypatch: Any) -> None:
    from console.rebuild import run

    system.drain()
    before = outcomes(system)
    seen: list[tuple[str, int, int]] = []

    def stop_when_reading(step: str, done: int, total: int) -> None:
        seen.append((step, done, total))
        if step == "reading" and done > 5_000:
            raise KeyboardInterrupt

    monkeypatch.setattr(run, "_NOTE_EVERY_S", 0.0)
    with pytest.raises(KeyboardInterrupt):
        Rebuild(system.settings, stop_when_reading).run()
    assert outcomes(system) == before
    state = orjson.loads((system.settings.data_dir / STATE).read_bytes())
    assert sum(state["done"].values()) > sum(state["begins"].values())
    found = Rebuild(system.settings, lambda *_: None).run()
    assert found.swapped
    assert found.differences == []
    assert outcomes(system) == before
    assert read_counts(system.settings).missing == 0


@pytest.mark.timeout(400)
def test_what_became_a_scan_is_written_once_when_it_is_sent_again(system: System) -> None:
    """Its letter is out, its producer may send it again, and no worker that runs knows its id."""
    end_workers(system)
    system.start_worker(code_wait_s=0.2)
    late = Replay(system)
    scans = late.scans(60)
    system.publish(SCANS.name, scans)
    system.drain()
    assert set(late.written(scans)) == {0}
    late.register(place=late.place)

    def known() -> bool:
        [fresh] = late.scans(1)
        system.publish(SCANS.name, [fresh])
        system.drain()
        return late.written([fresh]) == [1]

    wait_for(known, 30, "the worker to know the place")
    before = outcomes(system)
    said = truyvet_said(system.settings.data_dir, "rebuild")
    assert "dừng mọi worker" in said
    assert "Stop all workers" in said
    assert outcomes(system) == before
    end_workers(system)
    found = Rebuild(system.settings, lambda *_: None).run()
    assert found.swapped
    assert not found.start_workers_again, "none runs"
    assert set(late.written(scans)) == {1}

    system.start_worker()
    system.publish(SCANS.name, scans[:30])
    assert late.replay("--reason", "unknown_code")["replayed"] >= len(scans)
    assert set(late.written(scans)) == {1}
    assert outcomes(system)
    assert read_counts(system.settings).missing == 0


@pytest.mark.timeout(400)
def test_where_only_repeats_were_learnt_anew_nobody_has_to_stop(system: System) -> None:
    """Refused, replayed and written; rebuilt, the first is the scan and the other its repeat."""
    end_workers(system)
    system.start_worker(code_wait_s=0.2)
    late = Replay(system)
    place = late.place.model_copy(update={"id": late.place.id + 1, "codes": ()})
    late.place = first_code(place, KeyRing.parse(system.settings.code_keys.get_secret_value()))
    scans = late.scans(20)
    system.publish(SCANS.name, scans)
    system.drain()
    late.register(place=late.place)

    def known() -> bool:
        late.replay("--reason", "unknown_code")
        return set(late.written(scans)) == {1}

    wait_for(known, 60, "the worker to know the place")
    found = Rebuild(system.settings, lambda *_: None).run()
    assert found.swapped
    assert {(row["was"], row["is"]) for row in found.differences} >= {
        ("unknown_code", "written"),
        ("written", "duplicate"),
    }
    assert not found.start_workers_again
    system.publish(SCANS.name, scans)
    system.drain()
    assert set(late.written(scans)) == {1}
