"""validate → resolve → deduplicate → convert: each record's one outcome, and why."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from issuer.codes import KeyRing, issue
from schemas.errors import Retryable
from schemas.ids import partition_of, person_text
from schemas.meters import Metrics
from schemas.places import Code, Place, Producer, place_key
from schemas.reasons import Reason
from schemas.scan import Method, format_timestamp
from schemas.topics import SCANS_MAX_MESSAGE
from streams.convert import REJECT_HEAD, expire, offsets, without
from streams.directory import Directory
from streams.erasures import Erasures
from streams.keys import Keys, origins
from streams.steps import Judged, Steps
from streams.window import Window
from tests.scans import PERSON, raw_batch, scan_json

RING = KeyRing.parse("1:" + "ab" * 32)
NOW = datetime(2021, 12, 1, 8, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
PARTITIONS = 8
HOME = partition_of(PERSON.encode(), PARTITIONS)
NOBODY = Keys(*[np.zeros(0, np.uint64)] * 5)


def place(number: int, *codes: Code, ward: str = "11413") -> Place:
    return Place(
        id=number, site=1, name="Phòng họp", kind="meeting_room", ward=ward, sector="x", codes=codes
    )


def code(number: int, version: int = 1, **times: Any) -> Code:
    return Code(version=version, token=issue(RING, number, version), **times)


def directory() -> Directory:
    known = Directory(RING)
    records = (
        place(1, code(1)),
        place(2, code(2, revoked_at=NOW - timedelta(hours=1), revoked_reason="lost")),
        place(3, code(3, valid_from=NOW + timedelta(hours=1))),
        place(4, code(4, valid_to=NOW - timedelta(hours=1))),
        place(5, code(5, 1, valid_to=NOW - timedelta(hours=1)), code(5, 2), ward="99"),
    )
    known.put_site_records((place_key(r.id), r.model_dump_json().encode()) for r in records)
    for producer in (
        Producer(id="sim", name="sim"),
        Producer(id="off", name="off", active=False),
        Producer(id="paper", name="paper", methods=(Method.TYPED,)),
        Producer(id="one", name="one", places=(1,)),
        Producer(id="here", name="here", wards=("11413",)),
    ):
        known.put_producer(producer.id, producer.model_dump_json().encode())
    return known


class World:
    """The steps with a window, and whatever ClickHouse would answer."""

    def __init__(self, elsewhere: Keys = NOBODY, known: Directory | None = None) -> None:
        self.directory = known or directory()
        self.erasures = Erasures((1, 2))
        self.window = Window(
            ids=1_000_000,
            past=0,
            salt=1,
            horizon_ms=int((NOW - timedelta(days=15)).timestamp()) * 1000,
        )
        self.asked: list[tuple[list[int], int]] = []
        self.elsewhere: Keys | Exception = elsewhere
        self.steps = Steps(
            self.directory,
            self.erasures,
            Metrics(CollectorRegistry()),
            retention_days=21,
            partitions=PARTITIONS,
            look_up=self._look_up,
        )

    def _look_up(self, keys: Keys, newest: int) -> Keys:
        self.asked.append((keys.person.tolist(), newest))
        if isinstance(self.elsewhere, Exception):
            raise self.elsewhere
        return self.elsewhere

    def judge(self, *values: bytes, first: int = 0, **about: Any) -> Judged:
        raw = raw_batch(values, first=first, **({"partition": HOME} | about))
        verdicts = self.steps.read(raw)
        return self.steps.judge(verdicts, self.window)


def scan(number: int = 1, version: int = 1, event: int = 1, **changes: Any) -> bytes:
    event_id = f"0193f6d0-7c1f-7000-8000-{event:012x}"
    token = issue(RING, number, version)
    return scan_json(**({"event_id": event_id, "code": token} | changes))


def at(moment: datetime) -> str:
    return format_timestamp(moment)


def reasons(judged: Judged) -> list[Reason]:
    return [r.reason for r in sorted(judged.verdicts.rejected, key=lambda r: r.index)]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (scan(2), Reason.REVOKED_CODE),
        (scan(3), Reason.CODE_NOT_YET_VALID),
        (scan(4), Reason.EXPIRED_CODE),
        (scan(5, 1), Reason.EXPIRED_CODE),
        (scan(code=issue(KeyRing.parse("1:" + "cd" * 32), 1, 1)), Reason.UNKNOWN_CODE),
        (scan(code=issue(RING, 1, 1)[:-1] + "*"), Reason.UNKNOWN_CODE),
        (scan(code="SHORT"), Reason.UNKNOWN_CODE),
        (scan(77), Reason.UNKNOWN_CODE),
        (scan(scanned_at=at(NOW + timedelta(seconds=121))), Reason.IN_FUTURE),
        (scan(scanned_at=at(NOW - timedelta(days=21, seconds=1))), Reason.TOO_OLD),
        (scan(producer="nobody"), Reason.PRODUCER_NOT_ALLOWED),
        (scan(producer="off"), Reason.PRODUCER_NOT_ALLOWED),
        (scan(producer="paper"), Reason.PRODUCER_NOT_ALLOWED),
        (scan(5, 2, producer="one"), Reason.PRODUCER_NOT_ALLOWED),
        (scan(5, 2, producer="here"), Reason.PRODUCER_NOT_ALLOWED),
        (scan(person="lower"), Reason.MALFORMED_ID),
        (scan(person=12), Reason.MALFORMED_ID),
        (scan(event_id="no"), Reason.MALFORMED_ID),
        (scan(event_id="no", method="x"), Reason.WRONG_SCHEMA),
        (scan(person=...), Reason.WRONG_SCHEMA),
        (scan(scanned_at="2021-12-01T08:00:00Z"), Reason.WRONG_SCHEMA),
        (b"hello", Reason.NOT_JSON),
        (scan(pad="x" * 5000), Reason.TOO_LARGE),
    ],
)
def test_each_reason(value: bytes, reason: Reason) -> None:
    judged = World().judge(scan(1, event=9), value)
    assert reasons(judged) == [reason]
    assert judged.verdicts.rejected[0].detail
    assert judged.rows.tables["scans"].num_rows == 1
    assert offsets(judged.rows).tolist() == [0, 1]


@pytest.mark.parametrize(
    "value",
    [
        scan(1),
        scan(5, 2),
        scan(2, scanned_at=at(NOW - timedelta(hours=2))),
        scan(4, scanned_at=at(NOW - timedelta(hours=2))),
        scan(scanned_at=at(NOW + timedelta(seconds=120))),
        scan(scanned_at=at(NOW - timedelta(days=21))),
        scan(producer="paper", method="typed"),
        scan(producer="one"),
        scan(producer="here"),
        scan(event_id="0193F6D0-7C1F-7000-8000-0123456789AB"),
    ],
)
def test_what_is_right_is_written(value: bytes) -> None:
    judged = World().judge(value)
    assert reasons(judged) == []
    [row] = judged.rows.tables["scans"].to_pylist()
    assert row["person"] == int.from_bytes(row["person"].to_bytes(8))
    assert row["kafka_partition"] == HOME


def test_a_repeat_is_a_duplicate_of_the_first_and_other_content_is_refused() -> None:
    world = World()
    judged = world.judge(scan(event=1), scan(event=1), scan(event=2), scan(event=1, device="other"))
    assert [d.first_offset for d in judged.verdicts.duplicates] == [0]
    assert reasons(judged) == [Reason.ID_REUSED]
    again = world.judge(scan(event=2), scan(event=3), first=10)
    assert [(d.index, d.first_offset) for d in again.verdicts.duplicates] == [(0, 2)]
    assert again.rows.tables["scans"].column("kafka_offset").to_pylist() == [11]


def test_the_same_offset_again_is_a_reread_not_a_duplicate() -> None:
    world = World()
    world.judge(scan(event=1), scan(event=2))
    judged = world.judge(scan(event=1), scan(event=2))
    assert judged.verdicts.duplicates == []
    assert judged.rows.tables["scans"].num_rows == 2


def test_another_producer_passing_the_same_scan_on_is_a_duplicate() -> None:
    judged = World().judge(scan(event=1), scan(event=1, producer="one"))
    [duplicate] = judged.verdicts.duplicates
    assert duplicate.producer == "one"


def test_nobody_can_suppress_anothers_scan() -> None:
    other = person_text(42)
    judged = World().judge(
        scan(event=1), scan(event=1, person=other), keys=[PERSON.encode(), other.encode()]
    )
    assert judged.rows.tables["scans"].num_rows == 2


def test_what_is_older_than_the_window_is_asked_from_clickhouse() -> None:
    old = NOW - timedelta(days=18)
    world = World()
    first = world.judge(scan(event=1, scanned_at=at(old)))
    assert first.rows.tables["scans"].num_rows == 1
    assert len(world.asked) == 1
    # ClickHouse has it now
    table = first.rows.tables["scans"]
    world.elsewhere = Keys(
        first.verdicts.scans.event_hi,
        first.verdicts.scans.event_lo,
        first.verdicts.scans.person,
        table.column("content_hash").to_numpy(),
        origins(HOME, np.array([0])),
    )
    repeat = world.judge(
        scan(event=1, scanned_at=at(old)), scan(event=2, scanned_at=at(old)), first=5
    )
    assert [d.index for d in repeat.verdicts.duplicates] == [0]
    assert repeat.rows.tables["scans"].column("kafka_offset").to_pylist() == [6]


def test_a_failed_look_up_changes_nothing() -> None:
    world = World()
    world.elsewhere = Retryable("away")
    raw = raw_batch(
        [scan(2), scan(event=1, scanned_at=at(NOW - timedelta(days=18)))], partition=HOME
    )
    verdicts = world.steps.read(raw)
    with pytest.raises(Retryable):
        world.steps.judge(verdicts, world.window)
    world.elsewhere = NOBODY
    judged = world.steps.judge(verdicts, world.window)
    assert reasons(judged) == [Reason.REVOKED_CODE]
    assert judged.rows.tables["scans"].num_rows == 1


@pytest.mark.parametrize(
    "about", [{"partition": (HOME + 1) % 8}, {"keys": [b"other"]}, {"keys": [None]}]
)
def test_a_misplaced_scan_is_asked_and_counted(about: dict[str, Any]) -> None:
    world = World()
    judged = world.judge(scan(event=1), **about)
    assert judged.misplaced == 1
    assert len(world.asked) == 1
    assert judged.rows.tables["scans"].num_rows == 1


def test_a_signed_code_that_is_not_known_yet_waits_and_a_forged_one_does_not() -> None:
    world = World()
    forged = issue(KeyRing.parse("1:" + "cd" * 32), 77, 1)
    assert not world.steps.waits(world.steps.read(raw_batch([scan(1), scan(code=forged)])))
    verdicts = world.steps.read(raw_batch([scan(1), scan(77, event=2)], partition=HOME))
    assert world.steps.waits(verdicts)
    world.steps.give_up(verdicts)
    assert not world.steps.waits(verdicts), "what never came is not waited for again"
    other = place(78, code(78))
    world.directory.put_site_records([(place_key(78), other.model_dump_json().encode())])
    assert not world.steps.waits(verdicts), "whatever else is edited meanwhile"
    unheard = world.steps.read(raw_batch([scan(79)], partition=HOME))
    assert world.steps.waits(unheard)
    late = place(77, code(77))
    world.directory.put_site_records([(place_key(77), late.model_dump_json().encode())])
    assert reasons(world.steps.judge(verdicts, world.window)) == [], "it may come later"


def test_an_older_record_of_a_place_is_ignored() -> None:
    known = directory()
    newer = place(1, code(1, revoked_at=NOW)).model_copy(update={"version": 3})
    older = place(1, code(1)).model_copy(update={"version": 2})
    known.put_site_records([("place/1", newer.model_dump_json().encode())])
    known.put_site_records([("place/1", older.model_dump_json().encode())])
    found = known.find(np.array([1], np.uint32), np.array([1], np.int32))
    assert found["revoked_at"].tolist() == [NOW_MS]


def test_many_places_and_versions_are_found() -> None:
    known = Directory(RING)
    for number in range(1, 3000, 7):
        record = place(number, *(code(number, v) for v in range(1, 1 + number % 4)))
        known.put_site_records([(place_key(number), record.model_dump_json().encode())])
    places = np.repeat(np.arange(1, 3000, dtype=np.uint32), 4)
    versions = np.tile(np.arange(1, 5, dtype=np.int32), 2999)
    expected = ((places - 1) % 7 == 0) & (versions <= places % 4)
    assert np.array_equal(known.find(places, versions).known, expected)


def test_what_has_expired_is_counted_and_not_written() -> None:
    judged = World().judge(scan(event=1), b"hello", scan(event=2), scan(event=2))
    later = NOW_MS + (21 + 8) * 86_400_000
    rows = expire(judged.rows, later, retention_days=21)
    assert {name: table.num_rows for name, table in rows.tables.items()} == {
        "scans": 0,
        "rejects": 0,
        "duplicates": 0,
        "erased": 0,
        "expired": 4,
    }
    assert offsets(rows).tolist() == offsets(judged.rows).tolist()
    assert expire(judged.rows, later, retention_days=0) is judged.rows


def test_only_absent_offsets_are_left() -> None:
    judged = World().judge(scan(event=1), b"hello", scan(event=2), scan(event=2))
    left = without(judged.rows, np.array([0, 3], np.uint64))
    assert offsets(left).tolist() == [1, 2]


def test_of_a_large_refused_record_the_row_has_the_head_and_the_letter_all() -> None:
    small, large = b"x" * REJECT_HEAD, b"y" * (REJECT_HEAD + 1)
    largest, too_large = b"z" * SCANS_MAX_MESSAGE, b"w" * (SCANS_MAX_MESSAGE + 1)
    judged = World().judge(small, scan(), large, largest, too_large)
    rows = judged.rows.tables["rejects"]["original"].to_pylist()
    assert rows == [small, large[:-1], largest[:REJECT_HEAD], too_large], "nothing is lost in both"
