"""`truyvet bench truth`: proposed contacts against who was really there, beside simpler rules.

Nothing is started: cities are simulated in memory, scanned in several settings, and traced by
`tracer.trace.trace`. A contact is a person: found at all, wherever and however often.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from bench.truth_cases import MEASURES, METHODS, OURS, Scores, answered, cases_of, scene_of
from bench.truth_city import City, Setting, make_city
from bench.truth_confidence import (
    Group,
    as_if,
    brier,
    by_band,
    by_confidence,
    judged,
    off_by,
)
from bench.truth_rules import BASELINES
from bench.truth_score import Score, scores_of
from sim.dwell import fingerprint
from tracer.parameters import Parameters, load_parameters
from tracer.ruleset import RuleSet, load_rule_sets

Say = Callable[[str], None]
Step = Callable[[float], None]
RULE_SET: Final = "vn-2021-12-29"
BEFORE: Final = "stays-2026-11.toml"  # the assumptions that were there before anything was fitted
DEFAULT: Final = Setting(0.9, 0.7)  # as `sim.scans.Habits` has it
GRID: Final = tuple(Setting(i, o) for i in (1.0, 0.8, 0.5) for o in (0.7, 0.3, 0.0))
# What was assumed may be wrong: people stay shorter or longer, and usual stays are not registered.
STRESS: Final = (
    Setting(0.9, 0.7, dwell=0.67),
    Setting(0.9, 0.7, dwell=1.5),
    Setting(0.9, 0.7, unknown=0.4),
    Setting(0.9, 0.7, asked=True),
)
EVERYBODY: Final = Setting(1.0, 1.0)
EVERYBODY_FINDS: Final = 0.97  # where all is scanned, less than this says the benchmark is wrong


@dataclass(frozen=True)
class Plan:
    """Cities of `people`, `cases` in each."""

    seeds: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    people: int = 4_000
    cases: int = 30
    settings: tuple[Setting, ...] = (DEFAULT, *GRID, *STRESS, EVERYBODY)
    seed: int = 7  # of the bootstrap

    @property
    def steps(self) -> int:
        """How many cases are traced in all."""
        return len(self.seeds) * self.cases * len(self.settings)


SHORT: Final = Plan(seeds=(1,), people=800, cases=6, settings=(DEFAULT, GRID[0], EVERYBODY))


@dataclass(frozen=True)
class Cell:
    """One setting: scores by measure and method, and its exposures as `judged`."""

    setting: Setting
    cases: int
    real: int  # contacts, over all cases
    scores: Mapping[str, Mapping[str, Score]]
    exposures: pl.DataFrame

    @property
    def table(self) -> Mapping[str, Score]:
        """By the measure of the table."""
        return self.scores[next(iter(MEASURES))]


@dataclass(frozen=True)
class Result:
    """What was found, with what."""

    plan: Plan
    parameters: Parameters
    before: Parameters
    cells: tuple[Cell, ...]

    def cell(self, setting: Setting) -> Cell:
        """The cell of a setting that was in the plan."""
        return next(cell for cell in self.cells if cell.setting == setting)

    @property
    def unseen(self) -> pl.DataFrame:
        """The exposures of every setting that keeps to `sim/data/dwell.toml`."""
        kept = [cell.exposures for cell in self.cells if cell.setting.dwell == 1]
        return pl.concat(kept)

    def reliability(self, parameters: Parameters) -> list[Group]:
        """Of all unseen exposures, as if confidence came from `parameters`."""
        return by_confidence(as_if(self.unseen, parameters), self.plan.seed)

    def bands(self) -> list[Group]:
        """The three bands of all unseen exposures."""
        return by_band(as_if(self.unseen, self.parameters), self.plan.seed)

    def better(self) -> list[tuple[Setting, str, str, Score]]:
        """Where a baseline has the higher F-measure: setting, measure, baseline, score."""
        return [
            (cell.setting, measure, name, scores[name])
            for cell in self.cells
            for measure, scores in cell.scores.items()
            for name in BASELINES
            if scores[name].better_than_ours
        ]

    @property
    def passed(self) -> bool:
        """No baseline is better beyond noise at the default, and all is found where all scan."""
        best = self.cell(DEFAULT).table
        return self.all_found and not any(best[name].better_beyond_noise for name in BASELINES)

    @property
    def all_found(self) -> bool:
        """Where everybody scans in and out, nearly nobody is missed or named for nothing."""
        return self.cell(EVERYBODY).table[OURS].f >= EVERYBODY_FINDS

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        default = self.cell(DEFAULT).table
        best = max(BASELINES, key=lambda name: default[name].f)
        return {
            "rule_set": RULE_SET,
            "parameters": self.parameters.id,
            "dwell": fingerprint(),
            "seeds": list(self.plan.seeds),
            "people_a_city": self.plan.people,
            "cases_a_city": self.plan.cases,
            "contact_is": "a person at the same place and time, gates aside",
            "default": {
                "setting": DEFAULT.key,
                **default[OURS].record(),
                "best_baseline": best,
                "best_baseline_f": round(default[best].f, 4),
            },
            "settings": [_cell(cell) for cell in self.cells],
            "a_baseline_is_better": [
                {
                    "setting": setting.key,
                    "measure": measure,
                    "baseline": name,
                    "beyond_noise": score.better_beyond_noise,
                    "truyvet_ahead": score.record()["truyvet_ahead"],
                }
                for setting, measure, name, score in self.better()
            ],
            "confidence": self._confidence(),
            "passed": self.passed,
        }

    def _confidence(self) -> dict[str, Any]:
        found = {}
        for name, parameters in (("now", self.parameters), ("before", self.before)):
            rows = as_if(self.unseen, parameters)
            groups = by_confidence(rows, self.plan.seed)
            found[name] = {
                "parameters": parameters.id,
                "off_by": round(off_by(groups), 4),
                "brier": round(brier(rows), 4),
                "groups": [group.record() for group in groups],
            }
        return {
            **found,
            "exposures": self.unseen.height,
            "ranges": {name: list(r) for name, r in ranges(self.parameters).items()},
            "bands": [group.record() for group in self.bands()],
            "off_by_setting": {
                cell.setting.key: round(off_by(by_confidence(cell.exposures, self.plan.seed)), 4)
                for cell in self.cells
            },
        }


def ranges(parameters: Parameters) -> dict[str, tuple[float, float]]:
    """From and to of each band, as probabilities."""
    high, medium = parameters.bands.high, parameters.bands.medium
    return {"high": (high, 1.0), "medium": (medium, high), "low": (0.0, medium)}


def _cell(cell: Cell) -> dict[str, Any]:
    s = cell.setting
    return {
        "setting": s.key,
        "scan_in": s.scan_in,
        "scan_out": s.scan_out,
        "unknown_usual_stays": s.unknown,
        "stays_times": s.dwell,
        "asked": s.asked,
        "cases": cell.cases,
        "real_contacts": cell.real,
        "methods": {
            measure: {name: scores[name].record() for name in METHODS}
            for measure, scores in cell.scores.items()
        },
    }


def rule_set() -> RuleSet:
    """The one whose window the cases have."""
    return next(r for r in load_rule_sets() if r.id == RULE_SET)


def run(plan: Plan, say: Say, step: Step) -> Result:
    """All settings over all cities. `step` is told how many cases are done."""
    parameters, rules = load_parameters(), rule_set()
    scores: dict[Setting, list[Scores]] = {setting: [] for setting in plan.settings}
    exposures: dict[Setting, list[pl.DataFrame]] = {setting: [] for setting in plan.settings}
    done = 0
    for seed in plan.seeds:
        say(f"city {seed}: {plan.people} people")
        cities: dict[float, City] = {}
        for setting in plan.settings:
            if setting.dwell not in cities:
                cities[setting.dwell] = make_city(seed, plan.people, setting.dwell)
            city = cities[setting.dwell]
            scene, cases = scene_of(city, setting), cases_of(city, plan.cases, rules)
            for one in answered(scene, cases, parameters, rules):
                scores[setting].append(one.scores)
                exposures[setting].append(judged(city, one.case, one.exposures))
                done += 1
                step(done)
    say("intervals")
    cells = tuple(
        _as_cell(setting, scores[setting], pl.concat(exposures[setting]), plan.seed)
        for setting in plan.settings
    )
    return Result(plan, parameters, load_parameters(BEFORE), cells)


def _as_cell(setting: Setting, cases: list[Scores], exposures: pl.DataFrame, seed: int) -> Cell:
    counts = [case[OURS][next(iter(MEASURES))] for case in cases]
    return Cell(
        setting=setting,
        cases=len(cases),
        real=sum(c.hit + c.missed for c in counts),
        scores={measure: scores_of(cases, measure, seed) for measure in MEASURES},
        exposures=exposures,
    )
