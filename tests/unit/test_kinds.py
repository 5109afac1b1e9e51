"""Kinds: what ships is sound, wrong data is refused by name, new places are filled in."""

from importlib.resources import files

import pytest

from issuer.kinds import (
    KindError,
    Level,
    kinds,
    new_place,
    new_site,
    of_kind,
    parse_kinds,
    parse_sectors,
    place_defaults,
    sectors,
    usual_hours,
)
from schemas.places import Hours, Place

# what the order of December 2021 names, and what its officers meet at once
ORDERED = {
    "office", "meeting_room", "section", "gate", "market", "stall_row", "supermarket", "hospital",
    "department", "pharmacy", "school", "classroom", "factory", "line", "restaurant", "hotel",
    "worship", "bus_station", "bus", "taxi", "checkpoint", "dormitory", "event", "imported",
}  # fmt: skip

SOUND = """
[small]
capacity = 20
area_m2 = 40
basis = "assumption"
[kinds.imported]
name = { vi = "Nhập", en = "Imported" }
is = { level = "both", sector = "unknown", enclosed = true, small = "never", gate = false }
[kinds.room]
name = { vi = "Phòng", en = "Room" }
is = { level = "place", enclosed = true, small = "unless_known_large", gate = false }
usual_stay = { minutes = 60, basis = "assumption" }
"""
SITE = new_site(9, "office", "Sở Y tế", "11413")


def test_the_kinds_that_are_needed_ship() -> None:
    assert set(kinds()) >= ORDERED
    assert {"health", "transport", "education", "industry_trade", "home_affairs"} <= set(sectors())


@pytest.mark.parametrize("kind", list(kinds()))
def test_each_kind_makes_sound_records(kind: str) -> None:
    defaults = place_defaults(kind)
    assert defaults.name.vi != defaults.name.en
    assert (defaults.usual_stay is None) == (defaults.stay_basis is None)
    if defaults.level is not Level.PLACE:
        assert new_site(1, kind, "Tên", "11413").sector == defaults.sector
    if defaults.level is not Level.SITE:
        place = new_place(SITE, 1, kind, "Tên")
        assert place.usual_stay == defaults.usual_stay
        assert (place.enclosed, place.gate) == (defaults.enclosed, defaults.gate)
        assert not (place.gate and place.small)


def test_names_are_told_apart() -> None:
    assert len({k.name.vi for k in kinds().values()}) == len(kinds())
    assert len({k.name.en for k in kinds().values()}) == len(kinds())


def test_nothing_is_claimed_of_an_imported_place() -> None:
    site = new_site(1, "imported", "A venue")
    assert (site.ward, site.sector) == ("unknown", "unknown")
    place = new_place(site, 1, "imported", "A venue", capacity=3)
    assert place == Place(
        id=1, site=1, name="A venue", kind="imported", ward="unknown", sector="unknown",
        enclosed=True, small=False, hours=None, usual_stay=60, capacity=3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "capacity", "area", "small"),
    [
        ("meeting_room", None, None, True),
        ("meeting_room", 20, None, True),
        ("meeting_room", 21, None, False),
        ("meeting_room", None, 40.0, True),
        ("meeting_room", None, 40.5, False),
        ("meeting_room", 12, 500.0, True),  # capacity goes before area
        ("classroom", None, None, False),
        ("classroom", 20, None, True),
        ("classroom", 40, None, False),
        ("bus", 45, None, True),
        ("supermarket", 5, None, False),
        ("gate", 1, 1.0, False),
    ],
)
def test_small_follows_from_size(
    kind: str, capacity: int | None, area: float | None, small: bool
) -> None:
    assert new_place(SITE, 1, kind, "Tên", area_m2=area, capacity=capacity).small is small


def test_what_is_registered_wins() -> None:
    hours = Hours(opens="08:00", closes="11:30")
    place = new_place(
        SITE, 1, "meeting_room", "Phòng 3", small=False, enclosed=False, hours=hours, ward="11410"
    )
    assert (place.small, place.enclosed, place.hours, place.ward) == (False, False, hours, "11410")
    assert place.sector == SITE.sector == "home_affairs"
    assert new_site(1, "office", "Sở", "11413", sector="health").sector == "health"


