"""What is known changes between an insert and its commit: the verdicts in the tables stand."""

import json
import uuid
from datetime import UTC, datetime, timedelta

from issuer.codes import KeyRing, first_code
from schemas.ids import person_text
from schemas.places import Place, place_key
from schemas.scan import format_timestamp
from schemas.topics import SCANS, SITES
from tests.fault.campaign import TIMING
from tests.fault.checker import Checker
from tests.scans import scan_json
from tests.system import System, wait_for

LATE, REVOKED = 901, 902
EACH = 40
HOUR = timedelta(hours=1)


def test_a_code_that_comes_and_one_that_goes_between_insert_and_commit(
    system: System, checker: Checker
) -> None:
    late, gone = place(system, LATE), place(system, REVOKED)
    register(system, gone)
    people = [person_text(uuid.uuid4().int & (2**64 - 1)) for _ in range(EACH)]
    scans = [*of(late, people), *of(gone, people)]  # so that each partition has either
    system.publish(SCANS.name, scans)
    hits = system.settings.data_dir / "verdicts"
    launcher = ["-m", "tests.fault.worker", "--at", "after_inserts:1", "--hits", str(hits)]
    first = system.new_worker(launcher, **TIMING, code_wait_s=0.1)
    first.launch()
    wait_for(lambda: not first.alive, 60, "the worker to die after its inserts")
    assert hits.exists(), first.log.read_text()[-2000:]
    refused = events(system, "rejects", LATE, REVOKED)
    written = events(system, "scans", LATE, REVOKED)
    assert refused
    assert written
    register(system, late)
    revoked = gone.codes[0].model_copy(update={"revoked_at": datetime.now(UTC) - 5 * HOUR})
    register(system, gone.model_copy(update={"version": 2, "codes": (revoked,)}))
    system.start_worker(**TIMING)
    checker.wait()
    print(f"{len(refused)} refused and {len(written)} written before: {checker.check()}")
    assert refused <= events(system, "rejects", LATE, REVOKED)
    assert written <= events(system, "scans", LATE, REVOKED)

    system.publish(SCANS.name, scans)  # their producer has heard nothing
    checker.wait()
    checker.check()
    assert events(system, "scans", LATE, REVOKED) >= {event(value) for _, value in scans[:EACH]}


def place(system: System, number: int) -> Place:
    """One with a code, registered nowhere."""
    ring = KeyRing.parse(system.settings.code_keys.get_secret_value())
    return first_code(system.places[0].model_copy(update={"id": number, "codes": ()}), ring)


def register(system: System, known: Place) -> None:
    record = known.model_dump_json().encode()
    system.publish(SITES.name, [(place_key(known.id), record)])


def of(there: Place, people: list[str]) -> list[tuple[str, bytes]]:
    """A scan of each, an hour ago."""
    changes = {
        "code": there.codes[0].token,
        "scanned_at": format_timestamp(datetime.now(UTC) - HOUR),
    }
    return [
        (person, scan_json(event_id=str(uuid.uuid4()), person=person, **changes))
        for person in people
    ]


def event(value: bytes) -> str:
    return str(json.loads(value)["event_id"])


def events(system: System, table: str, *places: int) -> set[str]:
    """Of these places those in the table; `rejects` has none of a place, but only ours are named."""
    here = f"WHERE place IN {places}" if table == "scans" else "WHERE event_id IS NOT NULL"
    rows = system.clickhouse.rows(f"SELECT toString(event_id) FROM {table} {here}")
    return {str(found) for (found,) in rows}
