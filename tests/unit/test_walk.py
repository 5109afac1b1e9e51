"""The order of the index: as a person walks."""

import random

from issuer.walk import fold, walk_key

DOORS = [
    ("11413", "2 Lạch Tray", "B", 5, True, 50),
    ("11413", "Số 10 Lạch Tray", "A", 4, False, 40),
    ("11413", "10A, Lạch Tray", "C", 6, False, 41),
    ("11413", "số nhà 3 đường Ẵm", "D", 7, True, 62),
    ("11413", "số nhà 3 đường Ẵm", "D", 7, False, 60),
    ("11413", "số nhà 3 đường Ẵm", "D", 7, False, 61),
    ("11413", "Võ Thị Sáu", "E", 8, False, 70),
    ("11413", None, "A", 3, False, 30),
    ("11413", "", "Ặ", 2, False, 20),
    ("11500", "1 An Đà", "A", 1, False, 10),
]
IN_ORDER = [62, 60, 61, 50, 40, 41, 70, 20, 30, 10]


def test_ward_street_house_site_gate() -> None:
    for seed in range(5):
        mixed = random.Random(seed).sample(DOORS, len(DOORS))
        assert [door[-1] for door in sorted(mixed, key=lambda door: walk_key(*door))] == IN_ORDER


def test_accents_count_for_nothing() -> None:
    assert fold("ĐƯỜNG Ẵm  Ữ") == "duong am  u"
