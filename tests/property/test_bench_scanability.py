"""The scanability rig: the camera is a camera, and what it finds does not depend on luck."""

import math
from dataclasses import replace

import numpy as np
import pytest
import zxingcpp

from bench.camera import FOCAL_PX, Page, View, photograph
from bench.scanability import OTHER, Plan, run, subjects
from issuer.formats import SHAPES, Format

PLAN = Plan(Format.A5, shots=2, step=1.4, conditions=("straight", "all"))
CODE_MM = SHAPES[Format.A5].code_mm


@pytest.fixture(scope="module")
def found() -> dict[str, tuple[list[str], list[Page]]]:
    return {name: (texts, pages) for name, texts, pages in subjects(PLAN)}


def corners(page: Page, view: View) -> tuple[str, np.ndarray]:
    """What reads in a photograph, and its code's corners from the top left on, (4, 2)."""
    seen = photograph(page, CODE_MM * 1.8, view, np.random.default_rng(1))
    (code,) = zxingcpp.read_barcodes(seen)
    at = code.position
    four = (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
    return code.text, np.array([[p.x, p.y] for p in four], dtype=float)


def test_each_symbol_has_its_modules_and_the_same_printed_size(
    found: dict[str, tuple[list[str], list[Page]]],
) -> None:
    assert list(found) == ["29x29", "33x33", OTHER]
    for name, (texts, pages) in found.items():
        assert 180 < len(texts[0]) < 251 if name == OTHER else len(texts[0]) <= 50
        (code,) = zxingcpp.read_barcodes(pages[0].grey)
        assert code.text == texts[0]
        width = (code.position.top_right.x - code.position.top_left.x) / pages[0].px_per_mm
        assert abs(width - CODE_MM) < 1


def test_twice_as_far_is_half_as_large(found: dict[str, tuple[list[str], list[Page]]]) -> None:
    texts, pages = found["29x29"]
    for distance in (0.6, 1.2):
        text, four = corners(pages[0], View(distance))
        assert text == texts[0]
        width = np.linalg.norm(four[1] - four[0])
        assert width == pytest.approx(CODE_MM * FOCAL_PX / distance / 1_000, rel=0.04)


def test_it_is_turned_and_tilted_as_it_is_told(
    found: dict[str, tuple[list[str], list[Page]]],
) -> None:
    _, pages = found["29x29"]
    _, four = corners(pages[0], View(0.6, turn=20))
    along = four[1] - four[0]
    assert math.degrees(math.atan2(along[1], along[0])) == pytest.approx(20, abs=1.5)
    _, four = corners(pages[0], View(0.6, tilt=50))
    height = (four[3] - four[0])[1], (four[2] - four[1])[1]
    width = np.linalg.norm(four[1] - four[0])
    assert width / np.mean(height) == pytest.approx(math.cos(math.radians(50)), abs=0.05)
    assert height[0] > 1.1 * height[1], "the side that is nearer looks larger"


def test_blur_and_noise_are_there(found: dict[str, tuple[list[str], list[Page]]]) -> None:
    _, pages = found["29x29"]
    sharp, soft = (
        photograph(pages[0], CODE_MM, View(1.0, blur=b), np.random.default_rng(1)).astype(float)
        for b in (0.0, 1.5)
    )
    assert np.abs(np.diff(soft, axis=1)).mean() < 0.7 * np.abs(np.diff(sharp, axis=1)).mean()
    white = Page(np.full((400, 400), 255, np.uint8), 4.0, (200.0, 200.0))
    assert 4 < photograph(white, 50, View(1.0), np.random.default_rng(1)).std() < 6


def test_the_short_table_is_the_same_twice_and_ours_reads_further() -> None:
    told: list[str] = []
    first = run(PLAN, told.append)
    assert len(told) == len(first["rows"]) == 6
    assert first["passed"]
    assert first["ratio_to_61x61"] > 1.2
    assert run(PLAN, told.append) == first
    for row in first["rows"]:
        shares = [share for _, share in row["share_read"]]
        assert all(share >= PLAN.enough for share in shares[:-1])
    with pytest.raises(KeyError, match="upside down"):
        run(replace(PLAN, conditions=("upside down",)), told.append)
