"""What the tables say again for an empty Kafka is what the outbox had said last, record by record."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from console.store import case_ends, cases, edits, erasures, outbox, required
from console.store.cases import NewCase
from console.store.engine import Store
from console.store.history import What, Why
from console.store.postings import Mark, mark
from console.store.producers import put_producer
from console.store.records import everything
from console.store.register import register_sites
from console.store.required_reading import Needed
from console.store.sites import revoke_code
from schemas.coverage import Fact, RequiredList
from schemas.places import Producer
from schemas.topics import CASES, TOPICS
from tests.console_kit import PERSON, RING, WARD, migrated, new_sites

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
KEPT = {topic.name for topic in TOPICS if topic.cleanup == "compact"}


def busy(store: Store) -> None:
    """A little of everything that is published on a compacted topic, some of it changed since."""
    register_sites(store, RING, new_sites(3, 2), source="test")
    edits.edit_place(store, 2, {"name": "Cổng sau", "capacity": 40}, Why("test", What.EDIT))
    edits.close_site(store, 3, Why("test", What.CLOSE))
    revoke_code(store, 1, 1, NOW, "lost")
    for name in ("gate-1", "gate-1 again", "bus"):
        put_producer(store, Producer(id=name.split()[0], name=name))
    about = RequiredList(id="so", name="Danh sách", keeper="Sở", as_of=date(2026, 10, 1), entries=2)
    entries = [Needed(n, n, None, WARD, "restaurant", "industry_trade") for n in ("Phở", "Chè")]
    required.import_list(store, about, entries, "test")
    required.import_list(
        store, about.model_copy(update={"as_of": date(2026, 11, 1)}), entries[:1], "test"
    )
    with store.write() as connection:
        mark(connection, [Mark(1, Fact.PRINTED, NOW, code_version=1), Mark(2, Fact.POSTED, NOW)])
    erasures.ask(store, PERSON, "00000000000000aa", "asked", "test")
    new = NewCase(person=PERSON, ward=WARD)
    made = [cases.register_case(store, new, registered_by="test") for _ in range(4)]
    cases.amend(store, made[1].id, {"onset": date(2026, 11, 20)}, by="test")
    case_ends.close(store, made[2].id, by="test")
    case_ends.void(store, made[3].id, by="test")


def said(entries: Any) -> dict[tuple[str, str], tuple[bytes, str | None]]:
    """The last value of each key, and of an event its type; a key that comes twice is no harm."""
    return {(e.topic, e.key): (e.value, e.headers.get("ce_type")) for e in entries}


def test_the_tables_say_what_the_outbox_said_last(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    busy(store)
    published = [e for e in outbox.pending(store, 1_000) if e.topic in KEPT]
    assert {e.topic for e in published} == KEPT
    again = list(everything(store, NOW))
    assert len(again) == len(said(again))
    assert said(again) == said(published)
    types = [e.headers["ce_type"].rsplit(".", 1)[-1] for e in again if e.topic == CASES.name]
    assert types == ["registered", "amended", "closed", "voided"]
