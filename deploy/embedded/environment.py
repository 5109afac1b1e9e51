"""`<data_dir>/truyvet.env`: how the application, and whoever types a command, finds the stack.

What wins, strongest first: the addresses of services that this stack runs (they are facts), what
the user's environment says, what the file holds from earlier starts, what is made now. So a
setting given once stays with the data directory, and a key is made once for ever.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.embedded.files import write_atomically
from schemas.settings import secret_variables

FILE_NAME = "truyvet.env"
PREFIX = "TRUYVET_"

SECRETS: Mapping[str, Callable[[], str]] = {
    "TRUYVET_CODE_KEYS": lambda: f"1:{secrets.token_hex(32)}",
    "TRUYVET_PERSON_KEY": lambda: secrets.token_hex(32),
    "TRUYVET_ADMIN_KEY": lambda: (
        f"tv_{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip('=')}"
    ),
}

# Said by the stack itself for the services it runs; one that it does not run is the user's to name.
FACTS = frozenset(
    {
        "TRUYVET_DATA_DIR",
        "TRUYVET_KAFKA_BOOTSTRAP",
        "TRUYVET_CLICKHOUSE_URL",
        "TRUYVET_CONSOLE_URL",
        "TRUYVET_CONSOLE_PORT",
        "TRUYVET_WORKER_METRICS_PORT_BASE",
    }
)


def env_path(data_dir: Path) -> Path:
    return data_dir / FILE_NAME


def load(data_dir: Path) -> dict[str, str]:
    """KEY=VALUE lines; empty when there is no file yet."""
    try:
        text = env_path(data_dir).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] != "#")
    return {key.strip(): value.strip() for key, value in pairs}


def default_database_url(data_dir: Path | str) -> str:
    return f"sqlite:///{Path(data_dir) / 'console.db'}"


def merge(
    data_dir: Path,
    facts: Mapping[str, str],
    user: Mapping[str, str],
    stored: Mapping[str, str],
) -> dict[str, str]:
    """The stack's TRUYVET_* variables, by the order of this module's first paragraph."""
    kept = {key: value for key, value in stored.items() if key not in FACTS}
    moved_from = stored.get("TRUYVET_DATA_DIR")
    if moved_from and kept.get("TRUYVET_DATABASE_URL") == default_database_url(moved_from):
        del kept["TRUYVET_DATABASE_URL"]
    merged = {"TRUYVET_DATABASE_URL": default_database_url(data_dir)} | kept
    merged |= {key: make() for key, make in SECRETS.items() if not kept.get(key)}
    merged |= {key: value for key, value in user.items() if key.startswith(PREFIX)}
    return merged | dict(facts)


def to_store(merged: Mapping[str, str], stored: Mapping[str, str]) -> dict[str, str]:
    """As merged, but a key on disk is never replaced: codes were printed with it."""
    kept = {key: stored[key] for key in SECRETS if stored.get(key)}
    return {key: value for key, value in merged.items() if "\n" not in value} | kept


def save(data_dir: Path, variables: Mapping[str, str]) -> None:
    head = (
        "# Written at each start of the embedded stack. Holds keys: keep it, and keep it private.\n"
    )
    lines = (f"{key}={value}\n" for key, value in sorted(variables.items()))
    write_atomically(env_path(data_dir), head + "".join(lines), mode=0o600)


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """For the broker and the engine, which have no use for a key or a password."""
    secret = secret_variables()
    return {key: value for key, value in environment.items() if key not in secret}
