"""A phone that looks at a poster: distance, turn, tilt, blur and noise, through a pinhole.

Pure but for the generator that comes in. Lengths on the page are millimetres, angles degrees.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]

FRAME_PX: Final = 1_920  # the width of the frames that scanning apps look at
FIELD_OF_VIEW: Final = 65.0  # of a phone's main camera, across the frame
FOCAL_PX: Final = FRAME_PX / 2 / math.tan(math.radians(FIELD_OF_VIEW / 2))
PAPER, INK = 225.0, 35.0  # grey values under a lamp: neither white nor black
NOISE: Final = 5.0  # standard deviation, of 255
_FINER: Final = 3  # each of the camera's pixels is the mean of so many by so many


@dataclass(frozen=True)
class View:
    """How the poster is seen. `blur` is a standard deviation in the camera's pixels."""

    distance_m: float
    turn: float = 0.0
    tilt: float = 0.0
    blur: float = 0.0


@dataclass(frozen=True)
class Page:
    """A page as grey values, `px_per_mm`, and where its code's middle is, in its pixels."""

    grey: U8
    px_per_mm: float
    middle: tuple[float, float]


def photograph(page: Page, across_mm: float, view: View, rng: np.random.Generator) -> U8:
    """What the camera sees of `across_mm` of the page around its code.

    Where its pixels fall is chance. Shape (side, side); the page's words are in it as far as seen.
    """
    from PIL import Image, ImageFilter

    scale = FOCAL_PX / (view.distance_m * 1_000)  # pixels a millimetre, at the code's middle
    side = math.ceil(across_mm * scale)
    source, px_per_mm = _reduced(page, scale * _FINER)
    shift = rng.uniform(-0.5, 0.5, 2)
    fine = side * _FINER
    seen = source.transform(
        (fine, fine),
        Image.Transform.PERSPECTIVE,
        _backwards(page, px_per_mm, view, fine, shift * _FINER),
        Image.Resampling.BICUBIC,
        fillcolor=255,
    ).reduce(_FINER)
    if view.blur:
        seen = seen.filter(ImageFilter.GaussianBlur(view.blur))
    grey = INK + np.asarray(seen, dtype=np.float64) / 255 * (PAPER - INK)
    grey += rng.normal(0, NOISE, grey.shape)
    return grey.clip(0, 255).round().astype(np.uint8)


def _reduced(page: Page, wanted: float) -> tuple[Any, float]:
    """The page at about `wanted` pixels a millimetre, so that the transform leaves nothing out."""
    from PIL import Image

    by = max(1, int(page.px_per_mm / wanted))
    image = Image.fromarray(page.grey)
    return (image.reduce(by) if by > 1 else image), page.px_per_mm / by


def _backwards(
    page: Page, px_per_mm: float, view: View, side: int, shift: npt.NDArray[np.float64]
) -> list[float]:
    """The eight numbers by which PIL finds a pixel of the photograph on the page.

    The page is turned in its plane, then tilted about the upright axis through its code's middle.
    """
    turn, tilt = math.radians(view.turn), math.radians(view.tilt)
    distance = view.distance_m * 1_000
    focal = FOCAL_PX * _FINER
    at = [value * px_per_mm / page.px_per_mm for value in page.middle]
    to_mm = np.array(
        [
            [1 / px_per_mm, 0, -at[0] / px_per_mm],
            [0, 1 / px_per_mm, -at[1] / px_per_mm],
            [0, 0, 1],
        ]
    )
    turned = np.array(
        [[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0], [0, 0, 1]]
    )
    # x, y, 1 on the page to what the pinhole divides: x cos, y, distance + x sin
    tilted = np.array(
        [[focal * math.cos(tilt), 0, 0], [0, focal, 0], [math.sin(tilt), 0, distance]]
    )
    placed = np.array([[1, 0, side / 2 + shift[0]], [0, 1, side / 2 + shift[1]], [0, 0, 1]])
    back = np.linalg.inv(placed @ tilted @ turned @ to_mm)
    back /= back[2, 2]
    return [float(value) for value in back.flatten()[:8]]
