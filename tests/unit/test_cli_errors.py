"""A mistake is one sentence on stderr and a non-zero exit code, never a traceback."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from console.cli.errors import FAULT, report
from console.cli.main import hoisted, main
from console.cli.session import Lang, Session
from schemas.errors import Retryable, UserError

MAP = ["--map", "person=user,place=venue,time=at"]
NOWHERE = {
    "TRUYVET_KAFKA_BOOTSTRAP": "127.0.0.1:1",
    "TRUYVET_CLICKHOUSE_URL": "http://127.0.0.1:1",
    "TRUYVET_CONSOLE_URL": "http://127.0.0.1:1",
    "TRUYVET_ADMIN_KEY": "tv_" + "A" * 43,
    "TRUYVET_PERSON_KEY": "5a" * 32,
    "TRUYVET_CODE_KEYS": "1:" + "5a" * 32,
}


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A data directory where nothing runs, and addresses where nothing listens."""
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "f.csv").write_text("user,venue,at\n1,v,2012-04-03T18:03Z\n")
    return ["--data-dir", str(tmp_path / "data")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["counts"], "Kafka"),
        (["counts", "--json"], "Kafka"),
        (["dlq", "list"], "Kafka"),
        (["dlq", "show", "0/1"], "Kafka"),
        (["dlq", "show", "0/1", "--json"], "Kafka"),
        (["dlq", "replay"], "--reason"),
        (["dlq", "replay", "--reason", "nonsense"], "not_json"),
        (["case", "list"], "console"),
        (["case", "show", "C-1"], "console"),
        (["case", "register", "--person", "X", "--onset", "2026-01-01"], "console"),
        (["contacts", "C-1"], "console"),
        (["simulate", "--events", "1000"], "console"),
        (["producers", "list"], "migrate"),
        (["codes", "list"], "migrate"),
        (["keys", "create", "--role", "king"], "epidemiologist"),
        (["migrate"], "Kafka"),
        (["import", "nothing.csv", *MAP, "--as-recorded"], "nothing.csv"),
        (["import", "{file}", *MAP], "--shift-to-now"),
        (["import", "{file}", *MAP, "--as-recorded", "--shift-to-now"], "--as-recorded"),
        (["import", "{file}", "--as-recorded"], "--map"),
        (["import", "{file}", "--map", "person=a", "--as-recorded"], "place, time"),
        (["import", "{file}", *MAP, "--as-recorded"], "TRUYVET_RETENTION_DAYS=0"),
        (["import", "{file}", *MAP, "--shift-to-now"], "console"),
        (["import", "{file}", *MAP, "--shift-to-now", "--zone", "Mars"], "--zone"),
        (["import", "{file}", *MAP, "--shift-to-now", "--encoding", "x"], "--encoding"),
        (["import", "{file}", *MAP, "--shift-to-now", "--format", "xml"], "--format"),
        (["nonsense"], "--help"),
        (["counts", "--nonsense"], "--help"),
        (["case", "register"], "--person"),
        (["import"], "--help"),
        (["up", "--workers", "-1"], "--workers"),
        (["--data-dir", "/proc/none", "up"], "/proc/none"),
    ],
)
def test_one_sentence_and_not_zero(
    arguments: list[str],
    said: str,
    nowhere: list[str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    given = [str(tmp_path / "f.csv") if a == "{file}" else a for a in arguments]
    code = main([*nowhere, *given])
    out, err = capfd.readouterr()
    assert code != 0
    assert out == ""
    assert said in err
    assert err.startswith("truyvet: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_settings_that_are_wrong_are_named(
    nowhere: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRUYVET_RETENTION_DAYS", "soon")
    assert main([*nowhere, "counts"]) == 1
    assert "TRUYVET_RETENTION_DAYS" in capfd.readouterr().err


def test_a_fault_of_ours_is_one_sentence_and_a_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRUYVET_DEBUG", raising=False)
    assert report(ZeroDivisionError("division by zero"), Session(tmp_path)) == FAULT
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    [log] = (tmp_path / "logs").glob("truyvet-fault-*.log")
    assert str(log) in err
    assert "ZeroDivisionError: division by zero" in log.read_text()


def test_a_rule_set_file_that_is_wrong_is_named_with_its_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.toml").write_text('id = "mine"\ndate = 2026-01-01\n')
    monkeypatch.setattr("tracer.ruleset.resources.files", lambda _package: tmp_path)
    assert main(["--lang", "en", "--data-dir", str(tmp_path), "rules", "list"]) == 1
    said = capfd.readouterr().err
    assert "A rule-set file is wrong: mine.toml: " in said
    assert "status: Field required" in said


def test_debug_shows_the_trace(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUYVET_DEBUG", "1")
    report(UserError("no"), Session(tmp_path))
    assert "UserError: no" in capfd.readouterr().err


def test_what_is_away_is_no_fault(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert report(Retryable("ClickHouse: away"), Session(tmp_path)) == 1
    assert report(KeyboardInterrupt(), Session(tmp_path)) == 130
    assert not (tmp_path / "logs").exists()
    assert "ClickHouse: away" in capfd.readouterr().err


def test_languages() -> None:
    sentence = "Không có. / There is none."
    said = {lang: Session(Path(), lang).sentence(sentence) for lang in Lang}
    assert said == {"both": sentence, "vi": "Không có.", "en": "There is none."}
    assert Session(Path(), Lang.VI).sentence("Only one.") == "Only one."


def test_a_retryable_is_said_in_the_language_asked_for_and_a_log_below_stays(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert report(Retryable("Chưa đếm. / Not counted yet."), Session(Path(), Lang.EN)) == 1
    assert "Chưa" not in capfd.readouterr().err
    assert report(UserError("Hỏng. / Broken.\nlast / line"), Session(Path(), Lang.VI)) == 1
    assert capfd.readouterr().err == "truyvet: Hỏng.\nlast / line\n"


def test_options_of_the_root_stand_anywhere() -> None:
    assert hoisted(["counts", "--data-dir", "d", "--json", "--lang=vi"]) == [
        "--data-dir",
        "d",
        "--lang=vi",
        "counts",
        "--json",
    ]
    assert hoisted(["import", "person", "--", "--lang"]) == ["import", "person", "--", "--lang"]
    assert hoisted(["counts", "--data-dir"]) == ["--data-dir", "counts"]


def test_a_pseudonym_needs_nothing_that_runs(
    nowhere: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*nowhere, "import", "person", "69"]) == 0
    first = capfd.readouterr().out
    assert main([*nowhere, "import", "person", "69", "--json"]) == 0
    assert first.strip() in capfd.readouterr().out


def test_status_of_nothing(nowhere: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main([*nowhere, "status", "--json"]) == 1
    assert '"running":false' in capfd.readouterr().out
    assert main([*nowhere, "down"]) == 0


def test_help_answers_at_once() -> None:
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "console.cli.main", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert time.monotonic() - begun < 5
    heavy = (
        "aiokafka",
        "polars",
        "pyarrow",
        "sqlalchemy",
        "faust",
        "fastapi",
        "clickhouse_connect",
    )
    for name in heavy:
        assert f" {name}\n" not in done.stderr
    assert "contacts" in done.stdout
