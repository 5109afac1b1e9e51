"""Every command that a guide shows is there, with the options it is shown with."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from console.cli.main import ROOT_OPTIONS, command_tree

ROOT = Path(__file__).parents[2]
GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_SHOWN = re.compile(r"^(?:TRUYVET_\S+ )?truyvet (.+?)(?:\s{2,}#.*| # .*)?$", re.MULTILINE)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_every_command_of_a_guide_is_there(guide: Path) -> None:
    text = guide.read_text("utf-8")
    blocks = "\n".join(re.findall(r"```(?:sh)?\n(.*?)```", text, re.DOTALL))
    for shown in _SHOWN.findall(blocks):
        for line in shown.split("; truyvet ") if ";" in shown else [shown]:
            _is_there(re.split(r" [|<>&;] ?", line.split(";  ")[0])[0])


def _is_there(line: str) -> None:
    command: Any = command_tree()
    words = [word for word in shlex.split(line.replace("…", "")) if word]
    while words and words[0] in ROOT_OPTIONS:
        words = words[2:]
    while getattr(command, "commands", None):
        assert words, line
        assert words[0] in command.commands, line
        command = command.commands[words.pop(0)]
    known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
    known |= ROOT_OPTIONS | {"--help"}
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in known, line
