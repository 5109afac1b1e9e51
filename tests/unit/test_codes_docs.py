"""`docs/codes.md` says what the code does, and each test that it names is there."""

import re
import shlex
from pathlib import Path
from typing import Any

from console.access import RIGHTS, Right
from console.api.codes_schemas import DEFAULT_OVERLAP_DAYS
from console.cli.main import command_tree
from console.store.keys import Role
from issuer.standing import Standing
from tests.property.test_code_damage import KINDS

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "codes.md").read_text("utf-8")
THREATS = (
    "forged", "copied", "sent on", "replayed", "guessed", "stale", "look-alike host",
    "a card is lost", "a card is photographed", "a card is guessed", "a card for a place",
)  # fmt: skip


def test_each_threat_has_a_test_that_is_there() -> None:
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    rows = re.findall(r"^\| \*\*(.+?)\*\*.* \| (.+) \|$", GUIDE, re.MULTILINE)
    shown = {name: cell for name, cell in rows if "`test_" in cell}
    assert set(THREATS) <= set(shown)
    for name, cell in shown.items():
        named = re.findall(r"`(test_\w+)`", cell)
        assert named, name
        assert all(f"def {test}(" in tests for test in named), name


def test_every_command_and_option_is_there() -> None:
    groups: dict[str, Any] = dict(command_tree().commands)
    lines = re.findall(r"^truyvet (codes|sites) (.+?)(?:  +#.*)?$", GUIDE, re.MULTILINE)
    assert len(lines) > 8
    for group, line in lines:
        words = shlex.split(line)
        command = groups[group].commands[words[0]]
        if words[0] == "keys":
            command = command.commands[words[1]]
        options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= options, line
    assert f"({DEFAULT_OVERLAP_DAYS} days unless" in GUIDE


def test_the_rights_are_named() -> None:
    mine = {Right.PLACES_EDIT, Right.CODES_MANAGE, Right.CODES_VERIFY}
    assert all(f"`{right}`" in GUIDE for right in mine)
    assert {role for role in Role if mine <= RIGHTS[role]} == {Role.OFFICER, Role.ADMIN}
    assert {role for role in Role if Right.CODES_VERIFY in RIGHTS[role]} == {
        Role.OFFICER,
        Role.ADMIN,
        Role.EPIDEMIOLOGIST,
        Role.DEPARTMENT,
    }
    assert f"`{Standing.OTHER_HOST}`" in GUIDE


def test_the_table_of_damages_is_that_of_the_test() -> None:
    rows = re.findall(r"^\| .+ \| ([\d,]+) \| ([\d,]+) \|$", GUIDE, re.MULTILINE)
    counts = [tuple(int(cell.replace(",", "")) for cell in row) for row in rows]
    assert counts == list(KINDS.values())
