"""How the neighbours are reached, checked at start: what contradicts itself is refused.

A setting that would silently do nothing (a password that no one asks for, a certificate on a
plain line) is as wrong as one that is missing: somebody believes in it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from schemas.settings import Settings

_HERE: Final = ("127.0.0.1", "::1", "localhost")


def check_together(settings: "Settings") -> None:
    """Raises ValueError that names what does not fit together and what to do."""
    _kafka(settings)
    _clickhouse(settings)
    _copies(settings)


def _kafka(settings: "Settings") -> None:
    protocol = settings.kafka_security
    tls, sasl = protocol.endswith("SSL"), protocol.startswith("SASL")
    user, password = settings.kafka_user, settings.kafka_password.get_secret_value()
    if sasl and not (user and password):
        raise ValueError(
            f"TRUYVET_KAFKA_SECURITY {protocol} needs TRUYVET_KAFKA_USER and TRUYVET_KAFKA_PASSWORD"
        )
    if not sasl and (user or password):
        raise ValueError(
            "TRUYVET_KAFKA_USER and TRUYVET_KAFKA_PASSWORD are not used with "
            f"TRUYVET_KAFKA_SECURITY {protocol}: choose SASL_SSL, or take them out"
        )
    if protocol == "SASL_PLAINTEXT" and settings.kafka_mechanism == "PLAIN":
        raise ValueError(
            "TRUYVET_KAFKA_MECHANISM PLAIN sends the password as it is: "
            "choose a SCRAM mechanism, or SASL_SSL"
        )
    files = {
        "TRUYVET_KAFKA_CA_FILE": settings.kafka_ca_file,
        "TRUYVET_KAFKA_CERTIFICATE_FILE": settings.kafka_certificate_file,
        "TRUYVET_KAFKA_KEY_FILE": settings.kafka_key_file,
    }
    _files(files, tls, f"TRUYVET_KAFKA_SECURITY {protocol}")
    if bool(settings.kafka_certificate_file) != bool(settings.kafka_key_file):
        raise ValueError("TRUYVET_KAFKA_CERTIFICATE_FILE and TRUYVET_KAFKA_KEY_FILE go together")


def _clickhouse(settings: "Settings") -> None:
    url = urlsplit(settings.clickhouse_url)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError("TRUYVET_CLICKHOUSE_URL must be http://HOST:PORT or https://HOST:PORT")
    if url.username or url.password:
        raise ValueError(
            "TRUYVET_CLICKHOUSE_URL must not hold a password, which logs would show: "
            "use TRUYVET_CLICKHOUSE_USER and TRUYVET_CLICKHOUSE_PASSWORD"
        )
    files = {"TRUYVET_CLICKHOUSE_CA_FILE": settings.clickhouse_ca_file}
    _files(files, url.scheme == "https", f"TRUYVET_CLICKHOUSE_URL {url.scheme}://…")


def _files(files: dict[str, str], used: bool, by: str) -> None:
    for name, path in files.items():
        if path and not used:
            raise ValueError(f"{name} is not used with {by}: nothing would be encrypted")
        if path and not Path(path).is_file():
            raise ValueError(f"{name} names no file: {path}")


def _copies(settings: "Settings") -> None:
    """An acknowledged record is on so many brokers; ingest goes on without the rest.

    Producers here wait for all that are in sync (acks=all, not a setting): with fewer, a scan that
    was acknowledged could be lost with one broker.
    """
    copies, least = settings.replication_factor, settings.insync_replicas
    if least > copies:
        raise ValueError(
            f"TRUYVET_MIN_INSYNC_REPLICAS {least} exceeds TRUYVET_REPLICATION_FACTOR {copies}"
        )
    if copies >= 3 and not 2 <= least < copies:
        raise ValueError(
            f"with TRUYVET_REPLICATION_FACTOR {copies}, TRUYVET_MIN_INSYNC_REPLICAS must be from 2 "
            f"(an acknowledged scan survives a broker) to {copies - 1} (ingest goes on without one)"
        )


def is_here(host: str | None) -> bool:
    """Whether a host is this machine."""
    return host in _HERE
