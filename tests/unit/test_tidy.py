"""The source tree itself: what a reader would trip over."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "issuer", "tracer", "streams", "console", "sim", "bench", "deploy")
SOURCES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines()]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_has_a_docstring_and_one_reason_to_change(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith('"""'), "says what it is for"
    assert text.count("\n") <= 300, "about 250 lines is plenty"


def test_nothing_is_left_for_later() -> None:
    unfinished = re.compile(r"TODO|FIXME|XXX|NotImplementedError|pytest\.skip|mark\.skip|xfail")
    for path in SOURCES + sorted((ROOT / "tests").rglob("*.py")):
        if path.name != "test_tidy.py":
            assert not unfinished.search(path.read_text("utf-8")), path


def test_no_path_of_a_machine_and_no_registrys_address() -> None:
    forbidden = re.compile(
        r"/(work|farm|root)/|https?://[a-z0-9.-]*(pypi|maven|npmjs|debian|crates|golang)"
    )
    for path in _tracked():
        text_file = path.suffix in {".py", ".md", ".toml", ".txt", ".lock", ".sql", ""}
        if text_file and path.is_file() and path.name != "test_tidy.py":
            assert not forbidden.search(path.read_text("utf-8", "replace")), path


def test_what_a_person_is_told_is_said_in_both_languages() -> None:
    said_to_people = {"UserError", "StackError", "Conflict", "NotFound"}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            parts = (part for given in node.args for part in ast.walk(given))
            text = " ".join(
                p.value for p in parts if isinstance(p, ast.Constant) and type(p.value) is str
            )
            if node.func.id in said_to_people and len(re.findall(r"[^\W\d_]{2,}", text)) > 2:
                assert " / " in text, f"{path}:{node.lineno}: {text}"


def test_the_core_takes_no_clock_and_no_chance() -> None:
    taken = re.compile(r"datetime\.now|utcnow|time\.time\(|uuid[147]\(|\brandom\.")
    for package in ("tracer", "schemas", "issuer"):
        for path in (ROOT / package).rglob("*.py"):
            assert not taken.search(path.read_text("utf-8")), path
