"""Runs one statement in one session and gives its answer as pieces of bytes.

An INSERT's data go in as a file (FROM INFILE). chdb's own streaming insert (`send_insert`) must not
be used: whatever goes wrong after parsing (a constraint, too many partitions, memory, a timeout, a
KILL) it answers with success and the full count of rows, with some or none of them written.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from deploy.embedded.engine import statement
from deploy.embedded.engine.body import PIECE
from deploy.embedded.engine.errors import EngineError, cancelled, not_implemented
from deploy.embedded.engine.node import quote, quote_name
from deploy.embedded.engine.protocol import Call
from deploy.embedded.engine.registry import Request

MAX_TEXT = 64 << 20  # of a statement, without an INSERT's data

# chdb's streaming gives each block as a complete output of the format. Only where such outputs join
# to one (ArrowStream after a small operation) can they be streamed; others are made in memory.
_STREAMABLE = frozenset(
    {"Native", "RowBinary", "TabSeparated", "TSV", "CSV", "JSONEachRow", "ArrowStream"}
)
_OPEN_FILES = Path("/proc/self/fd")
_SELECTS = frozenset({"SELECT", "WITH", "FROM"})


@dataclass
class Work:
    """A statement ready to run: its text, and for an INSERT with data, where these are."""

    text: bytes
    format: str
    insert: statement.Insert | None = None
    data: Path | None = None

    @property
    def verb(self) -> str:
        return statement.verb(self.text)


@dataclass
class Answer:
    format: str
    pieces: Iterator[bytes]
    # X-ClickHouse-Summary, as far as it is known when read.
    summary: dict[str, str] = field(default_factory=dict)


def prepare(call: Call, body: IO[bytes], data: Path) -> Work:
    """ClickHouse's rule: `query` of the URL, then the body, are one text.
    An INSERT's data lie in a file then: the body's own, or what was cut of it, in `data`."""
    prefix = call.query.encode("utf-8", "surrogateescape")
    if prefix and not prefix.endswith(b"\n"):
        prefix += b"\n"
    start = prefix + body.read(statement.HEAD)
    if statement.verb(start) == "INSERT":
        head = prefix if statement.verb(prefix) == "INSERT" else start
        insert = statement.insert_with_data(
            head.rstrip(b"; \n") if head is prefix else head, "Values"
        )
        if insert is not None:
            begin = max(0, insert.data_at - len(prefix))
            if begin or not _OPEN_FILES.is_dir():
                body.seek(begin)
                with data.open("wb") as file:
                    shutil.copyfileobj(body, file, PIECE)
            else:  # all of the body: the engine reads the file that it lies in
                data = _OPEN_FILES / str(body.fileno())
                body.flush()
            return Work(insert.target, call.default_format, insert, data)
        if statement.reads_input(head):
            # the engine would read no row and call it success
            raise not_implemented("INSERT … SELECT … FROM input(): insert into the table itself")
    text = start + body.read(MAX_TEXT)
    if body.read(1):
        raise EngineError(425, "QUERY_IS_TOO_LARGE", f"The query exceeds {MAX_TEXT} bytes")
    if statement.writes_outfile(text):
        raise EngineError(138, "INTO_OUTFILE_NOT_ALLOWED", "INTO OUTFILE is not allowed over HTTP")
    return Work(text, statement.format_of(text) or call.default_format)


def run(session: Any, request: Request, work: Work, folder: Path) -> Answer:
    """The caller closes the session; an engine error is raised here or by the pieces."""
    try:
        _load_external(session, request, folder)
        if work.insert is not None:
            return _insert(session, request, work)
        return _query(session, request, work)
    except RuntimeError as error:
        raise EngineError.parse(str(error)) from None


def _query(session: Any, request: Request, work: Work) -> Answer:
    kind = session.classify_query(work.text)
    if not work.text.strip():
        raise EngineError(62, "SYNTAX_ERROR", "Syntax error: Empty query")
    if kind["statement_count"] > 1:
        raise EngineError(62, "SYNTAX_ERROR", "Syntax error: Multi-statements are not allowed")
    if request.call.session_id and work.verb in ("SET", "USE"):
        raise not_implemented(f"{work.verb} in a session: each request is a session of its own")
    request.read_only = kind["query_class"].name == "READ_ONLY"
    request.check()
    if request.read_only and work.verb in _SELECTS and work.format in _STREAMABLE:
        return Answer(work.format, _stream(session, request, work))
    result = session.query(work.text, work.format)
    return Answer(work.format, iter((bytes(result.bytes()),)), _summary(result))


def _stream(session: Any, request: Request, work: Work) -> Iterator[bytes]:
    try:
        handle = session.send_query(work.text, work.format)
        first = True
        try:
            while True:
                if request.killed:
                    raise cancelled()
                piece = session.streaming_fetch_result(handle)
                if piece.rows_read() == 0:
                    break
                data = bytes(piece.bytes())
                if work.format == "ArrowStream":
                    data = data[: -len(_ARROW_END)] if first else _arrow_batches(data)
                first = False
                yield data
        finally:
            # Without effect on a stream that ended; otherwise the query would stay in the engine.
            session.streaming_cancel_query(handle)
        if work.format == "ArrowStream":
            # Nothing came, not even the schema: ask again, unstreamed (a read-only statement).
            yield bytes(session.query(work.text, work.format).bytes()) if first else _ARROW_END
    except RuntimeError as error:
        raise EngineError.parse(str(error)) from None


_ARROW_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"


def _arrow_batches(stream: bytes) -> bytes:
    """An Arrow stream without its schema message and its end mark."""
    schema = 8 + int.from_bytes(stream[4:8], "little")
    return stream[schema : -len(_ARROW_END)]


def _insert(session: Any, request: Request, work: Work) -> Answer:
    assert work.insert is not None
    assert work.data is not None
    request.check()
    into = work.insert
    result = session.query(
        b" ".join(
            (into.target, _infile(work.data), into.settings, b"FORMAT", into.format.encode())
        ),
        "Null",
    )
    return Answer(work.format, iter(()), _summary(result))


def _infile(path: Path) -> bytes:
    return f"FROM INFILE {quote(str(path))} COMPRESSION 'none'".encode()


def _load_external(session: Any, request: Request, folder: Path) -> None:
    for name, table in request.call.external.items():
        session.query(f"CREATE TEMPORARY TABLE {quote_name(name)} ({table.structure})", "Null")
        file = folder / f"{request.tag}.{name}"
        try:
            file.write_bytes(table.data)
            into = f"INSERT INTO {quote_name(name)} ".encode()
            session.query(into + _infile(file) + f" FORMAT {table.format}".encode(), "Null")
        finally:
            file.unlink(missing_ok=True)


def _summary(result: Any) -> dict[str, str]:
    return {
        "read_rows": str(result.storage_rows_read()),
        "read_bytes": str(result.storage_bytes_read()),
        "written_rows": str(result.rows_written()),
        "written_bytes": str(result.bytes_written()),
        "result_rows": str(result.rows_read() or result.rows_written()),
        "result_bytes": str(result.bytes_read()),
        "elapsed_ns": str(int(result.elapsed() * 1e9)),
    }
