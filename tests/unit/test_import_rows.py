"""Rows and files: what is a check-in, what is refused and why, in every format."""

import gzip
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from console.importer.files import Format, Reading, Source, content_hash, format_of
from console.importer.mapping import Columns, parse_columns
from console.importer.rows import (
    SENTENCES,
    CheckIn,
    Raw,
    Refusal,
    Refused,
    check_ins,
    text_of,
)
from console.importer.survey import survey_of
from console.importer.times import time_parser
from schemas.errors import UserError

MAP = "person=user,place=venue,time=at"
ALL = MAP + ",direction=way,enclosed=closed,small=tiny"
GOOD = "1,v,2012-04-03T18:03Z"


def read(path: Path, mapping: str = MAP, **options: Any) -> list[CheckIn | Refused]:
    columns = parse_columns(mapping)
    reading = Reading(path, columns, options.pop("format", None) or format_of(path), **options)
    return list(check_ins(Source(reading).rows(), columns, time_parser(UTC)))


def csv_of(tmp_path: Path, *lines: str, header: str = "user,venue,at") -> Path:
    path = tmp_path / "f.csv"
    path.write_text("\n".join((header, *lines)) + "\n", "utf-8")
    return path


def reasons(rows: Iterable[CheckIn | Refused]) -> list[str]:
    return [row.reason.value if isinstance(row, Refused) else "ok" for row in rows]


def test_each_row_is_published_or_refused_with_its_number(tmp_path: Path) -> None:
    path = csv_of(
        tmp_path,
        GOOD,
        ",v,2012-04-03T18:03Z",
        "1, ,2012-04-03T18:03Z",
        "1,v,",
        "1,v,yesterday",
        "1,v,2101-04-03T18:03Z",
        "1,v",
        "1,v,2012-04-03T18:03Z,more",
        "",
        GOOD,
        f"1,{'x' * 257},2012-04-03T18:03Z",
    )
    found = read(path)
    assert reasons(found) == [
        "ok",
        "empty_person",
        "empty_place",
        "empty_time",
        "bad_time",
        "time_out_of_range",
        "bad_row",
        "bad_row",
        "ok",
        "bad_place",
    ]
    assert [row.row for row in found] == list(range(1, 11))


def test_rows_are_published_plus_refused(tmp_path: Path) -> None:
    path = csv_of(tmp_path, *[GOOD] * 7, *["1,,"] * 3, *["1,v,?"] * 5)
    survey = survey_of(iter(read(path)), lambda: None)
    assert survey.rows == survey.good + survey.refused.total() == 15
    assert survey.refused == Counter(empty_place=3, bad_time=5)
    assert [len(examples) for examples in survey.examples.values()] == [3, 3]


def test_directions_and_flags(tmp_path: Path) -> None:
    header = "user,venue,at,way,closed,tiny"
    tails = ["in,1,0", "OUT,no,Yes", "pass,,", ",true,false", "up,1,1", "in,maybe,1", "ra,có,không"]
    path = csv_of(tmp_path, *[f"{GOOD},{tail}" for tail in tails], header=header)
    found = read(path, ALL)
    shown = [(row.direction, row.enclosed, row.small) for row in found if isinstance(row, CheckIn)]
    assert shown == [
        ("in", True, False),
        ("out", False, True),
        ("pass", None, None),
        ("in", True, False),
        ("out", True, False),
    ]
    assert reasons(found)[4:6] == ["bad_direction", "bad_flag"]


def test_a_missing_direction_is_in(tmp_path: Path) -> None:
    [row] = read(csv_of(tmp_path, GOOD))
    assert isinstance(row, CheckIn)
    assert (row.person, row.place, row.direction) == ("1", "v", "in")


def test_quotes_newlines_and_other_delimiters(tmp_path: Path) -> None:
    path = csv_of(tmp_path, '1,"Chợ ""An\nDương"", số 1",2012-04-03T18:03Z')
    [row] = read(path)
    assert isinstance(row, CheckIn)
    assert row.place == 'Chợ "An\nDương", số 1'
    for delimiter in ";\t|":
        path.write_text(f"user{delimiter}venue{delimiter}at\n" + GOOD.replace(",", delimiter))
        assert reasons(read(path)) == ["ok"]


def test_without_a_header_columns_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "raw.tsv"
    path.write_text("470\t49bb\tTue Apr 03 18:00:09 +0000 2012\n" * 2)
    found = read(path, "person=1,place=2,time=3", header=False, delimiter="\t")
    assert reasons(found) == ["ok", "ok"]


