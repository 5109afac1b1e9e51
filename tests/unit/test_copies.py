"""Topics that are there and keep fewer copies than the settings promise stop a migration."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.errors import UserError
from streams.copies import check_copies
from tests.console_kit import settings_in


class Admin:
    """Two topics with so many copies, of which so many must be in sync."""

    def __init__(self, copies: int, least: int) -> None:
        self._copies, self._least = copies, least

    async def describe_topics(self, topics: list[str]) -> list[dict[str, Any]]:
        replicas = list(range(self._copies))
        return [
            {"topic": topic, "partitions": [{"replicas": [1, 2, 3, 4]}, {"replicas": replicas}]}
            for topic in topics
        ]

    async def describe_configs(self, asked: list[Any]) -> list[Any]:
        entries = [("min.insync.replicas", str(self._least), False, True, False)]
        return [SimpleNamespace(resources=[(0, "", 2, r.name, entries) for r in asked])]


@pytest.mark.parametrize(
    ("copies", "least", "says"),
    [(3, 2, ""), (4, 3, ""), (1, 1, "scans.v1 (1)"), (3, 1, "min.insync.replicas=2")],
)
def test_fewer_copies_are_named_with_what_mends_it(
    tmp_path: Path, copies: int, least: int, says: str
) -> None:
    settings = settings_in(tmp_path, replication_factor=3)
    check = check_copies(Admin(copies, least), settings, ["scans.v1", "sites.v1"])
    if not says:
        asyncio.run(check)
        return
    with pytest.raises(UserError) as refused:
        asyncio.run(check)
    for half in str(refused.value).split(" / ", 1):
        assert says in half


def test_nothing_there_is_nothing_wrong(tmp_path: Path) -> None:
    asyncio.run(check_copies(Admin(0, 0), settings_in(tmp_path), []))
