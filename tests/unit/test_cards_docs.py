"""`docs/cards.md` says what the code does."""

import re
import shlex
from pathlib import Path
from typing import Any

from console.access import RIGHTS, Right
from console.cli.main import command_tree
from console.gateway.cards import KNOWN_S
from console.gateway.schemas import CARD_SENTENCES, CardReason
from console.store.keys import Role
from issuer.card_print import CODE_MM, Layout
from issuer.cards import CARD_LENGTH

GUIDE = (Path(__file__).parents[2] / "docs" / "cards.md").read_text("utf-8")


def test_every_command_and_option_is_there() -> None:
    group: Any = command_tree().commands["cards"]
    commands = group.commands
    lines = re.findall(r"^truyvet cards (.+?)(?:  +#.*)?$", GUIDE, re.MULTILINE)
    for line in lines:
        words = shlex.split(line)
        options = {option for p in commands[words[0]].params for option in p.opts}
        assert {word for word in words if word.startswith("--")} <= options, line
    assert {shlex.split(line)[0] for line in lines} == set(commands)


def test_what_is_refused_printed_and_allowed_is_named() -> None:
    assert all(f"| `{reason}` |" in GUIDE for reason in CardReason)
    assert set(CARD_SENTENCES) == set(CardReason)
    assert all(f"| `{layout}` |" in GUIDE for layout in Layout)
    assert f"`{Right.CARDS_MANAGE}`" in GUIDE
    assert {r for r in Role if Right.CARDS_MANAGE in RIGHTS[r]} == {Role.OFFICER, Role.ADMIN}
    assert f"{CODE_MM // 10} × {CODE_MM // 10} cm" in GUIDE
    assert f"is {CARD_LENGTH} characters" in GUIDE
    assert KNOWN_S == 1, "remembered for a second"
