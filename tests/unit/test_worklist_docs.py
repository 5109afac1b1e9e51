"""`docs/working-the-list.md` and `docs/exports.md` say what the code does."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from console.access import RIGHTS, Right
from console.cli.main import command_tree
from console.exports.columns import COLUMNS
from console.exports.sormas import FORMATS, SORMAS_COLUMNS
from console.exports.xlsxfile import MOST_ROWS
from console.store.keys import Role
from console.worklist import axes, duplicates
from console.worklist.followup import DAYS

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "working-the-list.md").read_text("utf-8")
EXPORTS = (DOCS / "exports.md").read_text("utf-8")


def test_every_column_is_documented_in_both_languages_in_order() -> None:
    table = EXPORTS.partition("## Columns")[2].partition("## SORMAS")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", table, re.MULTILINE)
    assert rows == [(column.key, column.vi, column.en) for column in COLUMNS]


def test_every_column_of_sormas_is_documented_with_where_it_was_read() -> None:
    table = EXPORTS.partition("## SORMAS's contact import")[2]
    rows = re.findall(r"^\| (`.+?`) \| .+ \| ([TLD].*) \|$", table, re.MULTILINE)
    named = [name for cell, _ in rows for name in re.findall(r"`([\w.]+)`", cell)]
    assert sorted(named) == sorted(SORMAS_COLUMNS)
    assert all(f"`{dates}`" in EXPORTS or f"--dates {dates}" in EXPORTS for dates in FORMATS)
    assert f"{MOST_ROWS:,}" in EXPORTS


def test_every_value_of_the_axes_is_named_and_has_words() -> None:
    for values, words in (
        (axes.Classification, axes.CLASSIFICATIONS),
        (axes.Status, axes.STATUSES),
        (axes.FollowUp, axes.FOLLOW_UPS),
        (axes.Category, axes.CATEGORIES),
    ):
        assert set(words) == set(values)
        assert all(f"`{value}`" in GUIDE for value in values)
    assert set(axes.REACHABILITIES) == {*axes.Reachability, "NOT_TRIED"}
    assert set(axes.RESULTS) == set(axes.VisitResult)
    assert set(axes.ANSWERS) == set(axes.Answer)
    assert DAYS == 14
    assert f"within {duplicates.WITHIN_S:.0f} seconds" in GUIDE
    assert f"at least {100 * duplicates.LEAST_SHARE:.0f} %" in GUIDE
    assert f"more than {duplicates.CROWD} in" in GUIDE


def test_the_rights_are_named() -> None:
    for right in Right:
        if right.value.startswith("list."):
            assert f"`{right}`" in GUIDE
    mine = {right.value for right in RIGHTS[Role.OFFICER] if right.value.startswith("list.")}
    assert mine == {"list.read", "list.work", "list.hand_over"}


@pytest.mark.parametrize("page", [GUIDE, EXPORTS])
def test_every_command_and_option_is_there(page: str) -> None:
    group: Any = command_tree().commands["list"]
    lines = re.findall(r"^truyvet list (.+?)(?:  +#.*)?$", page, re.MULTILINE)
    assert lines
    for line in lines:
        words = shlex.split(line.replace("[", "").replace("]", "").replace("…", "x"))
        options = {o for p in group.commands[words[0]].params for o in (*p.opts, *p.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= options, line
