"""From a check-in to a scan: pseudonyms, event ids, the shift, and the record itself."""

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.importer import shift
from console.importer.rows import CheckIn
from console.importer.scans import Pseudonyms, ScanMaker
from console.importer.survey import Venue
from console.importer.venues import new_site
from schemas.errors import UserError
from schemas.ids import PERSON_PATTERN, partition_of
from schemas.scan import EVENT_ID_PATTERN, Scan

KEY = "5a" * 32
PSEUDONYMS = Pseudonyms(KEY)
MS = 1_333_476_009_000


def row(**changes: object) -> CheckIn:
    fields = {
        "row": 1,
        "person": "69",
        "place": "v",
        "time_ms": MS,
        "direction": "in",
        "enclosed": None,
        "small": None,
    }
    return CheckIn(**{**fields, **changes})  # type: ignore[arg-type]


def maker(weeks: int = 0) -> ScanMaker:
    places = {"v": (7, "00000A01S6TEND0J38"), "w": (8, "00000A01S6TEND0J39")}
    return ScanMaker(PSEUDONYMS, places, weeks * shift.WEEK_MS, 8)


@given(st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_a_pseudonym_is_canonical_and_keyed(source: str) -> None:
    person = PSEUDONYMS.person(source)
    assert re.fullmatch(PERSON_PATTERN, person)
    assert person == Pseudonyms(KEY).person(source)
    assert person != Pseudonyms("a5" * 32).person(source)


@pytest.mark.parametrize("key", ["", "zz", "5a" * 8, "5a" * 65])
def test_a_wrong_key_is_said(key: str) -> None:
    if key == "5a" * 8:
        key = key[:-2]
    with pytest.raises(UserError, match="TRUYVET_PERSON_KEY"):
        Pseudonyms(key)


def test_the_record_is_a_scan() -> None:
    partition, key, value = maker().make(row())
    scan = Scan.model_validate_json(value)
    assert scan.person.encode() == key
    assert partition == partition_of(key, 8)
    assert (scan.producer, scan.method, scan.direction) == ("import", "typed", "in")
    assert scan.scanned_at == datetime(2012, 4, 3, 18, 0, 9, tzinfo=UTC)
    assert scan.recorded_at is None
    assert set(json.loads(value)) == {
        "event_id",
        "person",
        "code",
        "direction",
        "scanned_at",
        "method",
        "producer",
        "device",
    }


def test_the_same_row_is_the_same_bytes_and_another_is_another_event() -> None:
    made = maker().make(row())
    assert made == maker().make(row(row=99, enclosed=True))
    others = [row(person="70"), row(place="w"), row(time_ms=MS + 1), row(direction="out")]
    ids = {json.loads(maker().make(r)[2])["event_id"] for r in (row(), *others)}
    assert len(ids) == 5


def test_an_event_id_is_a_uuid_of_version_8() -> None:
    text = PSEUDONYMS.event_id("0" * 13, 1, MS, "in")
    assert re.fullmatch(EVENT_ID_PATTERN, text)
    assert uuid.UUID(text).version == 8
    assert uuid.UUID(text).variant == uuid.RFC_4122


def test_a_place_the_survey_did_not_see() -> None:
    with pytest.raises(UserError, match="changed"):
        maker().make(row(place="new"))


@given(st.integers(0, 4_000_000_000_000), st.integers(1_600_000_000_000, 2_000_000_000_000))
def test_the_shift_lands_in_the_last_week(latest: int, now: int) -> None:
    moved = latest + shift.weeks_to_now(latest, now) * shift.WEEK_MS
    assert now - shift.WEEK_MS < moved <= now
    assert (moved - latest) % timedelta(weeks=1).total_seconds() == 0


def test_the_shift_is_kept_by_the_content(tmp_path: Path) -> None:
    assert shift.kept_weeks(tmp_path, "abc") is None
    shift.keep_weeks(tmp_path, "abc", 700, "a.csv")
    shift.keep_weeks(tmp_path, "def", 1, "b.csv")
    assert shift.kept_weeks(tmp_path, "abc") == 700
    assert shift.kept_weeks(tmp_path, "def") == 1
    (tmp_path / shift.FILE_NAME).write_text("{")
    with pytest.raises(UserError, match="damaged"):
        shift.kept_weeks(tmp_path, "abc")


def test_a_venue_is_enclosed_unless_said_otherwise() -> None:
    for venue, expected in ((Venue(), (True, False)), (Venue(False, True), (False, True))):
        site = new_site("v", venue)
        [place] = site.places
        assert (place.enclosed, place.small) == expected
        assert (site.kind, site.ward, site.sector, site.external_key) == (
            "imported",
            "unknown",
            "unknown",
            "v",
        )
