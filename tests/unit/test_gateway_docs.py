"""`docs/gateway.md` is true: its commands work, its statuses and limits are the code's."""

import re
import shlex
from pathlib import Path

import pytest

from console import broker
from console.gateway import activity, body, flow, recent
from console.gateway.rates import BURST_S, KeyRates
from console.store.keys import Role
from schemas.scan import MAX_SCAN_BYTES
from schemas.settings import Settings
from tests.console_kit import PERSON, running
from tests.unit.test_console_gateway import SCAN

PAGE = (Path(__file__).parents[2] / "docs" / "gateway.md").read_text("utf-8")


def commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if line.startswith("curl ")]


def test_every_curl_command_gets_the_answer_it_is_there_for(tmp_path: Path) -> None:
    (tmp_path / "scans.ndjson").write_bytes(b"{}\n")
    answered = []
    with running(tmp_path / "data") as console:
        keys = {
            "$KEY": console.key(Role.PRODUCER, producer="gate-1"),
            "$OPS_KEY": console.key(Role.ADMIN),
        }
        for command in commands():
            method, url, content, headers = "GET", "", None, {}
            words = iter(command[1:])
            for word in words:
                if word == "-X":
                    method = next(words)
                elif word == "-H":
                    name, _, value = next(words).partition(": ")
                    headers[name] = value
                elif word == "--data-binary":
                    text = next(words)
                    file = tmp_path / text[1:]
                    content = file.read_bytes() if text.startswith("@") else text.encode()
                else:
                    url = word.removeprefix("$URL")
            headers |= keys[headers["Authorization"].removeprefix("Bearer ")]
            answer = console.client.request(method, url, content=content, headers=headers)
            answered.append((method, url.partition("?")[0], answer.status_code))
    assert answered == [
        ("POST", "/v1/scans", 202),
        ("POST", "/v1/scans", 422),  # the file of this test has no scan in it
        ("GET", f"/v1/scans/{SCAN['event_id']}", 200),
        ("GET", "/v1/rejects", 200),
        ("GET", "/v1/rejects", 200),
        ("GET", "/v1/rejects/summary", 200),
        ("GET", "/v1/producers/activity", 200),
    ]
    assert f"?person={PERSON}" in PAGE


def test_every_status_of_posting_is_explained_and_no_other(tmp_path: Path) -> None:
    table = PAGE.partition("| status |")[2].partition("\n\n")[0]
    told = {int(code) for row in table.splitlines() for code in re.findall(r"\d+", row[:12])}
    with running(tmp_path) as console:
        described = console.client.get("/openapi.json").json()["paths"]["/v1/scans"]["post"]
    assert told == {int(code) for code in described["responses"]}


def test_every_state_of_a_scan_is_explained() -> None:
    from console.gateway.schemas import ScanOutcome

    states = ScanOutcome.model_json_schema()["properties"]["state"]["enum"]
    table = PAGE.partition("| state |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == set(states)


@pytest.mark.parametrize(
    "sentence",
    [
        f"| lines of one request, blank ones too | {flow.MAX_LINES} |",
        f"| bytes of one request | {flow.MAX_BODY_BYTES >> 20} MiB |",
        f"| one scan | {MAX_SCAN_BYTES >> 10} KiB |",
        f"| time to send a body | {body._READ_S:.0f} s |",
        f"of one console | {flow._MAX_BYTES >> 20} MiB | 503",
        f"of one console | {flow._MAX_RECORDS} | 503",
        f"| the broker's acknowledgement | {broker._ACK_S:.0f} s |",
        f"(the newest {recent._MOST:,} are remembered)",
        f"`TRUYVET_GATEWAY_KEY_RATE` ({Settings.model_fields['gateway_key_rate'].default}; 0 is no limit)",
        f"`silent_after_minutes` ({activity.Limits().silent_after_minutes})",
        f"`noisy_share` ({activity.Limits().noisy_share}) of at least {activity._FEWEST_JUDGED}",
        f"at least {activity._FEWEST_LOUD:,} records and `noisy_times` "
        f"({activity.Limits().noisy_times:.0f})",
    ],
)
def test_limits_are_as_the_code_has_them(sentence: str) -> None:
    assert sentence in PAGE


def test_the_burst_is_ten_seconds_and_so_many_buckets() -> None:
    assert BURST_S == 10
    rates = KeyRates(1)
    for key in range(10_050):
        rates.take(key, 1, 0)
    assert f"{len(rates):,} of them are kept" in PAGE
    assert activity._STRANGERS == 50
