"""Segments while parts come, merge, change and go, in any order: they say what the table says."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.clickhouse import ClickHouse
from streams.segments import held as held_module
from streams.segments.held import Held
from streams.segments.making import Maker
from streams.segments.parts import active_parts
from tests.contract.clickhouse_fixtures import migrated_engine
from tests.segments_kit import (
    PERSONS,
    WEEKS,
    arrive,
    arrived,
    check,
    check_answer,
    counted_in,
    files_from,
    insert,
    merge,
)

GB = 10**9


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("churn")


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[ClickHouse]:
    with migrated_engine(folder) as made:
        yield made


@pytest.mark.parametrize("seed", range(3))
def test_whatever_becomes_of_the_parts(
    engine: ClickHouse, folder: Path, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inserts, some of which are handed on, merges, deletions, dropped weeks, files made and lost,
    in any order; one that looks each time, one that does now and then, one that follows, one that
    looks when it must, one that does and follows, and one that answers before it looks."""
    files_from(50, monkeypatch)
    monkeypatch.setattr("streams.segments.bundles._TINY", 20_000 if seed else 0)
    monkeypatch.setattr("streams.segments.bundles._MOST", 3)
    engine.command("TRUNCATE TABLE scans")
    chance = random.Random(seed)
    always, sometimes, following = (Held(engine, tmp_path) for _ in range(3))
    counting, both = (Held(engine, tmp_path, changes=counted_in(folder)) for _ in range(2))
    monkeypatch.setattr(held_module, "_EVERY_S", 0.0)
    guessing = Held(engine, tmp_path)
    offset = 0
    for _ in range(40):
        match chance.choice(
            ["insert", "arrive"] * 5 + ["merge"] * 3 + ["make", "delete", "drop", "spoil"]
        ):
            case "insert":
                for _ in range(chance.randrange(1, 12)):
                    rows = chance.choice([1, 5, 20, 60])
                    insert(engine, offset, rows, chance.randrange(WEEKS))
                    offset += rows
            case "arrive":
                for _ in range(chance.randrange(1, 30)):
                    rows = chance.choice([1, 5, 20, 60])
                    weeks = chance.sample(range(WEEKS), chance.randrange(1, WEEKS + 1))
                    arrive(engine, arrived(offset, rows, weeks))
                    offset += rows
                    if chance.random() < 0.3:
                        both.follow()
            case "merge":
                merge(engine, chance.randrange(WEEKS))
            case "make":
                Maker(engine, tmp_path, GB).round()
            case "delete":
                engine.command(
                    f"ALTER TABLE scans DELETE WHERE person = {chance.randrange(PERSONS)}",
                    {"mutations_sync": 2},
                )
            case "drop":
                parts = active_parts(engine)
                if parts:
                    week = chance.choice(parts).partition
                    engine.command(f"ALTER TABLE scans DROP PARTITION ID '{week}'")
            case "spoil":
                for file in sorted(tmp_path.glob("*/by_*.npy"))[:1]:
                    file.write_bytes(file.read_bytes()[:-9])
        check(engine, always)
        check(engine, counting)
        check_answer(engine, guessing)
        following.follow()
        check(engine, following)
        check(engine, both)
        if chance.random() < 0.2:
            check(engine, sometimes)
    check(engine, sometimes)
