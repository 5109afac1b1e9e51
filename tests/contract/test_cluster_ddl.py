"""The replicated, sharded form of the tables: made from the same migrations, and parsed.

`Replicated…`, `Distributed` and quorum cannot run on the embedded engine: it parses each
statement here, and no more.
"""

import re
from typing import Any

import pytest

from schemas.clickhouse import migrations
from schemas.clickhouse.shape import SHARDED, Shape
from streams.convert import OUTCOMES
from streams.migrate import _LEDGER
from tests.contract.clickhouse_fixtures import address as address
from tests.contract.clickhouse_fixtures import client as client

CLUSTER = Shape("truyvet")
WRITTEN = [_LEDGER.strip(), *(s for m in migrations(21) for s in m.statements)]
MADE = [statement for written in WRITTEN for statement in CLUSTER.statements(written)]


def created(statement: str) -> str:
    found = re.match(r"CREATE TABLE IF NOT EXISTS (\w+)", statement)
    return found[1] if found else ""


def test_every_statement_is_sql(client: Any) -> None:
    for statement in MADE:
        shown = client.query("SELECT formatQuery({sql:String})", {"sql": statement})
        assert shown.result_rows[0][0].startswith(statement.split(" ", 1)[0])
    with pytest.raises(Exception, match=r"(?i)syntax"):
        client.query("SELECT formatQuery({sql:String})", {"sql": "CREATE TABLE x ENGINE"})


def test_every_table_is_replicated_and_what_grows_is_sharded() -> None:
    tables = {created(statement) for statement in WRITTEN} - {""}
    bodies = {created(statement): statement for statement in MADE if created(statement)}
    assert bodies.keys() == tables | {f"{name}_local" for name in SHARDED}
    for name, body in bodies.items():
        assert " ON CLUSTER 'truyvet'" in body
        assert "non_replicated" not in body
        if name in SHARDED:
            assert body.splitlines() == [
                f"CREATE TABLE IF NOT EXISTS {name} ON CLUSTER 'truyvet' AS {name}_local",
                f"ENGINE = Distributed('truyvet', currentDatabase(), '{name}_local', "
                f"{SHARDED[name]})",
            ]
        else:
            assert "ENGINE = Replicated" in body
            where = "{shard}/" if name.endswith("_local") else "everywhere/"
            assert f"'/clickhouse/tables/{where}{{database}}/{{table}}'" in body
            replica = "'{replica}'" if name.endswith("_local") else "'{shard}-{replica}'"
            assert replica in body
    assert "replicated_deduplication_window = 1000" in bodies["scans_local"]
    versions = "ReplicatedReplacingMergeTree('/clickhouse/tables/everywhere/{database}/{table}', "
    assert f"{versions}'{{shard}}-{{replica}}', version)" in bodies["register_places"]


def test_where_every_record_ends_is_sharded() -> None:
    assert SHARDED.keys() == set(OUTCOMES)


def test_a_co_location_never_crosses_shards() -> None:
    """The key is a function of the place alone, which the table's order begins with."""
    assert re.findall(r"\w+", SHARDED["scans"]) == ["cityHash64", "place"]
    [scans] = [s for s in WRITTEN if created(s) == "scans"]
    assert "ORDER BY (place, " in scans


def test_changes_reach_the_rows_and_the_distributed_table_where_it_has_them() -> None:
    setting = "ALTER TABLE scans MODIFY SETTING merge_selector_base = 12"
    assert list(CLUSTER.statements(setting)) == [
        "ALTER TABLE scans_local ON CLUSTER 'truyvet' MODIFY SETTING merge_selector_base = 12"
    ]
    column = "ALTER TABLE scans ADD COLUMN IF NOT EXISTS x UInt8"
    assert [s.split(" ADD")[0] for s in CLUSTER.statements(column)] == [
        "ALTER TABLE scans_local ON CLUSTER 'truyvet'",
        "ALTER TABLE scans ON CLUSTER 'truyvet'",
    ]
    with pytest.raises(ValueError, match="no clustered form"):
        list(CLUSTER.statements("CREATE MATERIALIZED VIEW x AS SELECT 1"))


def test_one_server_is_as_it_was() -> None:
    one = Shape()
    assert [s for w in WRITTEN for s in one.statements(w)] == WRITTEN
    assert (one.reading, one.writing(6), one.on_cluster) == ({}, {}, "")
    assert one.shards("system.parts") == one.servers("system.parts") == "system.parts"


def test_reading_and_writing_agree_on_what_was_acknowledged() -> None:
    """A replica reads in sequence only what a quorum has, inserted one after the other."""
    assert CLUSTER.reading == {"select_sequential_consistency": 1}
    writing = CLUSTER.writing(6)
    assert (writing["insert_quorum"], writing["insert_quorum_parallel"]) == ("auto", 0)
    assert (writing["insert_quorum_timeout"], writing["distributed_foreground_insert"]) == (6000, 1)


def test_the_settings_are_known_to_the_engine(client: Any) -> None:
    names = [*CLUSTER.reading, *CLUSTER.writing(6)]
    rows = client.query(
        "SELECT name FROM system.settings WHERE name IN {names:Array(String)}", {"names": names}
    ).result_rows
    assert {row[0] for row in rows} == set(names)
