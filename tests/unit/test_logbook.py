"""Logs for people: every line of ours in words, found by what is asked for."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from console.cli.main import main
from console.logbook.entries import Wanted, parse
from console.logbook.reading import components, follow, read_logs
from console.logbook.words import WORDS

ROOT = Path(__file__).parents[2]
KAFKA = "2026-11-26T16:39:35.224Z WARN  k.s.KafkaRaftServer [KafkaRaftServer nodeId=1] Kafka waits"


def line(at: str, event: str, level: str = "info", **fields: object) -> str:
    return orjson.dumps({**fields, "event": event, "level": level, "timestamp": at}).decode() + "\n"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "console.log.1").write_text(
        line("2026-11-26T08:00:00Z", "case_registered", case="C-1", version=1), "utf-8"
    )
    (logs / "console.log").write_text(
        line("2026-11-26T09:00:00Z", "relay_waits", "warning", detail="Kafka is away", seconds=0.1)
        + "Traceback (most recent call last):\n  File …\n{broken\n"
        + line("2026-11-26T11:00:00Z", "case_ended", case="C-1", version=2),
        "utf-8",
    )
    (logs / "worker-0.log").write_text(
        line("2026-11-26T10:00:00Z", "case_traced", case="C-1", run=1)
        + line("2026-11-26T10:00:01Z", "case_traced", case="C-2", run=1)
        + line("2026-11-26T10:00:02Z", "Group lost", "error", logger="aiokafka.consumer"),
        "utf-8",
    )
    (logs / "kafka.log").write_text(KAFKA + "\n", "utf-8")
    return tmp_path


def events(data_dir: Path, wanted: Wanted) -> list[str]:
    return [entry.event for entry in read_logs(data_dir, wanted)]


def test_all_files_are_one_log_in_the_order_of_time(data_dir: Path) -> None:
    assert [paths[-1].name for paths in components(data_dir).values()].count("console.log") == 1
    assert events(data_dir, Wanted()) == [
        "case_registered", "relay_waits", "case_traced", "case_traced", "Group lost", "case_ended",
        "[KafkaRaftServer nodeId=1] Kafka waits",
    ]  # fmt: skip


def test_what_is_asked_for_and_nothing_else(data_dir: Path) -> None:
    assert events(data_dir, Wanted(level="warning", component="console")) == ["relay_waits"]
    assert events(data_dir, Wanted(component="worker", event="case_traced")) == ["case_traced"] * 2
    assert events(data_dir, Wanted(case="C-1")) == ["case_registered", "case_traced", "case_ended"]
    since = datetime(2026, 11, 26, 10, 0, 2, tzinfo=UTC)
    assert events(data_dir, Wanted(since=since))[0] == "Group lost"


def test_a_line_of_kafkas_is_read_too() -> None:
    entry = parse(KAFKA, "kafka")
    assert entry is not None
    assert (entry.level, entry.logger) == ("warning", "k.s.KafkaRaftServer")


def test_new_lines_are_followed_whole_also_after_the_file_was_cut(data_dir: Path) -> None:
    path = data_dir / "logs" / "worker-0.log"
    steps: list[Callable[[], object]] = [
        lambda: path.open("a").write(line("2026-11-26T12:00:00Z", "fatal", "error")[:30]),
        lambda: path.open("a").write(line("2026-11-26T12:00:00Z", "fatal", "error")[30:]),
        lambda: path.write_text(line("2026-11-26T12:00:01Z", "batch_settled")),
        lambda: None,
    ]
    found: list[str] = []

    def go_on() -> bool:
        if steps:
            steps.pop(0)()
        return len(found) < 2

    for entry in follow(data_dir, Wanted(), go_on):
        found.append(entry.event)
    assert found == ["fatal", "batch_settled"]


def test_every_event_of_ours_has_its_words_in_both_languages() -> None:
    sources = [p for tree in ("streams", "console") for p in (ROOT / tree).rglob("*.py")]
    text = "\n".join(path.read_text("utf-8") for path in sources)
    logged = set(re.findall(r'\blog\.(?:debug|info|warning|error)\(\s*"(\w+)"', text))
    logged |= set(re.findall(r'_tell\(\s*console, "(\w+)"', text))
    logged |= {"window_remembers", "window_complete"}
    assert logged == set(WORDS)
    for vi, en in WORDS.values():
        assert en.isascii()
        assert not vi.isascii()


def test_the_command_shows_words_local_time_and_json(
    data_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    where = ["--data-dir", str(data_dir), "--lang", "en"]
    assert main([*where, "logs", "--case", "C-1", "--last", "2"]) == 0
    out = capfd.readouterr().out.splitlines()
    assert out == [
        "26/11 17:00:00 · worker-0  case_traced  a case was traced  case=C-1 run=1",
        "26/11 18:00:00 · console   case_ended  a case was closed or voided  case=C-1 version=2",
    ]
    assert main([*where, "logs", "--level", "error", "--json"]) == 0
    [said] = [orjson.loads(text) for text in capfd.readouterr().out.splitlines()]
    assert (said["component"], said["logger"]) == ("worker-0", "aiokafka.consumer")
    assert main([*where, "logs", "--level", "loud"]) != 0
    assert "--level" in capfd.readouterr().err
    assert main(["--data-dir", str(data_dir / "none"), "logs"]) != 0
    assert "logs" in capfd.readouterr().err
