"""Lists of who must have codes: read, read again, linked where there is no doubt, decided."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from console.sitelist.linking import certain, link_certain, link_new, suggested
from console.sitelist.requiring import list_of, plan_required
from console.sitelist.run import apply, plan
from console.sitelist.sheet import read_rows
from console.sitelist.understand import Options, Understood, understand
from console.store import edits, outbox, required
from console.store.engine import Store, utc_now
from console.store.errors import Conflict, NotFound
from console.store.history import What, Why
from console.store.register import NewSite, register_sites
from console.store.required_reading import (
    GONE,
    Needed,
    State,
    entries,
    lists,
    standing,
    unregistered,
    whole_entry,
)
from issuer.units import wards_in
from schemas.coverage import RequiredList, Requirement
from schemas.errors import UserError
from tests.console_kit import RING, WARD, migrated

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
BY = "cli"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return migrated(tmp_path)[1]


def a_list(as_of: date = OCTOBER, **changes: object) -> RequiredList:
    about = {"id": "so", "name": "Danh sách", "keeper": "Sở", "as_of": as_of, "entries": 2}
    return RequiredList.model_validate(about | changes)


def entry(name: str, address: str | None = None, key: str = "") -> Needed:
    return Needed(key or name, name, address, WARD, "restaurant", "industry_trade")


def site(name: str, address: str | None = None) -> NewSite:
    return NewSite(name, "restaurant", WARD, "industry_trade", f"{name}/{address}", address)


def names(store: Store) -> list[str]:
    return [one.name for one in unregistered(store, None, limit=100)]


def test_read_again_it_is_the_same_list(store: Store) -> None:
    entries = [entry("Phở Thìn", "16 Cát Bi"), entry("Bún Bà Cụ")]
    assert required.import_list(store, a_list(), entries, BY) == 2
    count = outbox.count_pending(store)
    assert required.import_list(store, a_list(), entries, BY) == 0
    assert outbox.count_pending(store) == count
    newer = [entry("Phở Thìn", "18 Cát Bi"), entry("Chè Liên")]
    assert required.import_list(store, a_list(NOVEMBER), newer, BY) == 2
    assert names(store) == ["Chè Liên", "Phở Thìn"]
    assert standing(store, "so", "Bún Bà Cụ").exempt_reason == GONE
    with pytest.raises(Conflict, match="already known as of 2026-11-01"):
        required.import_list(store, a_list(OCTOBER), entries, BY)
    required.import_list(store, a_list(NOVEMBER), [*newer, entry("Bún Bà Cụ")], BY)
    assert standing(store, "so", "Bún Bà Cụ").exempt_reason is None
    last = Requirement.model_validate_json(outbox.pending(store, 100)[-1].value)
    assert (last.entry, last.version, last.exempt) == ("Bún Bà Cụ", 3, False)


def test_what_a_person_decided_stays_when_the_list_is_read_again(store: Store) -> None:
    entries = [entry("Phở Thìn"), entry("Bún Bà Cụ")]
    required.import_list(store, a_list(), entries, BY)
    register_sites(store, RING, [site("Quán Phở")], source="x")
    required.link(store, [("so", "Phở Thìn", 1)], BY)
    required.exempt(store, "so", "Bún Bà Cụ", "đã phá dỡ", BY)
    required.import_list(store, a_list(NOVEMBER), entries, BY)
    assert standing(store, "so", "Phở Thìn").site == 1
    assert standing(store, "so", "Bún Bà Cụ").exempt_reason == "đã phá dỡ"
    [about] = lists(store)
    assert (about.counted, about.linked) == (1, 1)
    with pytest.raises(NotFound, match="no entry Chè"):
        required.link(store, [("so", "Chè", 1)], BY)
    with pytest.raises(NotFound, match="no site 9"):
        required.link(store, [("so", "Phở Thìn", 9)], BY)


def test_only_what_leaves_no_doubt_is_linked(store: Store) -> None:
    register_sites(
        store,
        RING,
        [
            site("Phở Thìn", "16 Cát Bi"),
            site("Cà phê Mộc", "1 Lợi"),
            site("Cà phê Mộc", "9 Lợi"),
            site("Nem Cua Bể", "3 Lợi"),
            site("Chè Liên", "5 Lợi"),
        ],
        source="x",
    )
    entries = [
        entry("phở thìn", "16, Cát Bi", "same"),
        entry("Cà phê Mộc", None, "two of them"),
        entry("Cà phê Mộc", "9 Lợi", "this one"),
        entry("Nem Cua Bể", "30 Lợi", "another door"),
        entry("Quán Chè Liên", "5 Lợi", "nearly"),
    ]
    required.import_list(store, a_list(), entries, BY)
    found = unregistered(store, [WARD], limit=100)
    assert certain(store, found) == [("so", "same", 1), ("so", "this one", 3)]
    assert link_certain(store) == 2
    assert link_certain(store) == 0
    pairs = suggested(store, unregistered(store, None, limit=100))
    assert [(one.entry, pair.other.site) for one, pair in pairs] == [
        ("nearly", 5),
        ("two of them", 2),
    ]


def test_a_site_registered_later_is_found(store: Store) -> None:
    required.import_list(store, a_list(), [entry("Phở Thìn"), entry("Bún Bà Cụ")], BY)
    assert link_new(store, 0) == 0
    register_sites(store, RING, [site("Phở Thìn")], source="x")
    assert link_new(store, 0) == 1
    assert names(store) == ["Bún Bà Cụ"]
    register_sites(store, RING, [site("Bún Bà Cụ")], source="x")
    assert link_new(store, 1) == 2
    assert names(store) == []


def test_a_merged_site_takes_its_entry_along(store: Store) -> None:
    required.import_list(store, a_list(), [entry("Phở Thìn")], BY)
    register_sites(store, RING, [site("Phở Thìn"), site("Phở Thìn Hà Nội")], source="x")
    assert link_new(store, 0) == 2
    assert standing(store, "so", "Phở Thìn").site == 1
    edits.merge_site(store, 1, 2, Why(BY, What.MERGE, "đăng ký hai lần"))
    assert standing(store, "so", "Phở Thìn").site == 2


def test_a_withdrawn_list_no_longer_counts(store: Store) -> None:
    required.import_list(store, a_list(), [entry("Phở Thìn")], BY)
    assert required.withdraw(store, "so", BY).withdrawn
    assert names(store) == []
    required.import_list(store, a_list(), [entry("Phở Thìn")], BY)
    assert names(store) == ["Phở Thìn"]
    with pytest.raises(NotFound, match="no list khác"):
        required.withdraw(store, "khác", BY)


def test_an_entry_is_known_by_its_beginning(store: Store) -> None:
    entries = [entry("a", key="abc"), entry("b", key="abd")]
    required.import_list(store, a_list(), entries, BY)
    assert whole_entry(store, "so", "abc") == "abc"
    for beginning, said in (("ab", "several"), ("x", "no entry")):
        with pytest.raises(NotFound, match=said):
            whole_entry(store, "so", beginning)


def test_a_lists_entries_page_by_page_by_where_they_stand(store: Store) -> None:
    needed = [entry(name) for name in "abcd"]
    required.import_list(store, a_list(), needed, BY)
    register_sites(store, RING, [site("A")], source="x")
    required.link(store, [("so", "b", 1)], BY)
    required.exempt(store, "so", "c", "đã phá dỡ", BY)

    def keys(**asked: Any) -> list[str]:
        return [one.entry for one in entries(store, "so", **{"wards": None, "limit": 9} | asked)]

    assert keys() == ["a", "b", "c", "d"]
    assert keys(limit=2, after="b") == ["c", "d"]
    assert keys(state=State.UNLINKED) == ["a", "d"]
    assert keys(state=State.LINKED) == ["b"]
    assert keys(state=State.EXEMPT) == ["c"]
    assert keys(wards=["00001"]) == keys(kind="market") == keys(sector="health") == []
    required.withdraw(store, "so", BY)
    assert keys(kind="restaurant") == ["a", "b", "c", "d"]
    with pytest.raises(NotFound, match="no list khác"):
        entries(store, "khác", None, limit=1)


def test_one_file_both_ways_finds_itself(store: Store, tmp_path: Path) -> None:
    """The list of who must, registered as it is: each entry has its site, whatever its name."""
    path = tmp_path / "ds.csv"
    path.write_text(
        "Tên cơ sở,Địa chỉ,Loại hình\nCafé A,1 Lợi,quán ăn\nCafé A,2 Lợi,quán ăn\n", "utf-8"
    )
    made = plan_required(read(path))
    assert len(made.entries) == 2
    about = list_of("ds", "", "Sở", OCTOBER, 2)
    assert about.name == "ds"
    required.import_list(store, about, made.entries, BY)
    understood = read(path)
    apply(store, RING, "ds", plan(store, "ds", understood), set(), BY, utc_now())
    link_new(store, 0)
    assert names(store) == []


@pytest.mark.parametrize(
    ("list_id", "keeper", "said"),
    [("", "Sở", "--list"), ("a/b", "Sở", "--list"), ("a", " ", "--keeper")],
)
def test_a_list_says_what_it_is_and_whose(list_id: str, keeper: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        list_of(list_id, "", keeper, OCTOBER, 1)


def read(path: Path) -> Understood:
    return understand(read_rows(path, None), Options(wards_in("city/31"), None, WARD, {}))


def test_an_entry_whose_site_has_closed_needs_one_again(store: Store) -> None:
    required.import_list(store, a_list(), [entry("Phở Thìn"), entry("Bún Bà Cụ")], BY)
    register_sites(store, RING, [site("Phở Thìn")], source="x")
    assert link_certain(store) == 1
    assert [one.linked for one in lists(store)] == [1]
    edits.close_site(store, 1, Why("test", What.CLOSE))
    assert names(store) == ["Bún Bà Cụ", "Phở Thìn"]
    assert [one.linked for one in lists(store)] == [0]
    assert entries(store, "so", None, limit=9, state=State.LINKED) == []
    assert standing(store, "so", "Phở Thìn").site is None
    assert link_certain(store) == 0
    register_sites(store, RING, [site("Phở Thìn")], source="y")
    assert link_new(store, 1) == 2
    assert standing(store, "so", "Phở Thìn").site == 2
