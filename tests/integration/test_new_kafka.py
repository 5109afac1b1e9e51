"""Kafka's data are lost and the tables live: on a new, empty Kafka nothing old is lost or counted
again, and everything new is counted."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from console.accounting.reading import read_counts
from console.relay import publish_once
from console.store.cases import NewCase, register_case
from console.store.engine import Store, open_store
from console.store.migrations.run import upgrade
from console.store.producers import put_producer
from console.store.register import register_sites
from deploy.embedded.stack import Stack, StackOptions
from issuer.codes import KeyRing
from schemas.places import Producer
from schemas.settings import load_settings
from schemas.topics import ALERTS, CASES, PRODUCERS, SCANS, SITES
from streams.clickhouse import ClickHouse
from streams.convert import OUTCOMES
from streams.migrate import migrate
from streams.runs import Runs
from tests.console_kit import new_sites
from tests.fault.opencase import scan
from tests.integration.test_backup import ALICE, CASE, START, truyvet, truyvet_said
from tests.system import ScanMaker, System, wait_for

BOB = "00000000000B0"


@contextmanager
def running(data_dir: Path) -> Iterator[System]:
    """Kafka and the engine; what is on them stays as it is."""
    with Stack(StackOptions(data_dir, services=frozenset({"kafka", "engine"}))) as stack:
        settings = load_settings(data_dir)
        migrate(settings)
        upgrade(settings)
        system = System(stack, settings, ClickHouse(settings, timeout_s=60))
        try:
            yield system
        finally:
            for worker in system.workers:
                if worker.alive:
                    worker.kill()


def known(system: System, store: Store) -> None:
    """The register's places, as the makers of scans want them."""
    from console.store.sites import places

    system.places = list(places(store))


def meet(system: System, person: str, begin: int, end: int) -> None:
    """A stay at the first place, in minutes after `START`."""
    token = system.places[0].codes[-1].token
    met = [(begin, "in"), (end, "out")]
    system.publish(
        SCANS.name, [(person, scan(person, token, START + timedelta(minutes=m), d)) for m, d in met]
    )


def rows(system: System) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables, as far as it says what a record was and where."""
    shown = {
        "scans": "kafka_partition, kafka_offset, toString(event_id), person, written_at",
        "rejects": "kafka_partition, kafka_offset, toString(reason), original",
        "duplicates": "kafka_partition, kafka_offset, toString(event_id), person",
    }
    return {
        table: system.clickhouse.rows(
            f"SELECT {shown.get(table, 'kafka_partition, kafka_offset')} FROM {table} ORDER BY 1, 2"
        )
        for table in OUTCOMES
    }


def latest(system: System, topic: str) -> dict[bytes, Any]:
    """What a compacted topic says of each key."""
    return {record.key: record.value for record in system.read_topic(topic)}


def runs_of(system: System, case: str) -> int:
    """How many runs a case has."""
    return int(
        system.clickhouse.rows(f"SELECT count() FROM trace_runs WHERE case_id = '{case}'")[0][0]
    )


@pytest.mark.timeout(600)
def test_on_a_new_kafka_nothing_is_lost_and_nothing_counted_again(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        store = open_store(system.settings)
        ring = KeyRing.parse(system.settings.code_keys.get_secret_value())
        register_sites(store, ring, new_sites(10, 5), source="test")
        put_producer(store, Producer(id="sim", name="sim"))
        known(system, store)
        asyncio.run(publish_once(store, system.settings))
        system.start_worker()
        system.publish(SCANS.name, ScanMaker(system, 3).make(12_000))
        meet(system, CASE, 0, 120)
        meet(system, ALICE, 30, 60)
        system.drain()
        case = register_case(
            store,
            NewCase(person=CASE, ward="11413", onset=START.date()),
            registered_by="test",
        )
        asyncio.run(publish_once(store, system.settings))
        wait_for(lambda: runs_of(system, case.id) == 1, 60, "the run")
        old, topics = rows(system), {t: latest(system, t) for t in (SITES.name, PRODUCERS.name)}
        before = read_counts(system.settings)
        assert (before.missing, before.in_flight) == (0, 0)
        assert "truyvet down" in truyvet_said(tmp_path, "topics", "renew")
        assert system.workers[0].stop() == 0
        ends = {p: end for p, end in system.end_offsets().items() if end}

    shutil.rmtree(tmp_path / "kafka")
    with running(tmp_path) as system:
        known(system, store)
        # a producer cannot wait; a worker that starts says what is to be done, and writes nothing
        meet(system, BOB, 40, 70)
        worker = system.new_worker()
        worker.launch()
        wait_for(lambda: worker.exit_code is not None, 90, "the worker to refuse")
        assert worker.exit_code == 70
        assert "truyvet topics renew" in worker.log.read_text()
        assert rows(system) == old

    renewed = truyvet(tmp_path, "topics", "renew")
    assert renewed["ends"] == {str(p): end for p, end in ends.items()}
    assert renewed["moved"] + renewed["early"] == sum(ends.values())
    assert (renewed["early"], renewed["missing"], renewed["elsewhere"]) == (2, 0, [])
    assert (renewed["cases"], renewed["records"]["cases.v1"]) == (1, 1)
    assert "nothing to renew" in truyvet_said(tmp_path, "topics", "renew")
    with running(tmp_path) as system:
        known(system, store)
        for topic, said in topics.items():
            assert latest(system, topic) == said
        assert set(latest(system, CASES.name)) == {case.id.encode()}
        # on from here
        system.start_worker()
        system.publish(SCANS.name, ScanMaker(system, 4).make(4_000))
        system.drain()
        counts = read_counts(system.settings)
        assert (counts.missing, counts.in_flight) == (0, 0)
        assert counts.produced == before.produced + 4_002
        assert counts.written > before.written + 3_500
        now = rows(system)
        for table in OUTCOMES:
            assert set(old[table]) <= set(now[table])
        places = [(row[0], row[1]) for table in OUTCOMES for row in now[table]]
        assert len(places) == len(set(places)) == counts.produced
        # Bob came too early, was at the place with the case, and is found; officers are told
        wait_for(lambda: runs_of(system, case.id) >= 2, 60, "the case to be traced again")
        last = Runs(system.clickhouse).last(case.id)
        assert last is not None
        assert {BOB, ALICE} <= {contact["person"] for contact in last.version.contacts}
        alerts = [orjson.loads(record.value) for record in system.read_topic(ALERTS.name)]
        assert {ALICE, BOB} <= {alert.get("person") for alert in alerts}
    store.close()
