"""What is mistyped is said in both languages; the help names every command, in order of work."""

import pytest

from console.cli.helping import PANELS
from console.cli.main import command_tree, main


@pytest.mark.parametrize(
    ("arguments", "vi", "en"),
    [
        ("sites show abc", "SITE: phải là số nguyên", "SITE: it must be a whole number"),
        ("sites show", "thiếu SITE", "SITE is missing"),
        ("sites show 1 2", "thừa: 2", "one too many: 2"),
        ("posters --place 1", "thiếu --out", "--out is missing"),
        ("posters --place 1 --format b5 --out x", "một trong: a3, a4, a5", "one of: a3, a4, a5"),
        ("required list", "không có lệnh list; có phải lists?", "did you mean lists?"),
        ("sites --bogus", "không có tuỳ chọn --bogus", "there is no option --bogus"),
        ("coverage --days", "--days: thiếu giá trị", "--days needs a value"),
        ("coverage --places=3", "--places không có giá trị", "--places takes no value"),
        ("up --workers 100", "--workers: lớn nhất là 64", "--workers: it is 64 at most"),
    ],
)
def test_what_is_mistyped_is_said_in_both_languages(
    arguments: str, vi: str, en: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--lang", "both", *arguments.split()]) == 2
    said = capsys.readouterr().err
    assert vi in said
    assert en in said
    assert "--help`" in said
    assert "Input should" not in said
    assert "Value error" not in said


def test_every_command_has_its_place_in_the_help() -> None:
    there = set(command_tree().commands)
    named = [name for names in PANELS.values() for name in names]
    assert len(named) == len(set(named))
    assert set(named) == there


def test_the_help_goes_from_the_register_to_coverage_to_cases(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    order = [said.index(f"│ {name} ") for name in ("sites", "posters", "required", "coverage")]
    assert order == sorted(order)
    assert said.index("Sổ đăng ký") < said.index("Độ phủ") < said.index("Ca bệnh, truy vết")
