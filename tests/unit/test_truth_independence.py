"""The simulator's truth and the tracer know nothing of each other."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from issuer.kinds import kinds
from sim.dwell import dwell_of, fingerprint

ROOT = Path(__file__).parents[2]

# Imports a package whole, then names every module of the other and every data file that was read.
_SPY = """
import importlib, pathlib, pkgutil, sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
for package in sys.argv[1].split(","):
    path = importlib.import_module(package).__path__
    for found in pkgutil.walk_packages(path, package + "."):
        importlib.import_module(found.name)
{then}
other = sys.argv[2]
print([name for name in sys.modules if name == other or name.startswith(other + ".")])
print(sorted({{pathlib.Path(f).name for f in opened if f.endswith(".toml") and other in f}}))
"""


def spied(packages: str, other: str, then: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", _SPY.format(then=then), packages, other],
        capture_output=True, text=True, check=True, timeout=60, cwd=ROOT,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_the_tracer_reads_nothing_of_the_simulator() -> None:
    then = (
        "from tracer.parameters import load_parameters; load_parameters()\n"
        "from tracer.ruleset import load_rule_sets; load_rule_sets()\n"
        "from issuer.kinds import kinds; kinds()"
    )
    assert spied("tracer,issuer", "sim", then) == ["[]", "[]"]


def test_the_simulator_reads_nothing_of_the_tracer() -> None:
    then = "from sim.dwell import dwell_of; dwell_of('bus')"
    assert spied("sim", "tracer", then) == ["[]", "[]"]


def test_nothing_of_tracer_or_issuer_names_the_file() -> None:
    for package in ("tracer", "issuer"):
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text("utf-8")
            assert "dwell" not in text, path
            assert not re.search(r"^(from|import) (sim|bench)\b", text, re.M), path


def test_registered_usual_stays_are_not_the_truth() -> None:
    """They come from issuer/data/kinds.toml, which was written without this table."""
    both = [(k.usual_stay, dwell_of(name).median) for name, k in kinds().items() if k.usual_stay]
    assert sum(usual == median for usual, median in both) < len(both) / 4


def test_every_dwell_says_where_it_comes_from() -> None:
    table = tomllib.loads((ROOT / "sim/data/dwell.toml").read_text("utf-8"))
    for kind, row in table.items():
        assert set(row) == {"median", "sigma", "longest", "source"}, kind
        assert 0 < row["median"] < row["longest"], kind
        assert re.match(r"assumption|Bộ luật Lao động|five lessons", row["source"]), kind


def test_the_page_was_made_with_this_truth() -> None:
    assert f"`{fingerprint()}`" in (ROOT / "docs/bench-truth.md").read_text("utf-8")
