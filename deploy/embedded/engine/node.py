"""Opens the engine over a directory and makes a session of it for each request.

A connection costs 0.2 ms and is a session of its own: settings, database, parameters and temporary
tables of one request never reach another, which no reset of pooled connections could promise. What
can be said when it is opened is said there: SET and USE are queries, as dear as a small one.
"""

import fcntl
import importlib
import os
import re
import shutil
from pathlib import Path
from typing import IO, Any

from deploy.embedded.engine.errors import EngineError
from deploy.embedded.engine.protocol import Call

# clickhouse-local's conveniences, off: a server has none of them.
_BASE = "implicit_select=0&allow_introspection_functions=0"

# What stands in chdb's address as it is: an empty value would be 1 there, & would end it.
_PLAIN = re.compile(r"[\w.:/+-]+\Z", re.ASCII)

# Merges give way to what somebody waits for: an insert, a trace. At 10 they still took a tenth of
# two busy cores, and what was inserted waited half as long again.
_MERGES_NICE = 19
# Kept free on the engine's disk: below it inserts and merges are refused with NOT_ENOUGH_SPACE.
# A merge that meets the end of the disk itself goes on without its bytes and its part replaces
# those it was made of (seen with 26.9.2: each write answered ENOSPC, then the rename).
_RESERVE_BYTES = 1 << 30
_RESERVE_SHARE = 20  # of a small disk at most a twentieth
# Sized for two cores. MergeTree wants free entries of the pool for mutations and whole-partition
# merges; at its defaults (20 and 25) a pool this small would never run one. No query is planned
# by statistics of columns here, and keeping them is a tenth of an insert. Compressed as a server's
# is by default; this engine's own default is ZSTD(3), and a trace reads many small blocks.
_CONFIG = """<clickhouse>
  <max_server_memory_usage>{memory}</max_server_memory_usage>
  <background_pool_size>{pool}</background_pool_size>
  <os_threads_nice_value_merge_mutate>{nice}</os_threads_nice_value_merge_mutate>
  <storage_configuration>
    <disks><default><keep_free_space_bytes>{reserve}</keep_free_space_bytes></default></disks>
  </storage_configuration>
  <compression>
    <case>
      <min_part_size>0</min_part_size>
      <min_part_size_ratio>0</min_part_size_ratio>
      <method>lz4</method>
    </case>
  </compression>
  <merge_tree>
    <auto_statistics_types></auto_statistics_types>
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
  </merge_tree>
</clickhouse>
"""


class PathInUse(Exception):
    """Another process has the directory open."""


def quote(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0") + "'"


def quote_name(text: str) -> str:
    return "`" + text.replace("\\", "\\\\").replace("`", "\\`") + "`"


class Node:
    """The engine of one directory: `db/` is chdb's, `spool/` holds bodies, `lock` our own lock
    (chdb's refusal of a second process is an exception without a reason), `changes.<port>` and
    `handed/` are for who reads scans (`changes`, `handed`)."""

    def __init__(
        self, path: Path, *, max_threads: int, max_memory: int, merge_threads: int
    ) -> None:
        path = path.resolve()
        if odd := set("?&*{}") & set(str(path)):
            raise OSError(f"{path}: chdb cannot use a path with {' '.join(sorted(odd))}")
        path.mkdir(parents=True, exist_ok=True)
        self._lock = _take_lock(path / "lock")
        self.spool = path / "spool"
        shutil.rmtree(self.spool, ignore_errors=True)  # of a killed predecessor
        self.spool.mkdir()
        config = path / "config.xml"
        config.write_text(
            _CONFIG.format(
                memory=max_memory,
                pool=merge_threads,
                nice=_MERGES_NICE,
                reserve=min(_RESERVE_BYTES, shutil.disk_usage(path).total // _RESERVE_SHARE),
            )
        )
        # After the lock: importing chdb opens an engine in memory.
        engine: Any = importlib.import_module("chdb._chdb")
        self._connect = engine.connect
        base = f"{path / 'db'}?{_BASE}&max_threads={max_threads}"
        self._base = base
        # Held to the end: the engine shuts down when its last connection closes.
        self._anchor: Any = self._connect(f"{base}&config-file={config}")
        version, zone = self.query("SELECT version(), timezone()").rstrip("\n").split("\t")
        self.version, self.timezone = version, zone
        # A setting that an address has and the engine does not know is passed over in silence.
        # `readonly` is set last.
        names = self.query("SELECT name FROM system.settings WHERE name != 'readonly'")
        self._settings = frozenset(names.split())

    def query(self, sql: str) -> str:
        """A query of the server's own, in a session of its own."""
        session = self._connect(self._base)
        try:
            return bytes(session.query(sql, "TabSeparated").bytes()).decode()
        finally:
            session.close()

    def open_session(self, call: Call, tag: str, remaining: float | None) -> Any:
        """A connection with the request's database, settings and parameters.

        `query_cache_tag` is a label without effect while the query cache is off; here it carries
        the request's tag into `system.processes`, because chdb chooses the query id itself.
        """
        settings = dict(call.settings)
        settings["query_cache_tag"] = tag
        if remaining is not None:
            settings["max_execution_time"] = f"{remaining:.3f}"
        if call.method == "GET" and settings.get("readonly", "0") == "0":
            settings["readonly"] = "2"  # as ClickHouse: a GET changes nothing
        plain = {n: v for n, v in settings.items() if n in self._settings and _PLAIN.match(v)}
        known = call.database if _PLAIN.match(call.database) else ""
        session = self._opened({"database": known, **plain} if known else plain)
        try:
            rest = {name: value for name, value in settings.items() if name not in plain}
            rest |= {f"param_{name}": value for name, value in call.parameters.items()}
            if rest:
                session.query(_set(rest), "Null")
            if call.database and not known:
                session.query(f"USE {quote_name(call.database)}", "Null")
        except RuntimeError as error:
            session.close()
            raise EngineError.parse(str(error)) from None
        return session

    def _opened(self, settings: dict[str, str]) -> Any:
        try:
            return self._connect(self._base + "".join(f"&{n}={v}" for n, v in settings.items()))
        except RuntimeError as error:
            text = str(error).removeprefix("Failed to create connection: ")
            raise EngineError.parse(text) from None

    def close(self) -> None:
        self._anchor.close()
        self._lock.close()


def _set(settings: dict[str, str]) -> bytes:
    pairs = ", ".join(f"{name} = {quote(value)}" for name, value in settings.items())
    return f"SET {pairs}".encode("utf-8", "surrogateescape")


def _take_lock(path: Path) -> IO[str]:
    lock = path.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise PathInUse(f"{path.parent} is in use by another engine (pid {owner})") from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
