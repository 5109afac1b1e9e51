"""Alert rules: promtool tries them, their metrics exist, and each has its page."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from console.cli.main import command_tree
from console.logbook.words import WORDS
from schemas.metrics import METRICS
from schemas.settings import PREFIX, Settings
from tests.prometheus import program

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
CASES = sorted((PROMETHEUS / "tests").glob("*.yml"))
HISTOGRAM_PARTS = ("_bucket", "_sum", "_count")
OPERATIONS = {
    "RejectShareHigh", "RejectReasonHigh", "PartitionStopped", "IngestLagging", "EngineAway",
    "ProducerSilent", "ProducerNoisy", "WardQuiet", "InsertsFailing", "TraceSlow", "OutboxStuck",
    "CasesNotPickedUp", "DiskFilling", "ClockSkewed", "CertificateEnding", "CodesEnding",
    "ScansLateFast", "ScansLateSlow", "CasesLate",
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


def _recorded() -> dict[str, str]:
    """The expression of each recorded series."""
    text = (PROMETHEUS / "rules" / "recorded.yml").read_text("utf-8")
    found = re.findall(r"- record: (\S+)\n +expr: \|\n(.*?)(?=\n +- record|\Z)", text, re.DOTALL)
    return dict(found)


COMMANDS = command_tree()
ALL = _rules()
RECORDED = _recorded()


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run promtool."""
    command = [program("promtool"), *map(str, arguments)]
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
            text = text.replace(rule.expression, "          vector(0) > 1")
        path.write_text(text, "utf-8")
    tried = promtool("test", "rules", *(tmp_path / "prometheus" / "tests").glob("*.yml"))
    assert tried.returncode != 0
    missed = set(re.findall(r"alertname: (\w+)", tried.stdout + tried.stderr))
    assert missed == {rule.name for rule in ALL}


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_a_rule_has_cases_in_which_it_fires_does_not_and_clears(rule: Rule) -> None:
    cleared = []
    for path in CASES:
        for case in re.split(r"\n  - name: ", path.read_text("utf-8"))[1:]:
            looks = re.findall(rf"alertname: {rule.name}\n +exp_alerts:( \[\])?", case)
            silent = [look == " []" for look in looks]
            cleared.append(silent[:1] == [True] and silent[-1:] == [True] and False in silent)
    assert any(cleared), "one case: it does not fire yet, it fires, it clears"


@pytest.mark.parametrize("name", [*RECORDED, *(rule.name for rule in ALL)])
def test_a_rule_names_only_metrics_and_labels_of_the_closed_list(name: str) -> None:
    expressions = RECORDED | {rule.name: rule.expression for rule in ALL}
    assert not unknown_in(expressions[name])


def unknown_in(expression: str) -> set[str]:
    """Metrics, recorded series and labels that nobody exports."""
    known = {definition.name: set(definition.labels) for definition in METRICS}
    for definition in METRICS:
        if definition.kind == "histogram":
            known |= {f"{definition.name}{p}": {*definition.labels, "le"} for p in HISTOGRAM_PARTS}
    for name, recorded in RECORDED.items():
        known[name] = set(re.findall(r"^ *sum by \((\w+)\)", recorded))
    used = re.findall(r"\b(truyvet[_:][\w:]+)(?:\{([^}]*)\})?", expression)
    assert used
    wrong = {name for name, _ in used if name not in known}
    labels = {"instance", "job"}.union(*(known[name] for name, _ in used if name in known))
    for name, selector in used:
        wrong |= (
            set(re.findall(r"(\w+)!?[=~]", selector)) - known.get(name, set()) - {"job", "instance"}
        )
    for grouped in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression):
        wrong |= set(filter(None, re.split(r",\s*", grouped))) - labels
    return wrong


def test_a_name_that_nobody_exports_is_seen() -> None:
    assert unknown_in("max by (partition) (truyvet_lag_minutes)") == {
        "truyvet_lag_minutes",
        "partition",
    }
    assert unknown_in('truyvet_lag_seconds{ward="1"}') == {"ward"}
    assert unknown_in("truyvet:nothing:rate5m > 0") == {"truyvet:nothing:rate5m"}


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
    assert "\n## Over\n" in text


def test_operations_are_told_of_what_matters_and_no_page_is_left_over() -> None:
    names = {rule.name for rule in ALL}
    assert names >= OPERATIONS
    pages = {path.stem for path in (ROOT / "docs" / "runbook").glob("*.md")}
    assert pages == names


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "runbook").glob("*.md")))
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (page.parent / link).resolve().exists(), link
    known = {definition.name for definition in METRICS} | set(RECORDED)
    named = set(re.findall(r"\btruyvet[_:]\w[\w:]*", text)) - {"truyvet_backlog_"}
    assert named <= known


def not_typed(command: Any, words: list[str]) -> list[str]:
    """What a command cannot be without and is not given."""
    options = {o: p for p in command.params for o in (*p.opts, *p.secondary_opts)}
    given, rest = set(), 0
    left = iter(words)
    for word in left:
        if word.startswith("--"):
            given.add(options[word].name)
            if not options[word].is_flag:
                assert next(left, None), f"{word} wants a value"
        else:
            rest += 1
    needed = [p for p in command.params if p.required]
    arguments = [p.name for p in needed if p.param_type_name == "argument"]
    return arguments[rest:] + [
        p.name for p in needed if p.param_type_name == "option" and p.name not in given
    ]


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "runbook").glob("*.md")))
def test_what_a_page_tells_to_type_can_be_typed(page: Path) -> None:
    for typed in re.findall(r"`truyvet ([^`]+)`", page.read_text("utf-8")):
        command: Any = COMMANDS
        words = typed.split()
        while getattr(command, "commands", {}):
            assert words, f"a command of which? {typed}"
            assert words[0] in command.commands, f"no such command: {typed}"
            command = command.commands[words.pop(0)]
        assert not_typed(command, words) == [], typed
        if "--event" in words:
            assert words[words.index("--event") + 1] in WORDS, typed
        if typed.startswith("dlq replay"):
            assert {"--reason", "--all"} & set(words), typed


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "runbook").glob("*.md")))
def test_the_settings_of_a_page_are_settings(page: Path) -> None:
    for name in re.findall(rf"\b{PREFIX}([A-Z_]+)", page.read_text("utf-8")):
        assert name.lower() in Settings.model_fields, name
