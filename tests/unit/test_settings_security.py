"""Settings of the lines to Kafka, ClickHouse and PostgreSQL: what fits together, and secrets."""

import ssl
from pathlib import Path
from typing import Protocol

import pytest
from faust import SASLCredentials

from deploy.embedded.environment import without_secrets
from schemas.errors import UserError
from schemas.kafka import connection, librdkafka
from schemas.settings import Settings, load_settings, secret_variables
from streams.app import create_app
from streams.clickhouse import ClickHouse
from streams.transport import Hooks
from tests.certificates import https_ping, issue

SASL = {
    "KAFKA_SECURITY": "SASL_SSL",
    "KAFKA_USER": "worker",
    "KAFKA_PASSWORD": "x",
}


class Load(Protocol):
    """Settings of an environment; variables without their prefix."""

    def __call__(self, **variables: object) -> Settings: ...


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    def loaded(**variables: object) -> Settings:
        for name, value in variables.items():
            monkeypatch.setenv(f"TRUYVET_{name}", str(value))
        return load_settings(tmp_path)

    return loaded


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"KAFKA_SECURITY": "SASL_SSL"}, ["KAFKA_USER", "KAFKA_PASSWORD"]),
        ({"KAFKA_USER": "worker", "KAFKA_PASSWORD": "x"}, ["KAFKA_USER", "KAFKA_SECURITY"]),
        ({"KAFKA_SECURITY": "tls"}, ["KAFKA_SECURITY"]),
        ({**SASL, "KAFKA_SECURITY": "SASL_PLAINTEXT", "KAFKA_MECHANISM": "PLAIN"}, ["KAFKA_MECHANISM"]),
        ({"KAFKA_CA_FILE": __file__}, ["KAFKA_CA_FILE", "KAFKA_SECURITY"]),
        ({**SASL, "KAFKA_CA_FILE": "/nowhere/ca.pem"}, ["KAFKA_CA_FILE"]),
        ({**SASL, "KAFKA_CERTIFICATE_FILE": __file__}, ["KAFKA_KEY_FILE"]),
        ({"CLICKHOUSE_URL": "http://u:p@db:8123"}, ["CLICKHOUSE_URL", "CLICKHOUSE_PASSWORD"]),
        ({"CLICKHOUSE_URL": "db:8123"}, ["CLICKHOUSE_URL"]),
        ({"CLICKHOUSE_CA_FILE": __file__}, ["CLICKHOUSE_CA_FILE"]),
        ({"MIN_INSYNC_REPLICAS": 2}, ["MIN_INSYNC_REPLICAS", "REPLICATION_FACTOR"]),
        ({"REPLICATION_FACTOR": 3, "MIN_INSYNC_REPLICAS": 1}, ["MIN_INSYNC_REPLICAS"]),
        ({"REPLICATION_FACTOR": 3, "MIN_INSYNC_REPLICAS": 3}, ["MIN_INSYNC_REPLICAS"]),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused_by_its_names_in_both_languages(
    load: Load,
    variables: dict[str, object],
    named: list[str],
) -> None:
    with pytest.raises(UserError) as refused:
        load(**variables)
    for half in str(refused.value).split(" / ", 1):
        for name in named:
            assert f"TRUYVET_{name}" in half


@pytest.mark.parametrize(
    ("copies", "given", "least"), [(1, 0, 1), (2, 0, 1), (3, 0, 2), (3, 2, 2), (5, 3, 3)]
)
def test_copies_that_must_have_a_record(load: Load, copies: int, given: int, least: int) -> None:
    settings = load(REPLICATION_FACTOR=copies, MIN_INSYNC_REPLICAS=given)
    assert settings.insync_replicas == least


def test_every_secret_can_be_a_file_and_only_one_of_both(load: Load, tmp_path: Path) -> None:
    url = "postgresql+psycopg://truyvet:s@db/truyvet"
    (tmp_path / "url").write_text(url + "\n")
    (tmp_path / "keys").write_text("1:00ff")
    (tmp_path / "truyvet.env").write_text(
        f"TRUYVET_DATABASE_URL=sqlite:///x.db\nTRUYVET_CODE_KEYS_FILE={tmp_path / 'keys'}\n"
    )
    settings = load(DATABASE_URL_FILE=tmp_path / "url")
    assert settings.sql_url == url  # the environment's file before the data directory's value
    assert settings.code_keys.get_secret_value() == "1:00ff"
    assert "postgresql" not in repr(settings)
    with pytest.raises(UserError, match="TRUYVET_DATABASE_URL and TRUYVET_DATABASE_URL_FILE"):
        load(DATABASE_URL="sqlite:///y.db")


@pytest.mark.parametrize("content", [None, "", "\n", "x" * 70_000])
def test_a_secrets_file_that_is_none_is_refused(
    load: Load, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "password").write_text(content)
    with pytest.raises(UserError, match="TRUYVET_CLICKHOUSE_PASSWORD_FILE"):
        load(CLICKHOUSE_PASSWORD_FILE=tmp_path / "password")


def test_secrets_are_what_the_guide_lists_and_brokers_are_not_told_them() -> None:
    guide = Path("docs/settings.md").read_text("utf-8")
    paragraph = guide.split("## Secrets as files", 1)[1].split("##", 1)[0]
    for variable in secret_variables():
        assert f"`{variable.removeprefix('TRUYVET_')}`" in paragraph
    assert without_secrets(dict.fromkeys(secret_variables(), "s") | {"A": "b"}) == {"A": "b"}


def test_every_client_gets_the_same_line(load: Load, tmp_path: Path) -> None:
    issuer = issue(tmp_path, "worker")
    settings = load(
        **SASL,
        KAFKA_CA_FILE=issuer.ca,
        KAFKA_CERTIFICATE_FILE=issuer.certificate,
        KAFKA_KEY_FILE=issuer.key,
    )
    options = connection(settings)
    context = options.pop("ssl_context")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert options == {
        "bootstrap_servers": "127.0.0.1:9092",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "worker",
        "sasl_plain_password": "x",
    }
    other = librdkafka(settings)
    assert other["ssl.ca.location"] == str(issuer.ca)
    assert other["sasl.password"] == "x"

    async def nothing(*_: object) -> None: ...

    credentials = create_app(settings, Hooks(nothing, nothing, nothing)).conf.broker_credentials
    assert isinstance(credentials, SASLCredentials)
    assert credentials.protocol.value == "SASL_SSL"
    assert credentials.mechanism.value == "SCRAM-SHA-512"


def test_a_plain_line_needs_nothing(load: Load) -> None:
    assert connection(load()) == {
        "bootstrap_servers": "127.0.0.1:9092",
        "security_protocol": "PLAINTEXT",
        "ssl_context": None,
    }


def test_clickhouse_over_tls_is_verified(load: Load, tmp_path: Path) -> None:
    """A real TLS listener with a certificate of another issuer is refused, ours is spoken to."""
    ours, theirs = issue(tmp_path / "a", "db"), issue(tmp_path / "b", "db")
    with https_ping(ours) as port:
        url = f"https://127.0.0.1:{port}"
        good = ClickHouse(load(CLICKHOUSE_URL=url, CLICKHOUSE_CA_FILE=ours.ca), timeout_s=5)
        with pytest.raises(Exception, match=r"(?i)no database here"):
            good.command("SELECT 1")
        bad = ClickHouse(load(CLICKHOUSE_CA_FILE=theirs.ca), timeout_s=5)
        with pytest.raises(Exception, match=r"(?i)certificate"):
            bad.command("SELECT 1")
