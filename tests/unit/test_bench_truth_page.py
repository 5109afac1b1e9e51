"""The docs page of `truyvet bench truth`: a new parameter file or plan asks for a new run of it."""

import re
from pathlib import Path

from bench.truth import Plan
from bench.truth_report import BEGIN, END
from tracer.parameters import load_parameters

PAGE = Path(__file__).parents[2] / "docs/bench-truth.md"


def test_the_page_is_of_the_default_plan_and_gives_every_cause() -> None:
    text = PAGE.read_text("utf-8")
    made = text.partition(BEGIN)[2].partition(END)[0]
    plan = Plan()
    assert f"Parameters `{load_parameters().id}`" in made
    assert f"{len(plan.seeds)} cities of {plan.people:,}".replace(",", " ") in made
    for setting in plan.settings:
        assert f"| {setting.key} |" in made
    table = made.partition("### Where another rule is better")[2].partition("###")[0]
    causes = text.partition("## Causes")[2]
    for line in re.findall(r"^\| (in .*) \|$", table, re.M):
        setting, measure, rule = line.split(" | ")[:3]
        said = [p for p in causes.split("\n- ") if setting in p and rule in p and measure in p]
        assert said, f"no cause is given for {rule} in {setting}, {measure}"
