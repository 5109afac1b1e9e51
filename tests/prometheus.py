"""A real Prometheus for tests: the system's own rules, with minutes made seconds."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.embedded.ports import PortRequest, choose
from tests.system import wait_for

RULES: Final = Path(__file__).parents[1] / "deploy" / "prometheus" / "rules"
_RANGE: Final = "10s"  # what a rate looks back over: ten scrapes
_FOR: Final = "2s"


def program(name: str) -> str:
    """Where it is. Nothing is skipped where there is none: what nobody tried does not work."""
    beside = Path(sys.executable).parent  # where `make` puts it
    found = shutil.which(name, path=str(beside)) or shutil.which(name)
    assert found, f"{name} is needed: `make check` fetches it (Debian's package `prometheus`)"
    return found


def hastened(text: str, thresholds: Mapping[str, str]) -> str:
    """The rules with each look back and each patience shortened, and these thresholds."""
    text = re.sub(r"\[\d+[smhd]\]", f"[{_RANGE}]", text)
    text = re.sub(r"\bfor: \d+[smhd]", f"for: {_FOR}", text)
    for written, shorter in thresholds.items():
        text = text.replace(written, shorter)
    return text


def hastened_rules(thresholds: Mapping[str, str]) -> dict[str, str]:
    """By file name. A threshold that is in none of them has been changed: change it here too."""
    files = {path.name: path.read_text("utf-8") for path in RULES.glob("*.yml")}
    for written in thresholds:
        assert any(written in text for text in files.values()), written
    return {name: hastened(text, thresholds) for name, text in files.items()}


@dataclass(frozen=True)
class Prometheus:
    """One that runs."""

    url: str

    def get(self, path: str, **parameters: str) -> Any:
        """What its API says."""
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=30)
        return answer.raise_for_status().json()["data"]

    def leads_to(self, series: str) -> set[str]:
        """The traces that the exemplars of the last hour lead to."""
        now = time.time()
        found = self.get("query_exemplars", query=series, start=f"{now - 3600}", end=f"{now + 60}")
        return {one["labels"]["trace_id"] for each in found for one in each["exemplars"]}

    def firing(self) -> set[str]:
        """The alerts that fire."""
        alerts = self.get("alerts")["alerts"]
        return {a["labels"]["alertname"] for a in alerts if a["state"] == "firing"}

    def value(self, query: str) -> float | None:
        """A query's one value now, if it has one."""
        result = self.get("query", query=query)["result"]
        return float(result[0]["value"][1]) if result else None

    def wait_firing(self, names: set[str], timeout_s: float = 60) -> dict[str, float]:
        """Until each has fired at least once; the seconds that each took."""
        begun, fired = time.monotonic(), dict[str, float]()

        def all_fired() -> bool:
            for name in names & self.firing():
                fired.setdefault(name, round(time.monotonic() - begun, 1))
            return fired.keys() == names

        try:
            wait_for(all_fired, timeout_s, f"the alerts {sorted(names)}")
        except AssertionError as error:
            raise AssertionError(f"{error}; fired {fired}, firing {self.firing()}") from None
        return fired

    def wait_cleared(self, names: set[str], timeout_s: float = 60) -> None:
        """Until none of them fires."""
        wait_for(lambda: not names & self.firing(), timeout_s, f"{sorted(names)} to clear")


@contextmanager
def prometheus(
    directory: Path, targets: Mapping[str, Sequence[str]], thresholds: Mapping[str, str]
) -> Iterator[Prometheus]:
    """Scrapes each job's addresses every second and judges by the hastened rules."""
    rules = directory / "rules"
    rules.mkdir(parents=True)
    for name, text in hastened_rules(thresholds).items():
        (rules / name).write_text(text, "utf-8")
    configuration = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules / "*.yml")],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": list(addresses)}]}
            for job, addresses in targets.items()
        ],
    }
    file = directory / "prometheus.yml"
    file.write_text(json.dumps(configuration), "utf-8")
    port = choose((PortRequest("prometheus"),), {})["prometheus"]
    command = [
        program("prometheus"), f"--config.file={file}", f"--storage.tsdb.path={directory / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
        "--enable-feature=exemplar-storage",
    ]  # fmt: skip
    with (directory / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    running = Prometheus(f"http://127.0.0.1:{port}")
    try:
        wait_for(lambda: _ready(running.url, process), 30, "Prometheus to be ready")
        yield running
    finally:
        process.terminate()
        process.wait(30)


def _ready(url: str, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, "Prometheus ended"
    try:
        return httpx.get(f"{url}/-/ready", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
