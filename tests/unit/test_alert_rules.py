"""Alert rules: promtool tries them, their metrics exist, and each has its page."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from schemas.metrics import METRICS

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
CASES = sorted((PROMETHEUS / "tests").glob("*.yml"))
HISTOGRAM_PARTS = ("_bucket", "_sum", "_count")
OPERATIONS = {
    "RejectShareHigh", "PartitionStopped", "IngestLagging", "EngineAway", "ProducerSilent",
    "ProducerNoisy",
}  # fmt: skip


class Rule(NamedTuple):
    name: str
    expression: str
    text: str


def _rules() -> list[Rule]:
    rules = []
    for path in RULES:
        for text in path.read_text("utf-8").split("- alert: ")[1:]:
            found = re.search(r"expr: \|\n(.*?)\n {8}(?:for|labels):", text, re.DOTALL)
            assert found is not None, text
            rules.append(Rule(text.split("\n", 1)[0], found[1], text))
    return rules


ALL = _rules()


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run promtool. Nothing is skipped where there is none: rules nobody tried are no rules."""
    beside = Path(sys.executable).parent  # where `make check` puts it
    program = shutil.which("promtool", path=str(beside)) or shutil.which("promtool")
    assert program, "promtool is needed: `make check` fetches it (Debian's package `prometheus`)"
    command = [program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_promtool_tries_the_rules_and_finds_them_right() -> None:
    checked = promtool("check", "rules", *RULES)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tried = promtool("test", "rules", *CASES)
    assert tried.returncode == 0, tried.stdout + tried.stderr


def test_the_cases_see_a_rule_that_never_fires(tmp_path: Path) -> None:
    shutil.copytree(PROMETHEUS, tmp_path / "prometheus")
    for path in (tmp_path / "prometheus" / "rules").glob("*.yml"):
        text = path.read_text("utf-8")
        for rule in ALL:
            assert rule.expression in text
            text = text.replace(rule.expression, "          vector(0) > 1")
        path.write_text(text, "utf-8")
    tried = promtool("test", "rules", tmp_path / "prometheus" / "tests" / "ingest.yml")
    assert tried.returncode != 0
    missed = set(re.findall(r"alertname: (\w+)", tried.stdout + tried.stderr))
    assert missed >= OPERATIONS - {"ProducerSilent"}


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_a_rule_has_a_case_that_fires_and_one_that_does_not(rule: Rule) -> None:
    cases = "\n".join(path.read_text("utf-8") for path in CASES)
    expected = re.findall(rf"alertname: {rule.name}\n +exp_alerts:( \[\])?", cases)
    assert " []" in expected
    assert "" in expected


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_a_rule_names_only_metrics_and_labels_of_the_closed_list(rule: Rule) -> None:
    known = {definition.name: set(definition.labels) for definition in METRICS}
    for definition in METRICS:
        if definition.kind == "histogram":
            known |= {f"{definition.name}{p}": {*definition.labels, "le"} for p in HISTOGRAM_PARTS}
    used = re.findall(r"\b([a-z]\w+)(?:\{([^}]*)\})?(?=[\[)\s]|$)", rule.expression)
    metrics = [(name, labels) for name, labels in used if name.startswith("truyvet_")]
    assert metrics
    for name, labels in metrics:
        assert name in known, name
        assert set(re.findall(r"(\w+)!?[=~]", labels)) <= known[name]
    grouped = set(re.findall(r"\bby \((\w+)\)", rule.expression))
    assert grouped <= set().union(*(known[name] for name, _ in metrics))


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_a_rule_speaks_both_languages_and_has_its_page(rule: Rule) -> None:
    assert re.search(r"severity: (info|warning|critical)\n", rule.text)
    for annotation in ("summary", "description"):
        found = re.search(rf"{annotation}: >-\n((?: {{12}}.*\n)+)", rule.text)
        assert found is not None, annotation
        vietnamese, slash, english = " ".join(found[1].split()).partition(" / ")
        assert slash, annotation
        assert not vietnamese.isascii(), vietnamese
        assert english.isascii(), english
    page = re.search(r"runbook: (\S+)", rule.text)
    assert page is not None
    assert page[1] == f"docs/runbook/{rule.name}.md"
    text = (ROOT / page[1]).read_text("utf-8")
    assert text.startswith(f"# {rule.name}\n")
    assert "\n## Look\n" in text
    assert "\n## Do\n" in text


def test_operations_are_told_of_what_matters_and_no_page_is_left_over() -> None:
    names = {rule.name for rule in ALL}
    assert names >= OPERATIONS
    ingest = {path.stem for path in (ROOT / "docs" / "runbook").glob("*.md")}
    assert ingest == names


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "runbook").glob("*.md")))
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (page.parent / link).resolve().exists(), link
    known = {definition.name for definition in METRICS}
    assert set(re.findall(r"\btruyvet_\w+", text)) <= known
