"""The image and the compose files: valid, hardened, and of settings that exist.

No container is started here: docs/docker.md says what that leaves untried.
"""

import os
import re
import shutil
import ssl
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from cryptography import x509

from deploy.docker.dependencies import dependencies
from schemas.acls import KafkaRole, lines
from schemas.settings import PREFIX, Settings, load_settings, secret_variables

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COMPOSE, HARDENED = ROOT / "docker-compose.yml", ROOT / "deploy" / "compose" / "hardened.yml"
OURS = ("migrate", "console", "worker")
DEFAULT = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read(path: Path, env: dict[str, str] | None = None) -> dict[str, Any]:
    """A compose file with its variables filled in."""
    given = env or {}
    text = DEFAULT.sub(lambda m: given.get(m[1], m[2] or ""), path.read_text("utf-8"))
    read: dict[str, Any] = yaml.safe_load(text)
    return read


def secrets_of(service: dict[str, Any]) -> Iterator[str]:
    for secret in service.get("secrets", ()):
        yield secret if isinstance(secret, str) else secret["source"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What secrets.sh makes."""
    folder = tmp_path_factory.mktemp("compose")
    script = shutil.copy(ROOT / "deploy" / "compose" / "secrets.sh", folder)
    for _ in range(2):  # again changes nothing, a test below says
        subprocess.run([script], check=True, env={**os.environ, "OWNERS": "no"})
    return folder / "secrets"


def test_files_are_what_their_schemas_and_linters_want() -> None:
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE, HARDENED)
    run(BIN / "hadolint", ROOT / "Dockerfile")
    run(BIN / "yamllint", "--strict", COMPOSE.name, "deploy")
    for script in ROOT.glob("deploy/**/*.sh"):
        run("sh", "-n", script)
    for config in ROOT.glob("deploy/clickhouse/*.xml"):
        assert ElementTree.parse(config).getroot().tag == "clickhouse"


def test_every_variable_is_a_setting_and_the_settings_are_accepted(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ha = dict(
        line.split("=", 1)
        for line in (ROOT / "deploy/compose/ha.env").read_text("utf-8").splitlines()
        if not line.startswith("#")
    )
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    known |= {f"{variable}_FILE" for variable in secret_variables()}
    for env in ({}, ha):
        base, over = read(COMPOSE, env), read(HARDENED, env)
        for name in OURS:
            plain = base["services"][name]["environment"]
            hardened = over["services"][name]["environment"]
            assert plain.keys() | hardened.keys() <= known
            for variables in (plain, plain | hardened):
                with monkeypatch.context() as patch:
                    for variable, value in variables.items():
                        path = str(value).replace("/run/secrets", str(made))
                        patch.setenv(variable, path)
                    settings = load_settings(tmp_path)
                    names = settings.sql_url.startswith("postgresql+psycopg://truyvet:")
                    assert names == (name != "worker")
                    assert settings.insync_replicas == (2 if env else 1)
            assert settings.kafka_security == "SASL_SSL"
            assert settings.kafka_user == name
            assert settings.clickhouse_url.startswith("https:")


def test_our_containers_can_write_nowhere_and_have_no_rights() -> None:
    services = read(COMPOSE)["services"]
    for name in OURS:
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["security_opt"] == ["no-new-privileges:true"]
    image = (ROOT / "Dockerfile").read_text("utf-8")
    assert re.findall(r"^USER (.*)$", image, re.M) == ["10001:10001"]
    for name, service in services.items():
        assert "healthcheck" in service, name
        assert service["logging"]["options"]["max-size"], name
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), f"{name} is open to the network by default"


def test_whatever_is_mounted_or_secret_is_there(made: Path) -> None:
    base, over = read(COMPOSE), read(HARDENED)
    declared = base["secrets"] | over["secrets"]
    for file in (secret["file"] for secret in declared.values()):
        assert (made / Path(file).name).stat().st_size, file
        assert (made / Path(file).name).stat().st_mode & 0o077 == 0
    used: set[str] = set()
    for services in (base["services"], over["services"]):
        for service in services.values():
            used |= set(secrets_of(service))
            for volume in service.get("volumes", ()):
                source = volume.split(":")[0]
                assert not source.startswith("./") or (ROOT / source).exists(), source
    assert used == set(declared)
    variables = [
        value
        for services in (base["services"], over["services"])
        for service in services.values()
        for value in map(str, service.get("environment", {}).values())
        if value.startswith("/run/secrets/")
    ]
    assert {Path(v).name for v in variables} <= used


def test_certificates_are_of_the_issuer_and_of_the_services_names(made: Path) -> None:
    issuer = x509.load_pem_x509_certificate((made / "ca.pem").read_bytes())
    names = {"kafka-1": "kafka", "kafka-2": "kafka-2", "kafka-3": "kafka-3"}
    for holder in ("kafka-1", "kafka-2", "kafka-3", "admin", "clickhouse", "postgres"):
        certificate = x509.load_pem_x509_certificate((made / f"{holder}.pem").read_bytes())
        certificate.verify_directly_issued_by(issuer)
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        host = alternative.value.get_values_for_type(x509.DNSName)
        assert host == [names.get(holder, holder)]
        ssl.create_default_context().load_cert_chain(made / f"{holder}.pem", made / f"{holder}.key")
    supers = (ROOT / "deploy/kafka/hardened.properties").read_text("utf-8")
    assert "super.users=User:kafka-1;User:kafka-2;User:kafka-3;User:admin" in supers


def test_acls_are_those_of_the_schema() -> None:
    text = (ROOT / "deploy/kafka/acls.txt").read_text("utf-8")
    written = [line for line in text.splitlines() if not line.startswith("#")]
    assert written == [line for role in KafkaRole for line in lines(role, "truyvet")]


def test_the_package_takes_its_data_along() -> None:
    """What is not installed with it is missing in the image, and only there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    taken = project["tool"]["setuptools"]["package-data"]["*"]
    ours = ("schemas", "issuer", "tracer", "streams", "console", "sim", "bench", "deploy/embedded")
    for folder in ours:
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and file.suffix != ".py" and file.parent.name != "__pycache__":
                assert f"**/*{file.suffix}" in taken or file.name in taken, file


def test_the_image_holds_every_package_and_pins_what_it_installs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = {n.rstrip("*") for n in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    image = (ROOT / "Dockerfile").read_text("utf-8")
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for package in packages:
        assert f"\nCOPY {package} {package}\n" in image
        assert f"!{package}" in ignored
    wanted = dependencies((ROOT / "pyproject.toml").read_text("utf-8"), ["postgres"])
    assert {"faust-streaming", "psycopg[binary]"} <= set(wanted)
    assert not {"chdb", "pytest"} & set(wanted)
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    }
    for name in wanted:
        assert re.split(r"[\[<>=]", name)[0].lower().replace("_", "-") in pinned
