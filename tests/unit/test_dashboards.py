"""The dashboards: as they are described, sound for Grafana, and of metrics that exist."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from deploy.grafana.build import BOARDS, DIRECTORY, files
from deploy.grafana.panels import WIDTH, Board
from tests.unit.test_alert_rules import ROOT, promtool, unknown_in

COMPOSED = ROOT / "deploy" / "compose" / "prometheus.yml"
SHOWN = [json.loads(text) for text in files().values()]


def _panels(board: dict[str, Any]) -> list[tuple[dict[str, Any], list[str]]]:
    return [(panel, [t["expr"] for t in panel["targets"]]) for panel in board["panels"]]


def test_the_files_are_those_of_the_descriptions() -> None:
    written = {path.name: path.read_text("utf-8") for path in DIRECTORY.glob("*.json")}
    assert written == files(), "run `python -m deploy.grafana.build` and review the change"


@pytest.mark.parametrize("board", SHOWN, ids=lambda board: board["uid"])
def test_grafana_can_read_it(board: dict[str, Any]) -> None:
    assert board["schemaVersion"] >= 36
    assert re.fullmatch(r"[a-z-]{1,40}", board["uid"])
    variables = [v["name"] for v in board["templating"]["list"]]
    assert variables[0] == "datasource"
    assert board["templating"]["list"][0]["type"] == "datasource"
    ids = [panel["id"] for panel, _ in _panels(board)]
    assert len(ids) == len(set(ids)) >= 8
    taken: set[tuple[int, int]] = set()
    for panel, expressions in _panels(board):
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= WIDTH
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        taken |= cells
        assert expressions
        assert panel["datasource"]["uid"] == "${datasource}"
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])
        assert len({t["refId"] for t in panel["targets"]}) == len(panel["targets"])
        for name in re.findall(r"\$(\w+)", " ".join(expressions)):
            assert name in variables


def test_uids_and_titles_are_of_one_board_each() -> None:
    assert len({board.uid for board in BOARDS}) == len(BOARDS) == 4
    assert [board.en for board in BOARDS] == [
        "Is the city being scanned?", "Is the pipeline well?", "Are cases answered?", "One worker",
    ]  # fmt: skip


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_each_panel_says_what_good_looks_like_in_both_languages(board: Board) -> None:
    titles = [panel.title for panel in board.panels]
    assert len(titles) == len(set(titles))
    for panel in board.panels:
        assert panel.good_vi.endswith(".")
        assert panel.good_en.endswith(".")
        assert panel.good_en.isascii()
        assert panel.en.isascii()


@pytest.mark.parametrize("board", SHOWN, ids=lambda board: board["uid"])
def test_a_panel_names_only_what_is_exported(board: dict[str, Any]) -> None:
    for panel, expressions in _panels(board):
        for expression in expressions:
            if re.search(r"\bprocess_", expression):
                known = "process_(cpu_seconds_total|resident_memory_bytes|open_fds|max_fds)"
                assert re.search(known, expression), panel["title"]
            else:
                assert not unknown_in(expression), panel["title"]


def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    expressions = [e for board in SHOWN for _, asked in _panels(board) for e in asked]
    rules = [
        {"record": f"panel:{n}", "expr": e.replace("$instance", ".*")}
        for n, e in enumerate(expressions)
    ]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}), "utf-8")
    checked = promtool("check", "rules", file)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_jobs_that_the_dashboards_name_are_scraped() -> None:
    scraped = COMPOSED.read_text("utf-8")
    for name in re.findall(r'job="([^"]+)"', "".join(files().values()).replace("\\", "")):
        assert f"job_name: {name}\n" in scraped