def test_what_cannot_be_is_refused() -> None:
    for kind, says in [("casino", "there are office, meeting_room"), ("hospital", "kind of sites")]:
        with pytest.raises(ValueError, match=says):
            new_place(SITE, 1, kind, "Tên")
    with pytest.raises(ValueError, match="kind of places"):
        new_site(1, "gate", "Cổng", "11413")
    with pytest.raises(ValueError, match="no field colour"):
        new_place(SITE, 1, "office", "Tên", colour="red")
    with pytest.raises(ValueError, match="capacity"):
        new_place(SITE, 1, "office", "Tên", capacity=-1)


def test_sound_data_is_taken() -> None:
    assert list(parse_kinds(SOUND, "kinds.toml", sectors())) == ["imported", "room"]


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("[small]", "[small", "kinds.toml: not TOML"),
        ("capacity = 20", "", "small.capacity: Field required"),
        ('"unless_known_large"', '"perhaps"', "kinds.room.is.small"),
        ('sector = "unknown", ', "", "kinds.imported.is: .*names its sector"),
        ('level = "place",', 'level = "place", sector = "health",', "takes its site's"),
        ('sector = "unknown"', 'sector = "magic"', "kinds.imported.is.sector: .*'magic'"),
        ("minutes = 60", "minutes = 0", "kinds.room.usual_stay.minutes"),
        ('minutes = 60, basis = "assumption"', "minutes = 60", "usual_stay.basis"),
        ('vi = "Phòng", ', "", "kinds.room.name.vi"),
        ("[kinds.imported]", "[kinds.other]", "imported is missing"),
        ("[kinds.room]", '[kinds.room]\ncolour = "red"', "kinds.room.colour"),
    ],
)
def test_wrong_data_is_refused_by_name(before: str, after: str, says: str) -> None:
    assert before in SOUND
    with pytest.raises(KindError, match=says):
        parse_kinds(SOUND.replace(before, after, 1), "kinds.toml", sectors())


def test_wrong_sectors_are_refused_by_name() -> None:
    with pytest.raises(KindError, match=r"sectors.toml: sectors.health.en"):
        parse_sectors('[sectors]\nhealth = { vi = "Sở Y tế" }', "sectors.toml")
    with pytest.raises(KindError, match="unknown is missing"):
        parse_sectors("", "sectors.toml")


def test_data_files_state_their_sources() -> None:
    for name in ("kinds.toml", "sectors.toml"):
        assert "# Source" in (files("issuer") / "data" / name).read_text("utf-8")


@pytest.mark.parametrize(
    ("kind", "site", "hours"),
    [
        ("section", "hospital", None),
        ("meeting_room", "factory", None),
        ("department", "office", None),
        ("section", "office", ("06:30", "19:00")),
        ("section", "market", ("04:00", "20:00")),
        ("meeting_room", "office", ("06:30", "21:00")),
        ("section", "restaurant", ("05:30", "23:00")),
        ("section", "imported", ("06:30", "19:00")),
    ],
)
def test_a_room_is_open_as_long_as_its_house(
    kind: str, site: str, hours: tuple[str, str] | None
) -> None:
    """A ward has no closing time, whatever its rooms are called: one too early hides contacts."""
    found = usual_hours(kind, site)
    assert (None if found is None else (found.opens, found.closes)) == hours
    assert new_place(new_site(1, site, "Nhà"), 2, kind, "Phòng 1").hours == found


def test_to_another_kind_goes_what_the_kind_had_said_and_not_what_somebody_did() -> None:
    place = new_place(new_site(1, "imported", "Chợ"), 2, "imported", "Chợ")
    as_stalls = {
        "hours": kinds()["stall_row"].hours, "enclosed": False, "small": False, "gate": False,
        "usual_stay": 20,
    }  # fmt: skip
    assert of_kind(place, "stall_row", "imported", None) == as_stalls
    told = place.model_copy(update={"enclosed": not place.enclosed, "usual_stay": 7})
    assert of_kind(told, "stall_row", "imported", None) == {
        name: value for name, value in as_stalls.items() if name not in ("enclosed", "usual_stay")
    }
    with pytest.raises(ValueError, match="no kind"):
        of_kind(place, "stalls", "imported", None)
