"""`docs/inspections.md` says what the code does."""

import re
import shlex
from pathlib import Path
from typing import Any

from console.access import RIGHTS, Right
from console.cli.main import command_tree
from console.inspections.steps import MOST_PHOTOS
from console.store.inspection_photos import MOST_OF_ONE
from console.store.keys import Role
from schemas.inspections import Authority, Ending, Ground, Kind, Mend, Outcome, Result, Says

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "inspections.md").read_text("utf-8")


def test_every_command_and_option_is_there() -> None:
    group: Any = command_tree().commands["inspections"]
    commands = group.commands
    lines = re.findall(r"^truyvet inspections (.+?)(?:  +#.*)?$", GUIDE, re.MULTILINE)
    assert {shlex.split(line)[0] for line in lines} == set(commands)
    for line in lines:
        words = shlex.split(line)
        options = {o for p in commands[words[0]].params for o in (*p.opts, *p.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= options, line


def test_every_step_and_value_is_there() -> None:
    for kind in (Kind, Ground, Result, Mend, Says, Authority, Outcome, Ending):
        for member in kind:
            assert f"`{member}`" in GUIDE, member


def test_the_rights_are_those_of_the_code() -> None:
    mine = {right for right in Right if right.startswith("inspections.")}
    assert all(f"`{right}`" in GUIDE for right in mine)
    holders = {role: mine & rights for role, rights in RIGHTS.items() if mine & rights}
    assert holders == {
        Role.OFFICER: mine,
        Role.ADMIN: {Right.INSPECTIONS_READ},
        Role.DEPARTMENT: {Right.INSPECTIONS_READ, Right.INSPECTIONS_DECIDE},
    }
    assert RIGHTS[Role.OWNER] == frozenset()


def test_the_bounds_are_those_of_the_code() -> None:
    words = {6: "six", 12: "twelve"}
    assert f"at most {words[MOST_PHOTOS]} named by a check" in GUIDE
    assert f"{words[MOST_OF_ONE]} kept for an inspection" in GUIDE
