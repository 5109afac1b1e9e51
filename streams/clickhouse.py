"""One way to ClickHouse: its ordinary client, with a time limit on everything.

Whether a real server or the embedded engine answers, nothing here can tell.
"""

import time
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, Final

import clickhouse_connect
import pyarrow as pa
import structlog
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError
from clickhouse_connect.driver.httputil import get_pool_manager
from urllib3.exceptions import HTTPError

from schemas.clickhouse.few import NAMES_PROJECTIONS, by_name
from schemas.clickhouse.shape import Shape
from schemas.errors import Fatal, Retryable
from schemas.settings import Settings
from streams.arrow_stream import arrow_stream

log = structlog.get_logger()

# The query itself is wrong, or the schema is another one: trying again cannot help.
# Source: ClickHouse, src/Common/ErrorCodes.cpp.
_HOPELESS = {
    16: "NO_SUCH_COLUMN_IN_TABLE",
    47: "UNKNOWN_IDENTIFIER",
    53: "TYPE_MISMATCH",
    60: "UNKNOWN_TABLE",
    62: "SYNTAX_ERROR",
    81: "UNKNOWN_DATABASE",
    115: "UNKNOWN_SETTING",
    193: "WRONG_PASSWORD",
    516: "AUTHENTICATION_FAILED",
}


_PIECE_BYTES: Final = 256 * 1024

# Compiled code is looked up by a query's constants too, and ours differ each time: an offset, a
# person, an hour. Compiling took longer than the queries it was made for.
_UNCOMPILED: Final = {
    "compile_expressions": 0,
    "compile_aggregate_expressions": 0,
    "compile_sort_description": 0,
}

# A server's default is lz4: to compress an answer and to undo it takes longer than to send it
# over a city's own network.
_AS_IT_IS: Final = {"output_format_arrow_compression_method": "none"}


class Priority(IntEnum):
    """ClickHouse's `priority` of a query: while one with a smaller number runs, it waits.

    What writes scans has none: it neither waits nor is waited for.
    """

    NONE = 0
    CASES = 1
    READING = 2


