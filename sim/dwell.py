"""How long people stay, by kind of place: `data/dwell.toml`."""

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Dwell:
    """Lognormal: median and longest in minutes, sigma of the logarithm."""

    median: float
    sigma: float
    longest: float


@cache
def _table() -> dict[str, Dwell]:
    text = (files("sim") / "data" / "dwell.toml").read_text(encoding="utf-8")
    return {
        kind: Dwell(float(row["median"]), float(row["sigma"]), float(row["longest"]))
        for kind, row in tomllib.loads(text).items()
        if isinstance(row, dict)
    }


def dwell_of(kind: str) -> Dwell:
    """The dwell of a kind, or of `other`."""
    table = _table()
    return table.get(kind, table["other"])


def fingerprint() -> str:
    """Of all numbers in the table, whatever is written beside them: changed truth, other digits."""
    rows = [
        f"{kind} {d.median:g} {d.sigma:g} {d.longest:g}" for kind, d in sorted(_table().items())
    ]
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]
