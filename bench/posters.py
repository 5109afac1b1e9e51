"""`truyvet bench posters`: pages a second on two cores beside the plain segno + reportlab loop.

Both print the same places in the same run, one after the other, each alone. truyvet does all that
`truyvet posters` does: symbols, every one read back by zxing-cpp, index sheets, parts written and
renamed, files joined; from the first sheet to the last rename, starting its processes included.
"""

import resource
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import orjson

from bench.environments import FOLDER, environment, pins, variables
from bench.posters_city import ORIGIN, RETENTION_DAYS, said, sheets
from bench.processes import speak
from bench.report import machine, ratio
from issuer.formats import Format
from issuer.printing.order import Order, Packing
from issuer.printing.run import print_set
from issuer.typesetting import FONT_PACKAGE
from schemas.errors import UserError

Say = Callable[[str], None]
WANTED: Final = 3.0
_PEER: Final = "reportlab"
_TIMEOUT_S: Final = 3_600


@dataclass(frozen=True)
class Plan:
    """How much: `naive_pages` are printed by the plain loop, whose time grows with each alike."""

    pages: int = 10_000
    naive_pages: int = 1_000
    workers: int = 2
    packing: Packing = Packing.PDF
    seed: int = 7


@dataclass(frozen=True)
class Ours:
    """What truyvet took. Memory is the most resident at any time: this process, a child."""

    pages: int
    seconds: float
    pages_per_s: float
    bytes_per_page: float
    files: int
    parent_peak_mb: float
    child_peak_mb: float

    @property
    def printing_mb(self) -> float:
        """Of a process that prints; a single piece is printed by this one."""
        return self.child_peak_mb or self.parent_peak_mb


def run(own: Path, plan: Plan, say: Say) -> dict[str, Any]:
    """The result as one object. `own` is an empty directory for it. Raises UserError."""
    small, large = (
        ours(own / f"ours-{pages}", pages, plan, say) for pages in (plan.pages // 4, plan.pages)
    )
    naive, failure = _naive(own, plan, say)
    rate = naive["pages"] / naive["seconds"] if naive else None
    return {
        "pages": plan.pages,
        "pages_per_s": large.pages_per_s,
        "ratio_to_naive": ratio(large.pages_per_s, rate),
        "memory_growth": round(large.printing_mb / small.printing_mb, 3),
        "naive": {"pages_per_s": rate and round(rate, 1), "failure": failure, **naive},
        "quarter": asdict(small),
        "whole": asdict(large),
        "workers": plan.workers,
        "packing": plan.packing.value,
        "machine": dict(machine()),
        "peer": pins(_PEER),
    }


def ours(folder: Path, pages: int, plan: Plan, say: Say) -> Ours:
    """Print so many, as the command does. Raises UserError."""
    say(f"truyvet: {pages} pages, {plan.workers} processes")
    folder.mkdir(parents=True)
    order = Order("Hải Phòng", Format.A4, ORIGIN, RETENTION_DAYS, plan.packing)
    targets = [folder / f"{n}.{plan.packing}" for n in range(order.files(pages))]
    found = list(sheets(pages, plan.seed))  # not ours to measure: they come from a database
    begin = time.perf_counter()
    printed = print_set(order, found, pages, targets, workers=plan.workers)
    seconds = time.perf_counter() - begin
    shutil.rmtree(folder)
    return Ours(
        pages,
        round(seconds, 3),
        round(pages / seconds, 1),
        round(printed.size / pages, 1),
        len(printed.files),
        _peak_mb(resource.RUSAGE_SELF),
        _peak_mb(resource.RUSAGE_CHILDREN),
    )


def _naive(own: Path, plan: Plan, say: Say) -> tuple[dict[str, Any], str]:
    """What the plain loop says of itself, or why it could not run."""
    spec = find_spec(FONT_PACKAGE)
    try:
        if spec is None or spec.origin is None:
            raise UserError(
                "Máy chưa có phông chữ của áp phích. / "
                "The typeface of the posters is not installed."
            )
        python = environment(_PEER, say)
        say(f"segno + reportlab: {plan.naive_pages} pages, one process")
        pages = own / "pages.jsonl"
        with pages.open("wb") as file:
            for sheet in sheets(plan.naive_pages, plan.seed):
                file.write(orjson.dumps(said(sheet), option=orjson.OPT_APPEND_NEWLINE))
        fonts = str(Path(spec.origin).parent / "files")
        command = [str(python), str(FOLDER / "run_reportlab.py"), str(pages), fonts]
        return dict(speak([*command, str(own / "naive.pdf")], _PEER, _TIMEOUT_S, variables(1))), ""
    except UserError as error:
        return {}, str(error)


def _peak_mb(who: int) -> float:
    return round(resource.getrusage(who).ru_maxrss / 1024, 1)