def test_a_byte_order_mark_and_bytes_that_are_not_text(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(b"\xef\xbb\xbfuser,venue,at\n1,caf\xe9,2012-04-03T18:03Z\n" + GOOD.encode())
    assert reasons(read(path)) == ["bad_row", "ok"]
    path.write_bytes(b"user,venue,at\n1,caf\xe9,2012-04-03T18:03Z\n")
    [row] = read(path, encoding="latin-1")
    assert isinstance(row, CheckIn)
    assert row.place == "café"


def test_ndjson_with_what_is_not_a_row(tmp_path: Path) -> None:
    lines = [
        orjson.dumps({"user": 1, "venue": {"id": 5}, "at": 1333476009}),
        b"[1]",
        b"{nope",
        b"",
        orjson.dumps({"user": None, "venue": {"id": 5}, "at": 1333476009}),
    ]
    path = tmp_path / "f.ndjson.gz"
    path.write_bytes(gzip.compress(b"\n".join(lines)))
    found = read(path, "person=user,place=venue.id,time=at")
    assert reasons(found) == ["ok", "bad_row", "bad_row", "empty_person"]


def test_parquet_and_csv_say_the_same(tmp_path: Path) -> None:
    moment = datetime(2012, 4, 3, 18, 3, tzinfo=UTC)
    frame = pl.DataFrame({"user": [1, 2, None], "venue": ["a", "b", "c"], "at": [moment] * 3})
    frame.write_parquet(tmp_path / "f.parquet")
    frame.write_csv(tmp_path / "f.csv")
    assert read(tmp_path / "f.parquet") == read(tmp_path / "f.csv")
    frame.cast({"at": pl.Datetime("ns")}).write_parquet(tmp_path / "g.parquet")
    assert read(tmp_path / "g.parquet") == read(tmp_path / "f.csv")


def test_one_person_whatever_the_type() -> None:
    assert {text_of(69), text_of(69.0), text_of(" 69 "), text_of("69")} == {"69"}
    assert text_of(float("nan")) == text_of(None) == ""
    assert text_of(1.5) == "1.5"


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("", "person, place, time"),
        ("person=a,place=b", "time is missing"),
        ("person=a,place=b,time", "field=COLUMN"),
        ("person=a,place=b,time=c,where=d", "no field 'where'"),
        ("person=a,person=b,place=c,time=d", "twice"),
    ],
)
def test_a_wrong_mapping_is_named(mapping: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        parse_columns(mapping)


def test_a_comma_in_a_columns_name() -> None:
    assert parse_columns(r"person=a\,b,place=c,time=d").by_field["person"] == "a,b"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"a,b,c\n1,2,3\n", "no column 'user'"),
        (b"user,user,venue,at\n", "2 times"),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        read(path)


def test_damaged_files(tmp_path: Path) -> None:
    packed = tmp_path / "f.csv.gz"
    packed.write_bytes(gzip.compress(b"user,venue,at\n" + b"1,v,2012-04-03T18:03Z\n" * 9999)[:-40])
    with pytest.raises(UserError, match="damaged"):
        read(packed)
    other = tmp_path / "f.parquet"
    other.write_bytes(b"not parquet")
    with pytest.raises(UserError, match="Parquet"):
        read(other)
    with pytest.raises(UserError, match="--format"):
        format_of(tmp_path / "f.xyz")
    with pytest.raises(UserError, match="cannot be read"):
        content_hash(tmp_path / "nothing.csv")


def test_a_field_too_large_costs_one_row(tmp_path: Path) -> None:
    path = csv_of(tmp_path, f"1,{'x' * 1_100_000},2012-04-03T18:03Z", GOOD)
    assert reasons(read(path)) == ["bad_row", "ok"]


def test_every_refusal_has_its_sentences() -> None:
    assert set(SENTENCES) == set(Refusal)


def test_format_by_name() -> None:
    names = ("a.csv", "a.CSV.GZ", "a.tsv", "a.jsonl", "a.ndjson.gz", "a.parquet")
    assert [format_of(Path(name)) for name in names] == [
        Format.CSV,
        Format.CSV,
        Format.CSV,
        Format.NDJSON,
        Format.NDJSON,
        Format.PARQUET,
    ]


def test_a_broken_row_keeps_its_detail() -> None:
    columns = Columns({"person": "a", "place": "b", "time": "c"})
    [row] = check_ins([Raw(3, None, "why")], columns, time_parser(UTC))
    assert row == Refused(3, Refusal.BAD_ROW, "why")


@pytest.mark.parametrize("closed_by", [[], ['5,"v",2012-04-03T18:03Z']])
def test_a_stray_quote_costs_only_its_own_line(tmp_path: Path, closed_by: list[str]) -> None:
    many = [f"{n},v{n},2012-04-03T18:03Z" for n in range(100, 500)]
    path = csv_of(tmp_path, GOOD, "9,\"Joe's bar,2012-04-03T18:03Z", *many, *closed_by)
    found = reasons(read(path))
    assert found.count("ok") == 1 + len(many) + len(closed_by)
    assert len(found) == 2 + len(many) + len(closed_by)


def test_a_name_with_line_breaks_is_one_row(tmp_path: Path) -> None:
    path = csv_of(tmp_path, '1,"Chợ\nAn\nDương",2012-04-03T18:03Z', GOOD)
    rows = read(path)
    assert reasons(rows) == ["ok", "ok"]
    assert isinstance(rows[0], CheckIn)


def test_the_last_field_left_open_costs_only_its_own_line(tmp_path: Path) -> None:
    path = csv_of(tmp_path, '1,v,"2012-04-03T18:03Z', GOOD, GOOD)
    assert reasons(read(path)) == ["bad_row", "ok", "ok"]


def test_a_time_before_the_calendar_is_refused(tmp_path: Path) -> None:
    path = csv_of(tmp_path, "1,v,Mon Jan 01 00:00:00 +0700 0001", GOOD)
    assert reasons(read(path)) == ["bad_time", "ok"]


def test_a_wrong_encoding_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="utf-16"):
        read(csv_of(tmp_path, GOOD), encoding="utf-16")
