"""What truyvet asks of ClickHouse's HTTP interface, through clickhouse-connect's ordinary client.

One suite for the embedded engine and for a real server (TRUYVET_TEST_CLICKHOUSE_URL).
"""

import threading
import time
import uuid
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_connect.driver.external import ExternalData

from tests.contract.clickhouse_fixtures import DATABASE, PARTS, Address
from tests.contract.clickhouse_fixtures import address as address
from tests.contract.clickhouse_fixtures import client as client
from tests.contract.clickhouse_fixtures import table as table

MONDAY = datetime(2021, 11, 15, tzinfo=UTC)
COLUMNS = ["event_id", "person", "at", "direction", "offset"]
LONG = "SELECT sum(sipHash64(number)) FROM numbers(100000000000)"


def rows(n: int, start: int = 0) -> list[list[object]]:
    return [
        [uuid.UUID(int=i + 1), i, MONDAY + timedelta(milliseconds=i), "in", i]
        for i in range(start, start + n)
    ]


def arrow(n: int) -> pa.Table:
    ids = b"".join(i.to_bytes(16, "big") for i in range(n))
    return pa.table(
        {
            "event_id": pa.FixedSizeBinaryArray.from_buffers(
                pa.binary(16), n, [None, pa.py_buffer(ids)]
            ),
            "person": np.arange(n, dtype=np.uint64),
            "at": pa.array(1_637_000_000_000 + np.arange(n), pa.timestamp("ms", tz="UTC")),
            "direction": pa.array(["in", "out"] * (n // 2)),
            "offset": np.arange(n, dtype=np.uint64),
        }
    )


def raised(call: Callable[[], object]) -> DatabaseError:
    with pytest.raises(DatabaseError) as caught:
        call()
    return caught.value


def http(address: Address, request: bytes) -> bytes:
    """One raw request with `Connection: close` semantics: all that comes until the end."""
    with address.socket() as raw:
        raw.sendall(request)
        answer = b""
        while piece := raw.recv(1 << 16):
            answer += piece
        return answer


def post(address: Address, target: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {target} HTTP/1.1", "Host: x", "Connection: close", *headers]
    if not any(line.startswith(("Content-Length", "Transfer-Encoding")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    if address.password:
        lines += [f"X-ClickHouse-User: {address.user}", f"X-ClickHouse-Key: {address.password}"]
    return http(address, "\r\n".join(lines).encode() + b"\r\n\r\n" + body)


class TestQueries:
    def test_ping_and_handshake(self, client: Any) -> None:
        assert client.ping()
        assert client.server_version.split(".")[0].isdigit()
        assert client.command("SELECT currentDatabase()") == DATABASE

    def test_values_come_back_as_their_types(self, client: Any) -> None:
        result = client.query(
            "SELECT toUInt64(18446744073709551615) a, 'Đống Đa' b, toDate('2021-11-15') c, "
            "toDateTime64('2021-11-15 01:02:03.004', 3, 'UTC') d, NULL e, [1, 2] f, "
            "toUUID('00000000-0000-0000-0000-000000000001') g, toLowCardinality('x') h"
        )
        assert result.column_names == ("a", "b", "c", "d", "e", "f", "g", "h")
        assert result.result_rows[0][:2] == (18446744073709551615, "Đống Đa")
        assert result.result_rows[0][4:] == (None, [1, 2], uuid.UUID(int=1), "x")

    def test_an_empty_result_has_no_rows(self, client: Any) -> None:
        assert client.query("SELECT 1 AS a WHERE 0").result_rows == []
        empty = client.query_arrow("SELECT toUInt8(1) AS a WHERE 0")
        assert (empty.num_rows, empty.column_names) == (0, ["a"])
        with client.query_arrow_stream("SELECT toUInt8(1) AS a WHERE 0") as stream:
            assert sum(batch.num_rows for batch in stream) == 0

    @pytest.mark.parametrize("rows", [1, 65_409, 300_000])
    def test_arrow_whole_and_streamed(self, client: Any, rows: int) -> None:
        sql = f"SELECT number, toString(number) AS text FROM numbers({rows})"
        whole = client.query_arrow(sql)
        with client.query_arrow_stream(sql) as stream:
            batches = list(stream)
        assert whole.num_rows == rows
        assert sum(batch.num_rows for batch in batches) == rows
        assert sum(int(np.sum(b["number"].to_numpy())) for b in batches) == rows * (rows - 1) // 2

    @pytest.mark.parametrize("fmt", ["JSON", "CSVWithNames", "TSV", "JSONEachRow", "RowBinary"])
    def test_formats_come_as_asked(self, client: Any, fmt: str) -> None:
        data = client.raw_query("SELECT number FROM numbers(200000)", fmt=fmt)
        again = client.raw_query(f"SELECT number FROM numbers(200000) FORMAT {fmt}")
        if fmt == "JSON":  # its statistics differ
            assert data.count(b'"number"') == again.count(b'"number"') == 200_001
        else:
            assert data == again
        assert data.count(b"number") == {
            "CSVWithNames": 1,
            "JSON": 200_001,
            "JSONEachRow": 200_000,
        }.get(fmt, 0)

    @pytest.mark.parametrize("name", ["lz4", "zstd", "gzip", False])
    def test_compression_both_ways(
        self, address: Address, table: Callable[[], int], name: str | bool
    ) -> None:
        with address.client(compress=name) as client:
            client.insert("scans", rows(5_000), column_names=COLUMNS)
            client.insert_arrow("scans", arrow(1_000))
            assert table() == 6_000
            result = client.query("SELECT person FROM scans")
            assert len(result.result_rows) == 6_000
            with client.query_row_block_stream("SELECT number FROM numbers(300000)") as stream:
                assert sum(len(block) for block in stream) == 300_000

    @pytest.mark.parametrize(("name", "bits"), [("gzip", 31), ("deflate", 15)])
    def test_a_plain_http_client(self, address: Address, name: str, bits: int) -> None:
        answer = post(
            address,
            "/?enable_http_compression=1&wait_end_of_query=1",
            zlib.compress(b"SELECT 1", 1, bits),
            f"Accept-Encoding: {name};q=1, br;q=0",
            f"Content-Encoding: {name}",
        )
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"content-encoding: " + name.encode() in head.lower()
        assert zlib.decompress(_dechunked(head, body), bits) == b"1\n"

    def test_get_reads_and_never_writes(self, address: Address, table: Callable[[], int]) -> None:
        get = (
            "GET /?query={}&database="
            + DATABASE
            + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        assert b"\r\n\r\n" in (answer := http(address, get.format("SELECT+41%2B1").encode()))
        assert b"42" in answer.partition(b"\r\n\r\n")[2]
        refused = http(address, get.format("TRUNCATE+TABLE+scans").encode())
        assert b"X-ClickHouse-Exception-Code: 164" in refused

    def test_external_data(self, client: Any) -> None:
        external = ExternalData(
            file_name="people.csv", fmt="CSV", structure="person UInt64", data=b"3\n5\n"
        )
        result = client.query("SELECT sum(person) FROM people", external_data=external)
        assert result.result_rows == [(8,)]


def _dechunked(head: bytes, body: bytes) -> bytes:
    if b"chunked" not in head.lower():
        return body
    out = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        out, body = out + body[: int(size, 16)], body[int(size, 16) + 2 :]
    return out


class TestParameters:
    HOSTILE = (
        "x' OR 1=1 --",
        "'; DROP TABLE scans; --",
        "\\' \\\\ \t\n\r \b ` \" {a:String} $$ %s &a=b",
        "Nguyễn Thị Ánh 🚌",
        "",
    )

    @pytest.mark.parametrize("text", HOSTILE)
    @pytest.mark.parametrize("form", [False, True])
    def test_text_is_a_value_and_nothing_else(
        self, address: Address, text: str, form: bool
    ) -> None:
        with address.client(form_encode_query_params=form) as client:
            result = client.query("SELECT {a:String} AS a", parameters={"a": text})
        assert result.result_rows == [(text,)]

    def test_types(self, client: Any) -> None:
        at = datetime(2021, 11, 15, 1, 2, 3, tzinfo=UTC)
        result = client.query(
            "SELECT {n:UInt64} + 1, {l:Array(UInt32)}, {s:Array(String)}, {at:DateTime('UTC')}",
            parameters={"n": 2**62, "l": [1, 2], "s": ["a'b", "c\\"], "at": at},
        )
        assert result.result_rows == [(2**62 + 1, [1, 2], ["a'b", "c\\"], at.replace(tzinfo=None))]

    def test_a_table_by_parameter(self, client: Any, table: Callable[[], int]) -> None:
        sql = "SELECT count() FROM {t:Identifier}"
        assert client.query(sql, parameters={"t": "scans"}).result_rows == [(0,)]
        error = raised(lambda: client.query(sql, parameters={"t": "scans; DROP TABLE scans"}))
        assert error.code == 60

    def test_a_parameter_does_not_outlive_its_query(self, client: Any) -> None:
        client.query("SELECT {a:String}", parameters={"a": "x"})
        assert raised(lambda: client.command("SELECT {a:String}")).code == 456

    def test_a_value_of_another_type_is_refused(self, client: Any) -> None:
        error = raised(lambda: client.query("SELECT {n:UInt8}", parameters={"n": "1 OR 1"}))
        assert error.code == 457

    def test_a_second_statement_is_refused(self, client: Any, table: Callable[[], int]) -> None:
        assert raised(lambda: client.command("SELECT 1; DROP TABLE scans")).code == 62
        assert table() == 0


class TestSettings:
    READ = "SELECT getSetting('max_block_size'), getSetting('log_comment')"

    def test_settings_are_of_one_query(self, client: Any) -> None:
        before = client.command(self.READ)
        text = "a'b\\c, max_threads = 9"
        with_them = {"max_block_size": 77, "log_comment": text}
        assert client.query(self.READ, settings=with_them).result_rows == [(77, text)]
        for _ in range(8):
            assert client.command(self.READ) == before

    def test_set_use_and_temporary_tables_do_not_leak(self, client: Any) -> None:
        before = client.command(self.READ)
        client.command("SET max_block_size = 33")
        client.command("USE system")
        client.command("CREATE TEMPORARY TABLE mine (a UInt8)")
        for _ in range(8):
            assert client.command(self.READ) == before
            assert client.command("SELECT currentDatabase()") == DATABASE
            assert raised(lambda: client.command("SELECT count() FROM mine")).code == 60

    def test_concurrent_queries_keep_their_own(self, address: Address) -> None:
        seen: list[bool] = []

        def ask(n: int) -> None:
            with address.client() as client:
                for _ in range(10):
                    sql = "SELECT getSetting('max_block_size'), {n:UInt32}"
                    settings = {"max_block_size": 1000 + n}
                    got = client.query(sql, parameters={"n": n}, settings=settings)
                    seen.append(got.result_rows == [(1000 + n, n)])

        _together([partial(ask, n) for n in range(6)])
        assert seen == [True] * 60

    def test_unknown_setting(self, address: Address) -> None:
        answer = post(address, "/?nonsense_setting=1", b"SELECT 1")
        assert b"X-ClickHouse-Exception-Code: 115" in answer
        assert answer.startswith(b"HTTP/1.1 404")

    def test_a_value_that_is_none(self, address: Address) -> None:
        answer = post(address, "/?max_threads=many", b"SELECT 1")
        assert b"X-ClickHouse-Exception-Code: 27\r" in answer
        assert b"many" in answer
        assert answer.startswith(b"HTTP/1.1 400")
        assert b"\r\n\r\n1\n" in post(address, "/?max_threads=2", b"SELECT 1")

    def test_values_of_all_kinds_stay_what_they_are(self, client: Any) -> None:
        for text in ("plain-1.5:/x", "", "a&max_threads=7", "a=b", "ca bệnh", "%20+", "{x}"):
            settings = {"log_comment": text, "max_block_size": 55}
            assert client.query(self.READ, settings=settings).result_rows == [(55, text)]

    def test_an_unknown_database(self, address: Address) -> None:
        answer = post(address, "/?database=nowhere", b"SELECT * FROM scans")
        assert b"X-ClickHouse-Exception-Code: 81" in answer
        assert answer.startswith(b"HTTP/1.1 404")


def _together(calls: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


class TestInserts:
    def test_native_with_defaults(self, client: Any, table: Callable[[], int]) -> None:
        summary = client.insert("scans", rows(3), column_names=COLUMNS)
        assert summary.written_rows == 3
        got = client.query("SELECT person, method, device, seat, tags, note, direction FROM scans")
        assert got.result_rows[2] == (2, "self", b"none", None, [], "p2", "in")

    def test_arrow_by_column_name(self, client: Any, table: Callable[[], int]) -> None:
        data = arrow(100)
        client.insert_arrow("scans", data.select(list(reversed(data.column_names))))
        got = client.query(
            "SELECT event_id, person, at, direction, note FROM scans WHERE offset = 7"
        )
        at = datetime(2021, 11, 15, 18, 13, 20, 7_000, UTC).replace(tzinfo=None)
        assert got.result_rows == [(uuid.UUID(int=7), 7, at, "out", "p7")]

    def test_arrow_stream_from_a_generator(self, client: Any, table: Callable[[], int]) -> None:
        sink = pa.BufferOutputStream()
        data = arrow(1_000)
        with pa.ipc.new_stream(sink, data.schema) as writer:
            writer.write_table(data, max_chunksize=100)
        whole = sink.getvalue().to_pybytes()
        pieces = (whole[at : at + 1_000] for at in range(0, len(whole), 1_000))
        client.raw_insert("scans", data.column_names, pieces, fmt="ArrowStream")
        assert table() == 1_000

    @pytest.mark.parametrize("inline", [True, False])
    def test_text_formats(self, client: Any, table: Callable[[], int], inline: bool) -> None:
        data = b'{"person": 1, "direction": "in", "note": "a;b\\n"}\n{"person": 2, "note": "--"}\n'
        block = data if inline else iter([data[:30], data[30:]])
        client.raw_insert("scans", ["person", "direction", "note"], block, fmt="JSONEachRow")
        client.command(
            "INSERT INTO scans (person, note) VALUES (3, 'it''s; (x)'), (4, 'FORMAT CSV')"
        )
        client.command("INSERT INTO scans (person, note) SELECT number + 5, 'n' FROM numbers(2)")
        got = client.query("SELECT person, note FROM scans ORDER BY person").result_rows
        assert got[:4] == [(1, "a;b\n"), (2, "--"), (3, "it's; (x)"), (4, "FORMAT CSV")]
        assert len(got) == 6

    def test_settings_in_an_insert(self, client: Any, table: Callable[[], int]) -> None:
        settings = {"input_format_skip_unknown_fields": 0}
        unknown = b'{"person": 1, "colour": "red"}'
        error = raised(
            lambda: client.raw_insert("scans", ["person"], unknown, settings, "JSONEachRow")
        )
        assert error.code == 117
        assert table() == 0

    def test_one_insert_is_one_part_of_a_partition(
        self, client: Any, table: Callable[[], int]
    ) -> None:
        client.command("SYSTEM STOP MERGES scans")
        client.insert_arrow("scans", arrow(100_000), settings={"async_insert": 0})
        sql = f"SELECT count() {PARTS}"
        assert client.command(sql) == 1
        client.command("SYSTEM START MERGES scans")
        assert table() == 100_000

    def test_bad_data_inserts_nothing(self, client: Any, table: Callable[[], int]) -> None:
        bad = b'{"person": 1}\n{"person": "x"}\n'
        error = raised(lambda: client.raw_insert("scans", ["person"], bad, fmt="JSONEachRow"))
        assert error.code in (27, 72)
        truncated = (b"\0" * 8 * 10)[:-3]
        error = raised(lambda: client.raw_insert("scans", ["person"], truncated, fmt="RowBinary"))
        assert error.code == 33
        assert table() == 0

    @pytest.mark.parametrize("how", ["arrow", "values", "select"])
    def test_what_fails_after_parsing_is_an_error(
        self, client: Any, table: Callable[[], int], how: str
    ) -> None:
        """chdb's own streaming insert says success here, and has written nothing."""
        client.command("ALTER TABLE scans ADD CONSTRAINT small CHECK person != 150000")
        calls: dict[str, Callable[[], object]] = {
            "arrow": lambda: client.insert_arrow("scans", arrow(200_000)),
            "values": lambda: client.command("INSERT INTO scans (person) VALUES (150000)"),
            "select": lambda: client.command(
                "INSERT INTO scans (person) SELECT number FROM numbers(149990, 20)"
            ),
        }
        assert raised(calls[how]).code == 469
        assert table() == 0

    def test_too_many_partitions_is_an_error(self, client: Any, table: Callable[[], int]) -> None:
        weeks = [[MONDAY + timedelta(weeks=n)] for n in range(101)]
        error = raised(lambda: client.insert("scans", weeks, column_names=["at"]))
        assert error.code == 252
        assert table() == 0

    def test_a_timeout_in_an_insert_is_an_error(
        self, client: Any, table: Callable[[], int]
    ) -> None:
        client.command("ALTER TABLE scans MODIFY COLUMN note DEFAULT toString(sleepEachRow(0.01))")
        settings = {"max_execution_time": 0.3, "max_block_size": 10, "max_insert_block_size": 10}
        data = arrow(1_000)
        error = raised(lambda: client.insert_arrow("scans", data, settings=settings))
        assert error.code in (159, 160)
        assert table() < 1_000

    def test_settings_inside_an_insert(self, client: Any, table: Callable[[], int]) -> None:
        sql = "INSERT INTO scans (person) SETTINGS input_format_skip_unknown_fields = 0"
        lines = b'{"person": 1, "x": 2}'
        error = raised(lambda: client.command(f"{sql} FORMAT JSONEachRow", data=lines))
        assert error.code == 117
        client.command(f"{sql} FORMAT JSONEachRow", data=b'{"person": 1}')
        assert table() == 1

    def test_the_same_token_inserts_once(self, client: Any, table: Callable[[], int]) -> None:
        client.command("ALTER TABLE scans MODIFY SETTING non_replicated_deduplication_window = 100")
        settings = {"insert_deduplication_token": "t1", "async_insert": 0, "insert_deduplicate": 1}
        for _ in range(2):
            client.insert("scans", rows(10), column_names=COLUMNS, settings=settings)
        assert table() == 10


class TestTables:
    def test_delete_optimize_projection(self, client: Any, table: Callable[[], int]) -> None:
        for _ in range(3):
            client.insert_arrow("scans", arrow(20_000))
        client.command("ALTER TABLE scans DELETE WHERE person < 50", settings={"mutations_sync": 2})
        client.command("OPTIMIZE TABLE scans FINAL")
        assert table() == 3 * (20_000 - 50)
        assert client.command(f"SELECT count() {PARTS}") == 1
        projection = {"force_optimize_projection_name": "by_offset"}  # an error if it is not used
        sql = "SELECT count() FROM scans WHERE offset BETWEEN 60 AND 69"
        assert client.query(sql, settings=projection).result_rows == [(30,)]

    def test_a_row_past_its_ttl_goes(self, client: Any) -> None:
        client.command("DROP TABLE IF EXISTS old SYNC")
        client.command(
            "CREATE TABLE old (at DateTime) ENGINE = MergeTree ORDER BY at "
            "TTL at + INTERVAL 1 DAY SETTINGS ttl_only_drop_parts = 1"
        )
        client.command("INSERT INTO old SELECT now() - INTERVAL 9 DAY")
        client.command("OPTIMIZE TABLE old FINAL")
        assert client.command("SELECT count() FROM old") == 0

    def test_merges_run_in_the_background(self, client: Any, table: Callable[[], int]) -> None:
        for n in range(12):
            client.insert("scans", rows(10, n * 10), column_names=COLUMNS)
        sql = f"SELECT max(level) {PARTS}"
        _until(lambda: client.command(sql) > 0)
        assert table() == 120


def _known_or_over(client: Any, known: str, outcome: list[int | None]) -> bool:
    return bool(outcome) or client.command(known) > 0


def _until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


class TestErrors:
    @pytest.mark.parametrize(
        ("sql", "code", "status"),
        [
            ("SELECT * FROM nowhere", 60, 404),
            ("SELEC 1", 62, 400),
            ("SELECT nothing", 47, 404),
            ("SELECT throwIf(1)", 395, 500),
            ("SELECT * FROM nodb.t", 81, 404),
            ("SELECT 1 FORMAT Nonsense", 73, 404),
            ("INSERT INTO nowhere FORMAT JSONEachRow {}", 60, 404),
        ],
    )
    def test_code_status_and_header(
        self, address: Address, client: Any, sql: str, code: int, status: int
    ) -> None:
        answer = post(address, f"/?database={DATABASE}&query_id=", sql.encode())
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
        assert f"X-ClickHouse-Exception-Code: {code}\r\n".encode() in answer
        assert f"Code: {code}. DB::Exception: ".encode() in answer
        assert raised(lambda: client.command(sql)).code == code

    def test_an_error_in_the_midst_of_a_stream_is_an_exception(self, client: Any) -> None:
        sql = "SELECT number, throwIf(number = 3000000) FROM numbers(5000000)"
        seen: list[int] = []

        def read() -> None:
            with client.query_row_block_stream(sql, settings={"max_block_size": 10_000}) as stream:
                seen.extend(len(block) for block in stream)

        assert "throwIf" in str(raised(read))
        assert sum(seen) < 5_000_000
        assert client.command("SELECT 1") == 1

    def test_the_query_id_comes_back(self, client: Any) -> None:
        name = f"contract-{uuid.uuid4()}"
        assert client.query("SELECT 1", settings={"query_id": name}).query_id == name

    def test_max_execution_time(self, client: Any) -> None:
        began = time.monotonic()
        assert raised(lambda: client.command(LONG, settings={"max_execution_time": 1})).code == 159
        assert time.monotonic() - began < 5


class TestEndings:
    """Ending an attempt for good: DESIGN §5, step 2 of the recipe."""

    def test_kill_by_log_comment(self, address: Address, client: Any) -> None:
        mine = f"truyvet/contract/{uuid.uuid4()}/"
        codes: list[int | None] = []

        def ask(n: int, prefix: str) -> None:
            with address.client() as asking:
                settings = {"log_comment": f"{prefix}{n}", "max_execution_time": 8}
                codes.append(raised(lambda: asking.command(LONG, settings=settings)).code)

        threads = [threading.Thread(target=ask, args=(n, mine)) for n in range(2)]
        for thread in threads:
            thread.start()
        left = (
            "SELECT count() FROM system.processes "
            f"WHERE startsWith(Settings['log_comment'], '{mine}')"
        )
        _until(lambda: client.command(left) == 2)
        client.command(f"KILL QUERY WHERE Settings['log_comment'] LIKE '{mine}1%' SYNC")
        assert client.command(left) == 1
        client.command(f"KILL QUERY WHERE Settings['log_comment'] LIKE '{mine}%' SYNC")
        assert client.command(left) == 0
        for thread in threads:
            thread.join(5)
        assert codes == [394, 394]

    def test_an_acknowledged_insert_is_there_and_a_killed_one_says_so(
        self, address: Address, client: Any, table: Callable[[], int]
    ) -> None:
        data = arrow(100_000)
        for n in range(8):
            client.command("TRUNCATE TABLE scans")
            outcome: list[int | None] = []
            with address.client() as inserting:
                comment = {"log_comment": f"truyvet/insert/{n}/"}

                def insert(
                    inserting: Any = inserting,
                    comment: dict[str, str] = comment,
                    outcome: list[int | None] = outcome,
                ) -> None:
                    try:
                        inserting.insert_arrow("scans", data, settings=comment)
                        outcome.append(0)
                    except DatabaseError as error:
                        outcome.append(error.code)

                thread = threading.Thread(target=insert)
                thread.start()
                like = f"truyvet/insert/{n}/%"
                # A KILL cannot know a request that has not arrived yet.
                known = (
                    "SELECT count() FROM system.processes "
                    f"WHERE startsWith(Settings['log_comment'], '{like[:-1]}')"
                )
                _until(partial(_known_or_over, client, known, outcome))
                time.sleep(0.008 * n)
                client.command(f"KILL QUERY WHERE Settings['log_comment'] LIKE '{like}' SYNC")
                at_kill = table()
                thread.join(10)
            assert outcome in ([0], [394])
            assert table() == at_kill
            assert outcome == [394] or at_kill == 100_000

    def test_kill_of_nothing(self, client: Any) -> None:
        client.command("KILL QUERY WHERE Settings['log_comment'] LIKE 'truyvet/none/%' SYNC")

    def test_a_client_that_leaves_ends_its_query(self, address: Address, client: Any) -> None:
        name = f"gone-{uuid.uuid4()}"
        target = f"/?log_comment={name}&cancel_http_readonly_queries_on_client_close=1"
        head = f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(LONG)}\r\n"
        left = f"SELECT count() FROM system.processes WHERE Settings['log_comment'] = '{name}'"
        with address.socket() as raw:
            raw.sendall(head.encode() + b"\r\n" + LONG.encode())
            _until(lambda: client.command(left) == 1)
        _until(lambda: client.command(left) == 0)

    def test_a_client_that_stops_reading_can_be_killed(self, address: Address, client: Any) -> None:
        name = f"stalled-{uuid.uuid4()}"
        sql = b"SELECT number FROM numbers(100000000000)"
        left = f"SELECT count() FROM system.processes WHERE Settings['log_comment'] = '{name}'"
        head = (
            f"POST /?log_comment={name} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(sql)}\r\n\r\n"
        )
        with address.socket() as raw:
            raw.sendall(head.encode() + sql)
            raw.recv(1000)
            client.command(f"KILL QUERY WHERE Settings['log_comment'] = '{name}' SYNC")
            assert client.command(left) == 0

    @pytest.mark.parametrize("how", ["length", "chunked", "gzip"])
    def test_a_body_cut_short_inserts_nothing(
        self, address: Address, table: Callable[[], int], how: str
    ) -> None:
        target = f"/?database={DATABASE}&query=INSERT+INTO+scans+(person)+FORMAT+RowBinary"
        data = b"\1" * 8 * 3_000_000  # more than one block: a server that streams would start
        extra = ""
        if how == "gzip":
            data = zlib.compress(data, 1, 31)[:-20]
            extra = "Content-Encoding: gzip\r\n"
        length = (
            "Transfer-Encoding: chunked" if how == "chunked" else f"Content-Length: {len(data) + 8}"
        )
        if how == "gzip":
            length = f"Content-Length: {len(data)}"
        with address.socket() as raw:
            raw.sendall(f"POST {target} HTTP/1.1\r\nHost: x\r\n{extra}{length}\r\n\r\n".encode())
            raw.sendall(b"%x\r\n%s\r\n" % (len(data), data) if how == "chunked" else data)
        time.sleep(0.5)
        assert table() == 0

    def test_keep_alive_after_an_error(self, address: Address) -> None:
        with address.socket() as raw:
            for sql, marker in ((b"SELECT nothing", b" 404 "), (b"SELECT 7", b" 200 ")):
                head = "POST /?wait_end_of_query=1 HTTP/1.1\r\nHost: x\r\nContent-Length: "
                raw.sendall(f"{head}{len(sql)}\r\n\r\n".encode() + sql)
                assert marker in raw.recv(1 << 16)
