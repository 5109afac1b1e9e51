"""The bundle's files: asked of whoever answers; what does not answer is named."""

import asyncio
import json
import platform
import zipfile
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from console.accounting.log import asked, committed_offsets, end_offsets
from console.logbook.entries import Wanted
from console.logbook.reading import read_logs
from console.store import tables
from console.store.engine import open_store
from console.support.masked import lines_shown, settings_shown
from schemas.errors import Fatal, Retryable, UserError
from schemas.settings import Settings
from schemas.topics import SCANS, TOPICS
from streams.clickhouse import ClickHouse

_TIMEOUT_S: Final = 10.0
_LINES: Final = 5_000
_AWAY: Final = (Retryable, Fatal, UserError, httpx.HTTPError, SQLAlchemyError, OSError)
_TABLES: Final = """
SELECT table, sum(rows), sum(bytes_on_disk), count(), uniqExact(partition) FROM system.parts
WHERE active AND database = currentDatabase() GROUP BY table ORDER BY table
"""


def write_bundle(
    settings: Settings, ports: Mapping[str, int], state: list[dict[str, Any]], path: Path,
    now: datetime,
) -> list[str]:  # fmt: skip
    """Write the ZIP; the names of what did not answer. `ports`: of each process's `/metrics`.
    `state`: of the services here, if they run here."""
    parts: dict[str, Callable[[], Any]] = {
        "settings.json": lambda: settings_shown(settings),
        "services.json": lambda: state,
        "logs.jsonl": lambda: _logs(settings.data_dir),
        "clickhouse.json": lambda: _clickhouse(settings),
        "topics.json": lambda: _topics(settings),
        "database.json": lambda: _database(settings),
        **{f"metrics/{name}.txt": _metrics(port) for name, port in ports.items()},
    }
    missing: list[str] = []
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, make in parts.items():
            try:
                made = make()
            except _AWAY:
                missing.append(name)
                continue
            bundle.writestr(name, made if isinstance(made, str) else _json(made))
        bundle.writestr("about.json", _json(_about(now) | {"missing": missing}))
    return missing


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n"


def _about(now: datetime) -> dict[str, Any]:
    packages = {d.metadata["Name"]: d.version for d in metadata.distributions()}
    return {
        "at": now.isoformat(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "packages": dict(sorted(packages.items())),
    }


def _logs(data_dir: Path) -> str:
    newest = deque(read_logs(data_dir, Wanted(level="info")), maxlen=_LINES)
    return "".join(json.dumps(line) + "\n" for line in lines_shown(newest))


def _clickhouse(settings: Settings) -> dict[str, Any]:
    clickhouse = ClickHouse(settings, _TIMEOUT_S)
    try:
        [(version,)] = clickhouse.rows("SELECT version()")
        names = ("table", "rows", "bytes", "parts", "partitions")
        found = [dict(zip(names, row, strict=True)) for row in clickhouse.rows(_TABLES)]
    finally:
        clickhouse.close()
    return {"version": version, "tables": found}


def _topics(settings: Settings) -> dict[str, Any]:
    async def ends() -> dict[str, Any]:
        found: dict[str, Any] = {t.name: await end_offsets(settings, t.name) for t in TOPICS}
        async with asyncio.timeout(_TIMEOUT_S):
            committed = await committed_offsets(settings, SCANS.name)
        return {"ends": found, "committed": {SCANS.name: committed}}

    return asked(settings, ends)


def _database(settings: Settings) -> dict[str, int]:
    store = open_store(settings)
    try:
        with store.read() as connection:
            return {
                table.name: connection.scalar(select(func.count()).select_from(table)) or 0
                for table in tables.metadata.sorted_tables
            }
    finally:
        store.close()


def _metrics(port: int) -> Callable[[], str]:
    def ask() -> str:
        with httpx.Client(timeout=_TIMEOUT_S, trust_env=False) as client:
            return client.get(f"http://127.0.0.1:{port}/metrics").raise_for_status().text

    return ask
