"""The order of the day's list, and which two look like one."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from console.worklist.duplicates import CROWD, Arrival, suggest
from console.worklist.triage import SETTINGS, Candidate, cut, setting_of
from issuer.kinds import kinds
from schemas.cases import Relation
from tests.worklist_kit import A, B, C

NOON = datetime(2026, 11, 20, 5, tzinfo=UTC)
BASE = Candidate("C-1", "P", "same_place", 30.0, NOON, "medium", 0.5, "other")


def people(*candidates: Candidate) -> list[Candidate]:
    return [replace(c, person=f"P{number}") for number, c in enumerate(candidates)]


def test_each_key_decides_where_those_before_are_equal() -> None:
    ordered = people(
        replace(BASE, tier="named", minutes=0.0),
        replace(BASE, tier="same_small_enclosed", minutes=1.0),
        replace(BASE, minutes=60.0, band="low"),
        replace(BASE, last_exposure=NOON + timedelta(days=1), band="low"),
        replace(BASE, band="high"),
        replace(BASE, setting="home_and_care", confidence=0.3),
        replace(BASE, setting="every_day"),
        replace(BASE, minutes=31.0, confidence=0.1),
        replace(BASE, last_exposure=NOON + timedelta(minutes=1), confidence=0.1),
        replace(BASE, confidence=0.6),
        BASE,
        replace(BASE, minutes=14.9, band="high"),
        replace(BASE, tier="same_time_only", minutes=600.0),
    )
    for seed in range(20):
        shuffled = ordered[:]
        random.Random(seed).shuffle(shuffled)
        found = cut(shuffled, 5)
        assert [c.person for c in found.today] == [f"P{number}" for number in range(5)]
        assert sum(left.count for left in found.left_out) == len(ordered) - 5
        assert cut(shuffled, 99).today == ordered


def test_what_is_left_out_is_counted_by_reason_tier_and_band() -> None:
    found = cut(
        [
            replace(BASE, person="a", left="decided"),
            replace(BASE, person="b", left="decided", band="low"),
            replace(BASE, person="c", left="not_on_call_list", tier="same_time_only"),
            replace(BASE, person="d"),
            replace(BASE, person="e"),
        ],
        1,
    )
    assert [(o.reason, o.tier, o.band, o.count) for o in found.left_out] == [
        ("over_capacity", "same_place", "medium", 1),
        ("not_on_call_list", "same_time_only", "medium", 1),
        ("decided", "same_place", "medium", 1),
        ("decided", "same_place", "low", 1),
    ]


def test_every_word_of_a_setting_is_a_kind_or_a_relation() -> None:
    known = set(kinds()) | {relation.value for relation in Relation}
    for _, members in SETTINGS.values():
        assert members <= known
    assert setting_of(["market", "household", "office"]) == "home_and_care"
    assert setting_of(["market", ""]) == "other"


def arrive(*found: tuple[int, float, str]) -> list[Arrival]:
    return list(found)


def test_two_that_come_together_again_and_again_are_suggested() -> None:
    both = arrive((1, 0, A), (1, 9, B), (2, 500, A), (2, 520, B), (3, 900, B))
    [found] = suggest(both)
    assert (found.first, found.second) == (A, B)
    assert (found.together, found.of, found.widest_s) == (2, 2, 20.0)
    assert suggest(both, decided=[(A, B)]) == []


def test_once_or_apart_or_seldom_is_no_sign() -> None:
    assert suggest(arrive((1, 0, A), (1, 9, B))) == []
    assert suggest(arrive((1, 0, A), (1, 31, B), (2, 0, A), (2, 31, B))) == []
    seldom = [(place, 0.0, person) for place in range(10, 13) for person in (A,)]
    seldom += [(place, 0.0, B) for place in range(20, 23)]
    together = arrive((1, 0, A), (1, 1, B), (2, 0, A), (2, 1, B), *seldom)
    assert suggest(together) == []


def test_a_crowd_at_a_gate_is_no_sign_and_costs_nothing() -> None:
    crowd = [(1, float(n), f"{n:013}") for n in range(CROWD + 1)]
    crowd += [(2, float(n), f"{n:013}") for n in range(CROWD + 1)]
    assert suggest(crowd) == []
    assert len(suggest(crowd[:CROWD] + [c for c in crowd if c[0] == 2][:CROWD])) > 0


def test_the_likeliest_is_first() -> None:
    found = suggest(
        arrive((1, 0, A), (1, 1, C), (2, 0, A), (2, 1, C))
        + arrive((3, 0, A), (3, 1, B), (4, 0, A), (4, 1, B), (5, 0, A), (5, 1, B))
    )
    assert [(s.first, s.second) for s in found] == [(A, B), (A, C)]
