"""`truyvet bench scanability`: from how far a poster reads, beside a 61 × 61 symbol of its size.

Real poster pages are rendered and looked at through `bench/camera.py` from further and further
away; the same reader (zxing-cpp) reads both. 61 × 61 (version 11) is what check-in posters of
other countries carried: about two hundred characters of signed data.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import segno
import zxingcpp

from bench.camera import Page, View, photograph
from bench.posters_city import ORIGIN, RETENTION_DAYS, sheets
from issuer.codes import code_url
from issuer.formats import SHAPES, Format
from issuer.poster import Sheet, pages_of, pages_pdf
from issuer.symbol import QUIET_MODULES, Symbol, paths

Say = Callable[[str], None]
LONG_ORIGIN: Final = "HTTPS://QUET.HAIPHONG.GOV.VN/CC/"
OTHER: Final = "61x61"
CONDITIONS: Final = {
    "straight": View(1.0),
    "blur 0.7": View(1.0, blur=0.7),
    "blur 1.2": View(1.0, blur=1.2),
    "turned 20": View(1.0, turn=20),
    "turned 45": View(1.0, turn=45),
    "tilted 30": View(1.0, tilt=30),
    "tilted 50": View(1.0, tilt=50),
    "all": View(1.0, turn=20, tilt=30, blur=0.7),
}
_DOTS: Final = 8.0  # pixels a millimetre of the rendered page: 203 dots an inch
_MARGIN: Final = 1.8  # what the camera looks at, in widths of the code


@dataclass(frozen=True)
class Plan:
    """Distances, in widths of the code, are `nearest` times powers of `step`.

    Of `shots` at each, the share `enough` must read.
    """

    form: Format = Format.A4
    shots: int = 10
    enough: float = 0.9
    nearest: float = 6.0
    furthest: float = 80.0
    step: float = 1.06
    conditions: tuple[str, ...] = tuple(CONDITIONS)
    seed: int = 7


SHORT: Final = Plan(shots=4, step=1.25, conditions=("straight", "turned 20", "all"))


@dataclass(frozen=True)
class Row:
    """One symbol under one condition: the greatest distance up to which all nearer ones read.

    `share_read`: of all shots at each distance tried, nearest first.
    """

    symbol: str
    modules: int
    condition: str
    furthest_m: float
    share_read: tuple[tuple[float, float], ...]


def run(plan: Plan, say: Say) -> dict[str, Any]:
    """The table as one object; `passed`: ours read further than 61 × 61 under every condition."""
    rows = []
    for name, texts, pages in subjects(plan):
        for condition in plan.conditions:
            row = _row(name, texts, pages, condition, plan)
            say(f"{name}, {condition}: {row.furthest_m:.2f} m")
            rows.append(row)
    names = list(dict.fromkeys(row.symbol for row in rows))
    reach = {(row.symbol, row.condition): row.furthest_m for row in rows}
    ours = [name for name in names if name != OTHER]
    ratios = {
        c: round(min(reach[name, c] for name in ours) / (reach[OTHER, c] or math.inf), 2)
        for c in plan.conditions
    }
    return {
        "format": plan.form.value,
        "code_mm": SHAPES[plan.form].code_mm,
        "ratio_to_61x61": min(ratios.values()),
        "ratios": ratios,
        "rows": [asdict(row) for row in rows],
        "shots": plan.shots,
        "passed": all(
            reach[name, c] > reach[OTHER, c] > 0 for name in ours for c in plan.conditions
        ),
    }


def subjects(plan: Plan) -> list[tuple[str, list[str], list[Page]]]:
    """Each kind of symbol: its name, what its pages read as, the pages."""
    some = list(sheets(4, plan.seed))
    found = []
    for name, origin in (("29x29", ORIGIN), ("33x33", LONG_ORIGIN)):
        texts = [code_url(origin, sheet.code.token) for sheet in some]
        found.append((name, texts, _rendered(pages_of(some, origin, plan.form), plan.form)))
    long = [long_text(sheet) for sheet in some]
    replaced = []
    for page, text in zip(pages_of(some, ORIGIN, plan.form), long, strict=True):
        symbol = large_symbol(text)
        quiet = SHAPES[plan.form].code_mm / symbol.modules * QUIET_MODULES
        replaced.append(page | {"svg": symbol.svg, "quiet_mm": quiet})
    found.append((OTHER, long, _rendered(replaced, plan.form)))
    return found


def long_text(sheet: Sheet) -> str:
    """About 200 characters, as others put into a poster's code: an address and signed data."""
    rng = np.random.default_rng(sheet.place.id)
    letters = list("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    return "https://e.example.vn?v=1#" + "".join(rng.choice(letters, 175).tolist())


def large_symbol(text: str) -> Symbol:
    """Version 11: 61 modules; at level M as those posters had it."""
    made = segno.make_qr(text, version=11, error="m", mode="byte", boost_error=False)
    rows = np.array([list(row) for row in made.matrix], dtype=np.uint8)
    return Symbol(text, len(rows), paths(rows[None])[0])


def _rendered(pages: Sequence[dict[str, Any]], form: Format) -> list[Page]:
    """Each as pixels, with the middle of its code where a reader finds it."""
    import pypdfium2

    pdf = pages_pdf(pages, form, retention_days=RETENTION_DAYS, tagged=False)
    found = []
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            grey = page.render(scale=_DOTS * 25.4 / 72, grayscale=True).to_numpy().copy()
            (code,) = zxingcpp.read_barcodes(grey)
            corners = code.position
            middle = (
                (corners.top_left.x + corners.bottom_right.x) / 2,
                (corners.top_left.y + corners.bottom_right.y) / 2,
            )
            found.append(Page(grey, _DOTS, middle))
    return found


def _row(name: str, texts: Sequence[str], pages: Sequence[Page], condition: str, plan: Plan) -> Row:
    across = SHAPES[plan.form].code_mm * _MARGIN
    rng = np.random.default_rng([plan.seed, len(condition)])  # the same luck for each symbol
    width_m = SHAPES[plan.form].code_mm / 1_000
    distance, furthest = plan.nearest * width_m, 0.0
    shares = []
    while distance <= plan.furthest * width_m:
        view = replace(CONDITIONS[condition], distance_m=distance)
        read = 0
        for shot in range(plan.shots):
            at = shot % len(pages)
            found = zxingcpp.read_barcodes(photograph(pages[at], across, view, rng))
            read += [barcode.text for barcode in found] == [texts[at]]
        shares.append((round(distance, 3), read / plan.shots))
        if read / plan.shots < plan.enough:
            break
        furthest, distance = distance, distance * plan.step
    modules = int(name.partition("x")[0])
    return Row(name, modules, condition, round(furthest, 3), tuple(shares))
