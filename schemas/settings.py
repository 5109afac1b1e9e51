"""Settings: one table, environment variables `TRUYVET_…`, refused at start if wrong.

Order: the environment, then `truyvet.env` in the data directory (written by `truyvet up`, so
that every command finds the running system), then the defaults. A secret can be a file.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from schemas.errors import UserError
from schemas.origin import check_origin
from schemas.secretfiles import SecretFiles, is_secret
from schemas.security import check_together, is_here

PREFIX = "TRUYVET_"
ENV_FILE = "truyvet.env"
_VARIABLE = re.compile(rf"{PREFIX}[A-Z0-9_]*[A-Z0-9]")


class Settings(BaseSettings):
    """Everything that can be set. Descriptions become the table in `docs/settings.md`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    data_dir: Path = Field(Path(".truyvet"), description="Where everything lives.")
    kafka_bootstrap: str = Field("127.0.0.1:9092", description="Kafka brokers, host:port, …")
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Kafka's listener: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."
    )
    kafka_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        "SCRAM-SHA-512", description="With SASL: SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN."
    )
    kafka_user: str = Field("", description="With SASL: Kafka user.")
    kafka_password: SecretStr = Field(SecretStr(""), description="With SASL: its password.")
    kafka_ca_file: str = Field(
        "", description="With TLS: certificates of the brokers' issuer (PEM); empty: the system's."
    )
    kafka_certificate_file: str = Field(
        "", description="With TLS, if the brokers ask for one: our own certificate (PEM)…"
    )
    kafka_key_file: str = Field("", description="…and its key (PEM).")
    clickhouse_url: str = Field(
        "http://127.0.0.1:8123", description="ClickHouse's HTTP interface, http or https."
    )
    clickhouse_user: str = Field("default", description="ClickHouse user.")
    clickhouse_password: SecretStr = Field(SecretStr(""), description="ClickHouse password.")
    clickhouse_ca_file: str = Field(
        "", description="With https: certificates of its issuer (PEM); empty: the system's."
    )
    clickhouse_database: str = Field("default", description="ClickHouse database.")
    clickhouse_cluster: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]*)?$")] = Field(
        "", description="Cluster in ClickHouse's `remote_servers`; empty: one server."
    )
    database_url: SecretStr = Field(
        SecretStr(""),
        description="Relational database (SQLAlchemy URL); SQLite in the data directory.",
    )
    console_host: str = Field("127.0.0.1", description="Address the console listens on.")
    console_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8080, description="Port the console listens on."
    )
    console_url: str = Field("", description="Where the command line finds the console.")
    metrics_host: str = Field(
        "127.0.0.1", description="Address of a worker's /metrics, /live and /ready."
    )
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        9100, description="Port of a worker's /metrics, /live and /ready."
    )
    admin_key: SecretStr = Field(
        SecretStr(""), description="API key made at first start, for the command line."
    )
    code_keys: SecretStr = Field(
        SecretStr(""), description="Keys of the location codes, `id:hex,…`; the first signs."
    )
    person_key: SecretStr = Field(
        SecretStr(""), description="Key of the hash that makes pseudonyms from source ids (hex)."
    )
    code_origin: str = Field(
        "HTTPS://TRUYVET.VN/C/", description="Start of the URL in a code, at most 32 characters."
    )
    scan_partitions: Annotated[int, Field(ge=1, le=4096)] = Field(
        8, description="Partitions of scans.v1, fixed once made."
    )
    replication_factor: Annotated[int, Field(ge=1, le=7)] = Field(
        1, description="Copies of each topic, on as many brokers."
    )
    min_insync_replicas: Annotated[int, Field(ge=0, le=7)] = Field(
        0,
        description="Copies that must have a record before it is acknowledged; 0 is one less than "
        "there are, at least 1.",
    )
    retention_days: Annotated[int, Field(ge=0, le=3650)] = Field(
        21, description="Days a scan can be queried; 0 keeps everything."
    )
    segments_gb: Annotated[float, Field(ge=0)] = Field(
        20.0, description="Disk for segments, which answer traces; 0: each asks ClickHouse."
    )
    duplicate_ids: Annotated[int, Field(ge=1_000, le=10_000_000)] = Field(
        250_000,
        description="Newest ids of a partition kept whole in memory to recognise duplicates.",
    )
    duplicate_past: Annotated[int, Field(ge=1_000, le=1_000_000_000)] = Field(
        4_000_000,
        description="Ids of a partition remembered beyond those, 8 bytes each; a scan older than "
        "they are is looked up in ClickHouse.",
    )
    duplicate_days: Annotated[int, Field(ge=1, le=60)] = Field(
        15, description="Days a starting worker reads back at most to remember these ids."
    )
    flush_records: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        250_000, description="A batch is written when it has this many records…"
    )
    flush_ms: Annotated[int, Field(ge=1, le=60_000)] = Field(
        400, description="…or when its oldest has waited this long."
    )
    inflight_batches: Annotated[int, Field(ge=1, le=64)] = Field(
        3, description="Inserts at a time while a backlog waits; otherwise one, of all partitions."
    )
    max_poll_records: Annotated[int, Field(ge=100, le=500_000)] = Field(
        40_000, description="Records taken from Kafka in one poll."
    )
    insert_timeout_s: Annotated[int, Field(ge=1, le=600)] = Field(
        6, description="An insert's time limit, in the engine and on the line."
    )
    reject_limit: Annotated[int, Field(ge=0)] = Field(
        0,
        description="A partition stops when it refuses more records than this in the window "
        "below; 0 is no limit.",
    )
    reject_window_s: Annotated[int, Field(ge=1, le=86_400)] = Field(
        60, description="The window of `TRUYVET_REJECT_LIMIT`, in seconds of the broker's time."
    )
    session_timeout_s: Annotated[int, Field(ge=6, le=120)] = Field(
        10, description="Kafka's session timeout; must exceed insert_timeout_s by three."
    )
    code_wait_s: Annotated[float, Field(ge=0, le=60)] = Field(
        5.0, description="How long a signed but still unknown code may hold up its partition."
    )
    console_readings: Annotated[int, Field(ge=1, le=10)] = Field(
        6,
        description="Requests of one console that read lists, coverage, reports or files at the "
        "same time; four times as many wait, the others are told to come back.",
    )
    gateway_key_rate: Annotated[int, Field(ge=0)] = Field(
        10_000,
        description="Scans a second an API key may post to one console, ten seconds' worth at "
        "once; 0 is no limit.",
    )
    backup_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        30, description="Days you keep backups: whoever is erased is told when the last is gone."
    )
    coverage_scanned_days: Annotated[int, Field(ge=1, le=28)] = Field(
        7, description="A place counts as scanned if it was in so many days."
    )
    coverage_inspected_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        90, description="A place counts as inspected if it was in so many days."
    )
    reminders_two_above: Annotated[int, Field(ge=1, le=5_000)] = Field(
        200, description="A batch of reminders with more messages than this takes two to release."
    )
    reminder_webhook_url: str = Field(
        "",
        description="Where released reminders of the channel `webhook` are posted; empty is off.",
    )
    reminder_webhook_secret: SecretStr = Field(
        SecretStr(""), description="Key of the signature on them, at least 16 characters."
    )
    watched_certificates: str = Field(
        "", description="More certificate files (PEM) to watch the end of, with commas between."
    )
    otlp_endpoint: Annotated[str, Field(pattern=r"^(https?://[^/?#@\s]+(/[^?#@\s]*)?)?$")] = Field(
        "", description="Where spans go: OTLP over HTTP, like http://127.0.0.1:4318; empty is off."
    )
    otlp_ratio: Annotated[float, Field(ge=0, le=1)] = Field(
        0.01, description="Share of requests that is followed; a change of a case always is."
    )
    worker_group: str = Field("truyvet", description="Kafka consumer group of the workers.")
    log_level: str = Field("info", description="debug, info, warning or error.")

    @field_validator("log_level")
    @classmethod
    def _level(cls, value: str) -> str:
        if value not in ("debug", "info", "warning", "error"):
            raise ValueError("must be debug, info, warning or error")
        return value

    @field_validator("code_origin")
    @classmethod
    def _origin(cls, value: str) -> str:
        return check_origin(value)

    @field_validator("reminder_webhook_url")
    @classmethod
    def _webhook(cls, value: str) -> str:
        url = urlsplit(value)
        local = url.scheme == "http" and is_here(url.hostname)
        if value and not (url.hostname and (url.scheme == "https" or local)):
            raise ValueError("must be an https address (http only on this machine)")
        return value

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.session_timeout_s < self.insert_timeout_s + 3:
            raise ValueError(
                "TRUYVET_SESSION_TIMEOUT_S must be at least TRUYVET_INSERT_TIMEOUT_S + 3: an "
                "insert of a worker that lost its partitions must have ended before another takes "
                "them over"
            )
        if self.reminder_webhook_url and len(self.reminder_webhook_secret.get_secret_value()) < 16:
            raise ValueError(
                "TRUYVET_REMINDER_WEBHOOK_SECRET must have at least 16 characters: the receiver "
                "tells by the signature who sent it"
            )
        check_together(self)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment and its secret files, then the data directory's file and its."""
        del file_secret_settings
        assert isinstance(env_settings, EnvSettingsSource)
        assert isinstance(dotenv_settings, DotEnvSettingsSource)
        return (
            init_settings,
            env_settings,
            SecretFiles(settings_cls, env_settings.env_vars, PREFIX),
            dotenv_settings,
            SecretFiles(settings_cls, dotenv_settings.env_vars, PREFIX),
        )

    @property
    def insync_replicas(self) -> int:
        """The topics' `min.insync.replicas`."""
        return self.min_insync_replicas or max(1, self.replication_factor - 1)

    @property
    def certificates(self) -> tuple[Path, ...]:
        """The files of `watched_certificates`, and those of our own lines."""
        own = (self.kafka_ca_file, self.kafka_certificate_file, self.clickhouse_ca_file)
        names = [*self.watched_certificates.split(","), *own]
        return tuple(dict.fromkeys(Path(name.strip()) for name in names if name.strip()))

    @property
    def sql_url(self) -> str:
        """The relational database's URL."""
        given = self.database_url.get_secret_value()
        return given or f"sqlite:///{(self.data_dir / 'console.db').absolute()}"

    @property
    def console(self) -> str:
        """The console's base URL, without a slash at the end."""
        return (self.console_url or f"http://127.0.0.1:{self.console_port}").rstrip("/")


def secret_variables() -> frozenset[str]:
    """The environment variables whose values are secret."""
    fields = Settings.model_fields.items()
    return frozenset(PREFIX + name.upper() for name, field in fields if is_secret(field))


def load_settings(data_dir: Path | None = None) -> Settings:
    """Settings of this process. Raises UserError that names each wrong variable."""
    directory = data_dir or Path(os.environ.get(PREFIX + "DATA_DIR") or ".truyvet")
    try:
        return Settings(data_dir=directory, _env_file=directory / ENV_FILE)  # type: ignore[call-arg]
    except ValueError as error:  # a ValidationError, or a secret's file that cannot be read
        wrong = "; ".join(_sentences(error))
        names = ", ".join(sorted(set(_VARIABLE.findall(wrong))))
        raise UserError(
            f"Cài đặt sai{f' ở {names}' if names else ''}: xem docs/settings.md. / "
            f"Settings are wrong. {wrong}. See docs/settings.md."
        ) from None


def _sentences(error: ValueError) -> list[str]:
    if not isinstance(error, ValidationError):
        return [str(error)]
    return [
        f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" if e["loc"] else e["msg"]
        for e in error.errors()
    ]
