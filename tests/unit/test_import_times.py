"""Times of anyone's check-ins: every accepted form, and what is refused."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from console.importer.times import moment_of, time_parser

WHEN = datetime(2012, 4, 3, 18, 0, 9, tzinfo=UTC)
MS = int(WHEN.timestamp()) * 1000


@pytest.mark.parametrize(
    "value",
    [
        "2012-04-03T18:00:09Z",
        "2012-04-03T18:00:09.000Z",
        "2012-04-03 18:00:09",
        "2012-04-03T20:00:09+02:00",
        "2012-04-03 18:00:09+00",
        "20120403T180009Z",
        "20120403180009",
        "Tue Apr 03 18:00:09 +0000 2012",
        "Tue Apr  3 18:00:09 2012",
        "Wed Apr 04 01:00:09 +0700 2012",
        "Tue Apr 03 18:00:09 UTC 2012",
        " 1333476009 ",
        "1333476009.0",
        "1333476009000",
        "1333476009000000",
        "1333476009000000000",
        1333476009,
        1333476009.0,
        1333476009000,
        WHEN,
        WHEN.replace(tzinfo=None),
        WHEN.astimezone(timezone(timedelta(hours=7))),
    ],
)
def test_forms_of_one_moment(value: object) -> None:
    assert time_parser(UTC)(value) == MS


def test_minutes_without_seconds_as_in_the_new_york_file() -> None:
    assert time_parser(UTC)("2012-04-03T18:03Z") == MS + 3 * 60_000 - 9_000


def test_fractions_are_cut_to_milliseconds() -> None:
    assert time_parser(UTC)("2012-04-03T18:00:09.123999Z") == MS + 123
    assert time_parser(UTC)("1333476009.5") == MS + 500


def test_the_zone_is_for_times_without_one() -> None:
    parse = time_parser(ZoneInfo("Asia/Ho_Chi_Minh"))
    assert parse("2012-04-04 01:00:09") == MS
    assert parse("2012-04-03T18:00:09Z") == MS
    assert parse("Wed Apr 04 01:00:09 2012") == MS


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "12",
        "2012-04-03",
        "20120403",
        "201204031800",  # minutes, or a millisecond of 1976
        201204031800,
        201204031800.0,
        "2012-W14-2",
        "03/04/2012 18:00",
        "2012-13-03T18:00Z",
        "Tue Foo 03 18:00:09 +0000 2012",
        "99999999999999999999999",
        "١٢٣٤٥٦٧٨٩٠",
        True,
        None,
        [1],
    ],
)
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        time_parser(UTC)(value)


def test_a_form_that_is_given_is_the_only_one() -> None:
    parse = time_parser(UTC, "%d/%m/%Y %H:%M:%S")
    assert parse("03/04/2012 18:00:09") == MS
    with pytest.raises(ValueError, match=r"\w"):
        parse("2012-04-03T18:00:09Z")


def test_there_and_back() -> None:
    assert moment_of(MS) == WHEN


def test_a_form_is_for_whole_numbers_too() -> None:
    assert time_parser(UTC, "%Y%m%d%H%M")(201204031800) == MS - 9_000
