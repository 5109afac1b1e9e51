"""From wards of three levels to those of two: checked, decided by people, resumable."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.cli.main import main
from console.regroup import area_after, read_wards
from console.sitelist.sheet import read_rows
from console.store import history, outbox, sites
from console.store.cards import By, issue_batch, list_cards
from console.store.engine import Store, utc_now
from console.store.keys import Role, create_key
from console.store.producers import list_producers, put_producer
from console.store.register import NewPlace, NewSite, register_sites
from issuer.units import contains, wards_in
from schemas.errors import UserError
from schemas.places import Producer
from tests.console_kit import RING, migrated

AREA = "district/306"
OLD = [w.code for w in wards_in(AREA)]
ONE, SPLIT, OTHER = OLD[0], OLD[1], OLD[2]
HAI_AN, DONG_HAI = "25-11413", "25-11411"


def mapping(tmp_path: Path, *more: str, without: str = "", name: str = "phuong.csv") -> Path:
    """Everything to Hải An, one ward split between two."""
    lines = ["mã cũ,mã mới,cơ sở"]
    lines += [f"{code},11413," for code in OLD if code != without]
    lines += [f"{SPLIT},11411,", *more]
    path = tmp_path / name
    path.write_text("\n".join(lines), "utf-8")
    return path


def read(*paths: Path, area: str = AREA) -> Any:
    return read_wards([read_rows(path) for path in paths], area)


def test_every_old_ward_must_be_mapped_to_a_new_one(tmp_path: Path) -> None:
    wards = read(mapping(tmp_path))
    assert wards.problems == []
    assert wards.goes_to[ONE] == (HAI_AN,)
    assert wards.goes_to[SPLIT] == (HAI_AN, DONG_HAI)
    lacking = read(mapping(tmp_path, without=ONE))
    assert [(p.row, ONE in p.en) for p in lacking.problems] == [(0, True)]
    wrong = read(mapping(tmp_path, f"{ONE},99999,", "00001,11413,", f"{ONE},11413,x"))
    assert [p.en for p in wrong.problems] == [
        "there is no new ward 25-99999",
        "00001 is not in the area",
        "a site is a number, not 'x'",
    ]
    with pytest.raises(UserError, match="no ward of the three levels"):
        read(mapping(tmp_path), area="city/25-31")
    with pytest.raises(UserError, match="no heading"):
        read_wards([read_rows(mapping(tmp_path))[1:]], AREA)


def test_a_site_of_a_split_ward_is_decided_once(tmp_path: Path) -> None:
    wards = read(mapping(tmp_path, f"{SPLIT},11411,7"))
    assert (wards.of(SPLIT, 7), wards.of(SPLIT, 8), wards.of(ONE, 7)) == (DONG_HAI, None, HAI_AN)
    twice = read(mapping(tmp_path, f"{SPLIT},11411,7", f"{SPLIT},11413,7"))
    assert [p.en for p in twice.problems] == ["site 7 is decided otherwise above"]
    assert twice.of(SPLIT, 7) == DONG_HAI


def test_areas_of_keys_do_not_follow_by_themselves(tmp_path: Path) -> None:
    wards = read(mapping(tmp_path))
    assert area_after(wards, f"ward/{ONE}") == [f"ward/{HAI_AN}"]
    assert area_after(wards, AREA) == [f"ward/{DONG_HAI}", f"ward/{HAI_AN}"]
    assert area_after(wards, "city/01") == []
    assert not contains(AREA, HAI_AN)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    _, made = migrated(tmp_path)
    rooms = (NewPlace("Room", "meeting_room", "1"), NewPlace("Gate", "gate", "2"))
    named = [(ONE, "One"), (SPLIT, "Two"), (SPLIT, "=Three"), (OTHER, "Four"), ("00001", "Five")]
    new = [
        NewSite(
            name, "office", ward, "health", name,
            places=tuple(replace(room, external_key=f"{name}/{room.name}") for room in rooms),
        )
        for ward, name in named
    ]  # fmt: skip
    register_sites(made, RING, new, source="list")
    outbox.mark_published(made, [row.id for row in outbox.pending(made, 100)], utc_now())
    yield made
    made.close()


@pytest.fixture
def do(tmp_path: Path, store: Store) -> Callable[..., int]:
    def run(*arguments: str) -> int:
        return main(["--data-dir", str(tmp_path), "--lang", "en", "sites", "regroup", *arguments])

    return run


def ward_of(store: Store, number: int) -> str:
    found = sites.site(store, number)
    assert found is not None
    return found.ward


def test_a_district_is_regrouped_and_begun_again_goes_on(
    do: Callable[..., int], store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, todo = str(mapping(tmp_path)), tmp_path / "quyet-dinh.csv"
    put_producer(store, Producer(id="gate-1", name="x", wards=(ONE,)))
    put_producer(store, Producer(id="gate-2", name="x"))
    create_key(store, Role.OFFICER, f"ward/{SPLIT}", name="x")
    create_key(store, Role.OFFICER, "*", name="x")
    for ward in (ONE, OTHER):
        issue_batch(store, ward, "b", 2, By("cli", "1"))
    assert do(file, "--area", AREA, "--undecided-to", str(todo), "--json") == 0
    dry = json.loads(capsys.readouterr().out)
    assert dry["moves"] == [
        {"old": ONE, "new": HAI_AN, "sites": 1}, {"old": OTHER, "new": HAI_AN, "sites": 1},
    ]  # fmt: skip
    assert dry["split"] == {SPLIT: [HAI_AN, DONG_HAI]}
    assert [site["id"] for site in dry["undecided"]] == [2, 3]
    assert [(k["area"], k["new"]) for k in dry["keys"]] == [
        (f"ward/{SPLIT}", [f"ward/{DONG_HAI}", f"ward/{HAI_AN}"]),
    ]  # fmt: skip
    assert (dry["applied"], ward_of(store, 1)) == (False, ONE)
    rows = list(csv.DictReader(todo.open(encoding="utf-8-sig")))
    assert [(r["site"], r["new"], r["name"]) for r in rows] == [
        ("2", "", "Two"), ("3", "", "'=Three"),
    ]  # fmt: skip

    assert do(file, str(todo), "--area", AREA, "--apply", "--json") == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["changed"], done["producers"], done["cards"]) == (2, ["gate-1"], 4)
    assert [ward_of(store, n) for n in range(1, 6)] == [HAI_AN, SPLIT, SPLIT, HAI_AN, "00001"]
    place = sites.place(store, 1)
    assert place is not None
    assert (place.ward, [code.revoked_at for code in place.codes]) == (HAI_AN, [None])
    assert {row.key for row in outbox.pending(store, 99)} >= {"site/1", "place/1", "place/2"}
    [step] = history.steps(store, "place", 1)
    assert (step.what, step.note, step.after) == ("regroup", "phuong.csv", {"ward": HAI_AN})
    assert [p.wards for p in list_producers(store)] == [(ONE, HAI_AN), None]
    assert {(card.ward, card.batch) for card in list_cards(store, limit=9)} == {
        (HAI_AN, "b"), (HAI_AN, f"b.{OTHER}"),
    }  # fmt: skip

    todo.write_text(f"old,new,site\n{SPLIT},25-11411,2\n{SPLIT},11413,3\n", "utf-8")
    again = (file, str(todo), "--area", AREA, "--apply", "--json")
    assert do(*again) == 0
    assert json.loads(capsys.readouterr().out)["changed"] == 2
    assert [ward_of(store, n) for n in (2, 3)] == [DONG_HAI, HAI_AN]
    before = len(outbox.pending(store, 999))
    assert do(*again) == 0
    last = json.loads(capsys.readouterr().out)
    assert (last["changed"], last["undecided"], last["producers"]) == (0, [], [])
    assert len(outbox.pending(store, 999)) == before
    assert do(file, "--area", AREA) == 0
    assert "0 sites have a new ward" in capsys.readouterr().out


def test_with_a_problem_nothing_is_changed(
    do: Callable[..., int], store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in (mapping(tmp_path, without=ONE), mapping(tmp_path, f"{SPLIT},11411,99")):
        assert do(str(file), "--area", AREA, "--apply") == 1
        assert "Nothing is changed" in capsys.readouterr().err
    assert [ward_of(store, n) for n in (1, 2)] == [ONE, SPLIT]
    assert outbox.pending(store, 9) == []
