"""The gateway's bench: its echo, its clients, and the bodies both servers get."""

import json
import threading
from collections.abc import Iterator

import pytest
import uvicorn

import bench.gateway as measured
from bench.echo import echo
from bench.gateway import PRODUCER, WANTED, Result, _bodies
from bench.http_load import load
from console.cli.main import main
from console.cli.out import number
from console.gateway.judge import judge
from deploy.embedded.ports import PortRequest, choose


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    number = choose((PortRequest("echo"),), {})["echo"]
    config = uvicorn.Config(echo, port=number, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    yield number
    server.should_exit = True
    thread.join(10)


def test_the_echo_reads_all_of_a_body_and_says_its_length(port: int) -> None:
    body = b"x" * 700_001  # more than one chunk
    answers, took = load(port, [body], "", 2, 0.3)
    assert set(answers.statuses) == {202}
    assert answers.statuses[202] == len(answers.seconds) >= 2
    assert answers.last == b"700001"
    assert 0.3 <= took < 10


def test_a_server_that_is_not_there_is_an_error_not_a_figure() -> None:
    with pytest.raises(OSError, match="refused"):
        load(1, [b"x"], "", 1, 0.1)


def test_the_bodies_hold_so_many_sound_scans_of_different_people() -> None:
    bodies = _bodies(50)
    lines = [(n, line) for n, line in enumerate(b"\n".join(bodies).split(b"\n"), start=1)]
    judged = judge(lines, PRODUCER)
    assert judged.refused == []
    assert len(judged.records) == 50 * len(bodies)
    assert len({record.key for record in judged.records}) == len(judged.records)
    assert 190 <= sum(map(len, bodies)) / len(judged.records) <= 230


@pytest.mark.parametrize(
    ("rate", "options", "code"),
    [(WANTED, (), 0), (WANTED - 1, (), 1), (WANTED - 1, ("--short",), 0)],
)
def test_below_the_limit_the_exit_code_is_1(
    rate: int,
    options: tuple[str, ...],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert WANTED == 20_000
    made_up = Result(rate, 0.1, 5_000, 5_000, 8.0, 8, 2, [])
    monkeypatch.setattr(measured, "run", lambda *_, **__: made_up)
    assert main(["bench", "gateway", *options]) == code
    assert (f"{number(rate)} < {number(WANTED)}" in capsys.readouterr().err) is (code == 1)
    assert main(["bench", "gateway", *options, "--json"]) == code
    found = json.loads(capsys.readouterr().out)
    assert (found["scans_per_s"], found["wanted_scans_per_s"]) == (rate, WANTED)
    assert found["passed"] is (code == 0)
    assert measured.main([*options]) == code
