"""Settings and log lines without secrets and without persons: by what is let through, not by
what is kept out. Pure."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from console.logbook.entries import Entry
from console.logbook.words import WORDS
from schemas.settings import Settings

HIDDEN: Final = "***"
# Settings of words that say nothing of anybody; other words are shown as far as an address goes.
_PLAIN: Final = frozenset(
    {"kafka_bootstrap", "kafka_security", "kafka_mechanism", "clickhouse_database", "log_level"}
    | {"console_host", "code_origin", "worker_group"}
)
# Fields of log lines whose words are ours: names of routes, topics, probes, kinds, errors.
_WORDS: Final = frozenset(
    {"topic", "probe", "route", "method", "kind", "state", "status", "cause", "error", "week"}
    | {"format", "stage"}
)
# Fields that are numbers of things, or counts: a number elsewhere may be a telephone's.
_NUMBERS: Final = frozenset(
    {"partition", "offset", "run", "version", "place", "site", "batch", "inspection", "status"}
    | {"seconds", "ms", "rows", "parts", "left", "ids", "horizon_ms", "contacts", "changes"}
    | {"cases", "places", "copied", "count", "messages", "made", "entries", "sites", "key"}
)
_TELEPHONE: Final = 100_000_000  # nine digits, without the 0 that a number drops
_LARGE: Final = frozenset({"offset", "horizon_ms", "place", "site", "rows"})
_LIBRARIES: Final = frozenset(
    {"aiokafka", "faust", "mode", "clickhouse_connect", "urllib3", "sqlalchemy", "uvicorn"}
    | {"asyncio", "alembic", "k", "o"}  # the last two are Kafka's own: kafka.…, org.…
)
_WORD: Final = re.compile(r"[A-Za-z/][A-Za-z0-9_./{}-]{0,63}|\d{4}-\d\d-\d\d|[1-5]\d\d", re.ASCII)
_CODE: Final = re.compile(r"(?:Code: |error code )(\d{1,5})\b")


def settings_shown(settings: Settings) -> dict[str, Any]:
    """Every setting. Secrets are `***` if set; paths and addresses only as far as they say
    nothing of who runs this."""
    return {name: _setting(name, getattr(settings, name)) for name in Settings.model_fields}


def _setting(name: str, value: Any) -> Any:
    if isinstance(value, SecretStr):
        return HIDDEN if value.get_secret_value() else ""
    if isinstance(value, Path):
        return HIDDEN  # a home directory has a name
    if not isinstance(value, str) or name in _PLAIN:
        return value
    if "://" in value:
        return _address(value)
    return HIDDEN if value else ""


def _address(url: str) -> str:
    """Without who logs in, the path and the query: any of them may be a secret or a name."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or HIDDEN}{port}"


def lines_shown(entries: Iterable[Entry]) -> Iterator[dict[str, Any]]:
    """Log lines by event and number. A case is called by its turn in this bundle, since other
    systems choose their ids; what a library said is left out, but for ClickHouse's error code."""
    cases: dict[str, str] = {}
    for entry in entries:
        ours = entry.logger is None and entry.event in WORDS
        about: dict[str, Any] = {"event": entry.event if ours else "(library)"}
        library = (entry.logger or "").partition(".")[0]
        if library in _LIBRARIES:
            about["logger"] = library
        for name, value in entry.fields.items() if ours else ():
            if name == "case":
                about["case"] = cases.setdefault(str(value), f"case-{len(cases) + 1}")
            elif _may(name, value):
                about[name] = value
        code = _CODE.search(str(entry.fields.get("detail", "")))
        if ours and code:
            about["clickhouse_code"] = int(code[1])
        component = re.sub(r"[^a-z0-9-]", "", entry.component)
        yield {"at": entry.at.isoformat(), "level": entry.level, "component": component, **about}


def _may(name: str, value: Any) -> bool:
    if isinstance(value, bool | int | float):
        return name in _NUMBERS and (value < _TELEPHONE or name in _LARGE)
    return name in _WORDS and isinstance(value, str) and _WORD.fullmatch(value) is not None