class ClickHouse:
    """Queries and inserts with per-query settings. Thread-safe; connects when first used.

    Raises Retryable for what may go away (unreachable, too slow, overloaded) and Fatal for
    what will not (no such table, wrong password).
    """

    shape = Shape()

    def __init__(
        self, settings: Settings, timeout_s: float = 30.0, priority: Priority = Priority.NONE
    ) -> None:
        self._settings = settings
        self._asking = {"priority": int(priority)} if priority else {}
        self.shape = Shape(settings.clickhouse_cluster)
        self.timeout_s = timeout_s
        self._made: Any = None

    def _client(self) -> Any:
        if self._made is None:
            self._made = clickhouse_connect.get_client(
                dsn=self._settings.clickhouse_url,
                # the client does not take it from the URL's scheme
                secure=self._settings.clickhouse_url.startswith("https:"),
                username=self._settings.clickhouse_user,
                password=self._settings.clickhouse_password.get_secret_value(),
                database=self._settings.clickhouse_database,
                compress=False,
                connect_timeout=5,
                send_receive_timeout=self.timeout_s,
                autogenerate_session_id=False,
                query_retries=0,
                pool_mgr=get_pool_manager(
                    maxsize=32, num_pools=4, ca_cert=self._settings.clickhouse_ca_file or None
                ),
            )
        return self._made

    def _attempt(self, call: Any) -> Any:
        try:
            return call(self._client())
        except (ClickHouseError, HTTPError, OSError) as error:
            raise _sorted(error) from error

    def query_arrow(
        self,
        sql: str,
        parameters: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
    ) -> pa.Table:
        """The result as one Arrow table; UUIDs and enums as the query casts them."""
        options = self._for_arrow(settings or {})
        return self._attempt(
            lambda client: client.query_arrow(sql, parameters=parameters, settings=options)
        )

    def _for_arrow(self, settings: dict[str, Any]) -> dict[str, Any]:
        return {
            "output_format_arrow_string_as_string": 1,
            **_UNCOMPILED,
            **_AS_IT_IS,
            **self.shape.reading,
            **self._asking,
            **settings,
        }

    def batches(self, sql: str, settings: dict[str, Any]) -> Iterator[pa.RecordBatch]:
        """The result as it comes, in the order in which the engine reads it."""
        options = self._for_arrow(settings)
        stream = self._attempt(
            lambda client: client.raw_stream(sql, settings=options, fmt="ArrowStream")
        )
        try:
            reader = self._attempt(lambda _: pa.ipc.open_stream(pa.PythonFile(stream, mode="r")))
            while (batch := self._attempt(lambda _: _next(reader))) is not None:
                yield batch
        finally:
            stream.close()

    def answers(self) -> bool:
        """Whether it is there; says so in the log if not."""
        try:
            self.rows("SELECT 1")
        except Retryable as error:
            log.warning("clickhouse_away", detail=str(error))
            return False
        return True

    def rows(self, sql: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """A small result as Python values."""
        return self.query_rows(sql, parameters or {}, {})

    def query_rows(
        self, sql: str, parameters: dict[str, Any], settings: dict[str, Any]
    ) -> list[tuple[Any, ...]]:
        """As `rows`, with settings of the query."""
        options = {**_UNCOMPILED, **self.shape.reading, **self._asking, **settings}
        result = self._attempt(
            lambda client: client.query(sql, parameters=parameters, settings=options)
        )
        return [tuple(row) for row in result.result_rows]

    def projection(self, table: str, name: str) -> str:
        """What to read instead of a table of which every part has this projection; as it stands
        after FROM. The table itself if the server cannot be asked so, or has a distributed one.
        """
        major = int(self._attempt(lambda client: client.server_version).split(".")[0])
        if self.shape.cluster or major < NAMES_PROJECTIONS:
            return table
        return by_name(table, name)

    def command(self, sql: str, settings: dict[str, Any] | None = None) -> Any:
        """A statement without a result."""
        return self._attempt(lambda client: client.command(sql, settings=settings))

    def insert(
        self, table: str, rows: pa.Table, settings: dict[str, Any], deadline: float | None = None
    ) -> None:
        """Insert Arrow rows; columns are matched by name. One attempt, never repeated unseen.

        After `deadline` (monotonic seconds) no more of the body goes out, and a body without its
        end is never executed: a process that was stopped in between cannot write late.

        The body is a generator: one of bytes the client would send again by itself when the
        connection closes, and an insert whose end is unknown must be looked up first.
        """
        settings = {
            **_UNCOMPILED,
            **self.shape.writing(self._settings.insert_timeout_s),
            **settings,
        }
        self._attempt(
            lambda client: client.raw_insert(
                table, rows.column_names, _in_time(rows, deadline), settings, fmt="ArrowStream"
            )
        )

    def export(self, sql: str, form: str, settings: dict[str, Any]) -> Iterator[bytes]:
        """A result in one of ClickHouse's formats, a mebibyte at a time."""
        settings = {**self.shape.reading, **settings}
        stream = self._attempt(lambda client: client.raw_stream(sql, settings=settings, fmt=form))
        try:
            while piece := self._attempt(lambda _: stream.read(_PIECE_BYTES)):
                yield piece
        finally:
            stream.close()

    def load(self, table: str, body: Iterator[bytes], form: str, settings: dict[str, Any]) -> None:
        """Insert rows that are in one of ClickHouse's formats. One attempt."""
        settings = {**self.shape.writing(self._settings.insert_timeout_s), **settings}
        self._attempt(
            lambda client: client.raw_insert(table, insert_block=body, settings=settings, fmt=form)
        )

    def close(self) -> None:
        """Let the connections go."""
        if self._made is not None:
            self._made.close()


def _next(reader: pa.RecordBatchReader) -> pa.RecordBatch | None:
    try:
        return reader.read_next_batch()
    except StopIteration:
        return None
    except pa.ArrowInvalid as error:
        raise Retryable(f"ClickHouse: an answer broke off: {error}") from None


def _in_time(rows: pa.Table, deadline: float | None) -> Iterator[memoryview]:
    for piece in arrow_stream(rows):
        _check(deadline)
        yield piece
    _check(deadline)


def _check(deadline: float | None) -> None:
    if deadline is not None and time.monotonic() > deadline:
        raise Retryable("too late to send an insert: the partition may be another worker's")


def _sorted(error: Exception) -> Exception:
    """Retryable or Fatal, with ClickHouse's own words, shortened."""
    text = str(error)
    code = _code(text)
    words = " ".join(text.split())[:300]
    answered = isinstance(error, DatabaseError) and not isinstance(error, OperationalError)
    if answered and code in _HOPELESS:
        return Fatal(f"ClickHouse refuses ({_HOPELESS[code]}): {words}")
    return Retryable(f"ClickHouse: {words}")


def _code(text: str) -> int:
    for marker in ("error code ", "Code: "):
        _, found, rest = text.partition(marker)
        if found:
            digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
            if digits:
                return int(digits)
    return 0
