"""`truyvet sites edit` and `truyvet places …`: as over HTTP, with history, on a database alone."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from console.cli.main import main
from console.store import outbox, sites
from console.store.engine import Store, utc_now
from console.store.register import register_sites
from tests.console_kit import RING, WARD, migrated, new_sites

Do = Callable[..., int]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    _, made = migrated(tmp_path)
    register_sites(made, RING, new_sites(1, 2), source="list")
    outbox.mark_published(made, [row.id for row in outbox.pending(made, 100)], utc_now())
    yield made
    made.close()


@pytest.fixture
def do(tmp_path: Path, store: Store) -> Do:
    def run(*arguments: str, lang: str = "en") -> int:
        return main(["--data-dir", str(tmp_path), "--lang", lang, *arguments])

    return run


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_site_is_edited_and_its_places_go_with_it(
    do: Do, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    edit = ("sites", "edit", "1", "--name", "Chợ Sắt", "--address", "4 Phan Bội Châu")
    assert do(*edit, "--ward", "11407", "--note", "chuyển", "--json") == 0
    site = told(capsys)["site"]
    assert (site["name"], site["ward"], site["version"]) == ("Chợ Sắt", "11407", 2)
    keys = [row.key for row in outbox.pending(store, 9)]
    assert keys == ["site/1", "place/1", "place/2"]
    assert do(*edit, "--ward", "11407", "--json") == 0
    assert told(capsys)["site"]["version"] == 2, "the same again changes nothing"
    assert do("sites", "edit", "1", "--clear", "address", "--version", "2") == 0
    assert "4 Phan" not in capsys.readouterr().out
    assert do("sites", "show", "1", "--json") == 0
    steps = told(capsys)["history"]
    assert [(s["by"], s["what"], s["note"]) for s in steps] == [
        ("cli", "edit", "chuyển"), ("cli", "edit", None),
    ]  # fmt: skip
    assert steps[1]["after"] == {"address": None}


def test_a_place_is_edited_shown_and_closed(
    do: Do, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    edit = ("places", "edit", "1", "--kind", "classroom", "--hours", "7h30 - 22h", "--open")
    assert do(*edit, "--capacity", "40", "--usual-stay", "90", "--large", "--json") == 0
    place = told(capsys)["place"]
    assert place["hours"] == {"opens": "07:30", "closes": "22:00"}
    assert (place["kind"], place["capacity"], place["usual_stay"]) == ("classroom", 40, 90)
    assert (place["enclosed"], place["small"]) == (False, False)
    assert do("places", "edit", "1", "--clear", "usual-stay", "--clear", "hours") == 0
    found = sites.place(store, 1)
    assert found is not None
    assert (found.usual_stay, found.hours, found.capacity) == (None, None, 40)
    capsys.readouterr()
    assert do("places", "show", "1", lang="vi") == 0
    words = capsys.readouterr().out
    assert "Sức chứa" in words
    assert "usual_stay: 90 → –" in words
    assert do("places", "close", "1", "--reason", "tháo dỡ", "--json") == 0
    assert told(capsys)["place"]["status"] == "closed"
    assert do(*edit) != 0
    assert "closed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("sites", "edit", "1"), "Nothing is named"),
        (("sites", "edit", "1", "--ward", "99999"), "--ward: There is no ward"),
        (("sites", "edit", "1", "--kind", "meeting_room"), "--kind: There are"),
        (("sites", "edit", "1", "--name", ""), "--name"),
        (("sites", "edit", "1", "--clear", "name"), "cannot be taken away"),
        (("sites", "edit", "1", "--clear", "colour"), "no field colour"),
        (("sites", "edit", "1", "--name", "x", "--version", "7"), "version"),
        (("sites", "edit", "9", "--name", "x"), "no site 9"),
        (("places", "edit", "1", "--hours", "sáng"), "--hours"),
        (("places", "edit", "1", "--usual-stay", "9999"), "--usual-stay"),
        (("places", "edit", "1", "--capacity", "4", "--clear", "capacity"), "--clear capacity"),
        (("places", "edit", "9", "--capacity", "4"), "no place 9"),
        (("places", "show", "9"), "no place 9"),
        (("places", "close", "1", "--reason", " "), "--reason"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changes(
    do: Do, store: Store, capsys: pytest.CaptureFixture[str], command: tuple[str, ...], says: str
) -> None:
    assert do(*command) != 0
    assert says in capsys.readouterr().err
    assert outbox.pending(store, 9) == []
    assert WARD in str(sites.site(store, 1))


def test_what_hangs_is_said_of_many_places_at_once_and_twice_is_once(
    do: Do, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    say = ("places", "report", "posted", "1", "2", "--at", "2026-11-20T08:00", "--json")
    assert do(*say) == 0
    assert [one["posted_at"] for one in told(capsys)["postings"]] == [
        "2026-11-20T01:00:00.000Z"
    ] * 2
    assert do(*say) == 0
    assert told(capsys)["postings"] == [], "the same again is no news"
    assert [row.key for row in outbox.pending(store, 9)] == ["posting/1", "posting/2"]
    assert do("places", "report", "duty", "1", "999") == 1
    assert do("places", "report", "posted", "1", "--at", "2999-01-01T08:00") == 1
    assert do("places", "report", "inspected", "1") == 1
    said = capsys.readouterr().err
    assert "There is no place 999" in said
    assert "in the future" in said
    assert "truyvet inspections check" in said
    assert len(outbox.pending(store, 9)) == 2, "all places or none"


def test_a_site_is_shown_with_names_beside_codes(
    do: Do, capsys: pytest.CaptureFixture[str]
) -> None:
    assert do("sites", "edit", "1", "--address", "4 Phan Bội Châu") == 0
    assert do("sites", "show", "1") == 0
    said = capsys.readouterr().out
    assert f"({WARD})" in said
    assert "→ 4 Phan Bội Châu" in said
    assert "None" not in said


def test_switching_a_producer_off_and_on_leaves_it_its_bounds(
    do: Do, capsys: pytest.CaptureFixture[str]
) -> None:
    put = ("producers", "put", "gate-1")
    bounds = ("--methods", "card,staff", "--places", "1,2", "--wards", WARD)
    assert do(*put, "--name", "Cổng 1", *bounds, "--json") == 0
    first = told(capsys)["producers"][0]
    assert first["active"]
    for switch, active in (("--no-active", False), ("--active", True)):
        assert do(*put, switch, "--json") == 0
        [after] = told(capsys)["producers"]
        assert after.pop("active") is active
        assert after.items() <= (first | {"version": after["version"]}).items()
    assert do(*put, "--places", "all", "--wards", "all", "--json") == 0
    [opened] = told(capsys)["producers"]
    assert (opened["places"], opened["wards"]) == (None, None)
    assert opened["methods"] == first["methods"]
