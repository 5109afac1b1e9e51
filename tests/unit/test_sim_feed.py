"""What a publisher gets and what lies in the truth directory afterwards."""

import json
from pathlib import Path

import polars as pl
import pytest

from schemas.errors import UserError
from schemas.ids import partition_of
from sim.codes import City, city_json, read_city
from sim.feed import Feed
from sim.publish import main
from sim.simulate import Simulation
from tests.unit.test_sim_town import UNTIL, revoked, town


def test_truth_directory(tmp_path: Path) -> None:
    made = Simulation(town(), 5, revoked=revoked(town())).bulk(40_000, UNTIL)
    with Feed(made, tmp_path, "HTTPS://X.VN/C/", 40_000) as feed:
        feed.partition_by(8)
        while (chunk := feed.next_chunk()) is not None:
            assert chunk.partitions[0] == partition_of(chunk.keys[0], 8)
            feed.published(chunk)
    expected = json.loads((tmp_path / "expected.json").read_bytes())
    assert expected["total"] == 40_000
    assert expected["written"] + expected["duplicate"] + expected["rejected"] == 40_000
    events = pl.read_parquet(tmp_path / "events.parquet")
    assert dict(events["outcome"].value_counts().rows())["written"] == expected["written"]
    visits = pl.read_parquet(tmp_path / "visits.parquet")
    assert visits.schema["person"] == pl.UInt64
    assert visits.schema["start"] == pl.Datetime("ms", "UTC")
    people = pl.read_parquet(tmp_path / "people.parquet")
    assert set(visits["person"]) <= set(people["person"])
    case = json.loads((tmp_path / "case.json").read_bytes())
    assert 20 <= case["contacts"] <= 60
    lines = (tmp_path / "codes.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "place,site,kind,name,ward,token,url"
    assert len(lines) == len(town()) + 1


def test_a_steady_feed_gives_what_is_due(tmp_path: Path) -> None:
    made = Simulation(town(), 5).steady(500, UNTIL, 10)
    with Feed(made, tmp_path, "HTTPS://X.VN/C/", 500) as feed:
        begins = made.window[0]
        sizes = []
        for second in range(-1, 12):
            chunk = feed.due_chunk(begins + 1000 * second, 10_000)
            sizes.append(-1 if chunk is None else len(chunk))
    assert sizes[0] == 0
    assert sizes[-1] == -1
    assert sum(size for size in sizes if size > 0) == 500
    assert max(sizes) < 150


def test_a_city_comes_back_from_its_file(tmp_path: Path) -> None:
    city = City(town(), tuple(revoked(town())), "sim", "HTTPS://X.VN/C/")
    (tmp_path / "city.json").write_bytes(city_json(city))
    assert read_city(tmp_path / "city.json") == city
    (tmp_path / "bad.json").write_text('{"places":[{"id":0}]}')
    with pytest.raises(UserError, match=r"wrong at 0\.id"):
        read_city(tmp_path / "bad.json")
    with pytest.raises(UserError, match="cannot be read"):
        read_city(tmp_path / "none.json")


def test_a_broken_broker_is_one_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "city.json").write_bytes(city_json(City(town()[:20])))
    options = ["--city", str(tmp_path / "city.json"), "--out", str(tmp_path / "out")]
    options += ["--events", "10", "--until", UNTIL.isoformat(), "--bootstrap", "127.0.0.1:1"]
    assert main(options) == 1
    said = capfd.readouterr().err.strip()
    assert "could not be reached" in said
    assert "\n" not in said
