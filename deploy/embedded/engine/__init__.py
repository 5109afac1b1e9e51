"""The embedded ClickHouse engine: chdb behind ClickHouse's HTTP interface, on loopback.

`python -m deploy.embedded.engine --path DIR --port N` prints `engine ready on 127.0.0.1:N`. To
clickhouse-connect (or curl) it is a ClickHouse server, so nothing else knows which one it talks to;
tests/contract/test_clickhouse_http.py runs against either. In reading order: `server` (a request's
way), `protocol` and `body` (what came), `registry` and `slots` (what waits), `node` (the engine and
its sessions), `statement` and `execute` (what runs), `reply` and `codec` (what goes), `kill`,
`errors`; `changes` says to readers on this machine whether scans may have changed.

Spoken: GET (read-only) and POST; `/ping`; `query` in the URL, the body, both, or a multipart form;
`param_*`; any other key as a setting of this query alone; `database`, `default_format`, `query_id`,
`wait_end_of_query`, external tables; lz4, zstd, gzip and deflate both ways; chunked both ways;
Basic and X-ClickHouse-User/Key credentials (TRUYVET_ENGINE_USER, TRUYVET_ENGINE_PASSWORD; without
them loopback is open); ClickHouse's codes, statuses and its block for an error inside a stream.

Not spoken: sessions (`session_id` is accepted, but SET and USE in one are refused and temporary
tables end with the request); ClickHouse's block compression (`compress=1`); `INSERT … SELECT … FROM
input()`; progress headers; TLS; several users. An SQL client can read what this process can
(`file()`), as with clickhouse-local: whoever has the port has the engine.

What is promised beyond a ClickHouse server:
- each request is an engine session of its own, so no setting or parameter reaches another;
- a body is received whole before anything of it runs: one cut short executes nothing;
- `--pool` requests run, `--max-queue` wait; one whose client closed, whose `max_execution_time` ran
  out (the wait counts; the engine gets the rest) or that a KILL matches is dropped before it runs;
- KILL QUERY … SYNC matches requests received, queued and running, and returns when none of them
  runs. Queued ones are matched by URL settings, running ones by SETTINGS in their text too. A
  request whose headers have not arrived yet is unknown to it; should its client be dead, it is
  dropped for that. Only the columns of `kill._ROWS` can be used in the condition;
- an INSERT that started goes to its end when its client leaves; a read-only query is ended.

Limits: 512 connections, 60 s of silence, a line or header of 64 KiB, a statement of 64 MiB, a body
of 4 GiB (8 MiB in memory, then a file in `spool/`). SELECTs in Native, RowBinary, TabSeparated,
CSV, JSONEachRow and ArrowStream are streamed; any other format (Arrow, Parquet, JSON, …WithNames)
is made in memory first. An ArrowStream SELECT with no rows runs twice (chdb streams no schema for
it). X-ClickHouse-Summary is empty for streamed answers. The query id in `system.processes` is
chdb's, the request's tag is there as Settings['query_cache_tag']; KILL … WHERE query_id takes the
client's.

What chdb 4.4 (engine 26.9.2.1) does, tried here:
- `send_insert` answers success and a full row count when the insert failed after parsing
  (constraint, too many partitions, memory, timeout, KILL): never use it. FROM INFILE reports these;
- binary data inside a query text are cut; several statements in one text are all executed;
- a FORMAT in the text wins over the argument; `send_query` gives each block as a complete output;
- `system.processes` and KILL QUERY work across the connections of a process; SYNC waits for a
  streaming SELECT until its owner fetches again;
- a second process gets "Error initializing EmbeddedServer: ." only; hence our lock, exit code 3;
- `config-file=` of the connection string takes server settings (memory, pools, merge_tree); a
  setting there is of that connection. Projections, TTL, mutations and background merges work.

Measured on a busy machine with two cores: `SELECT 1` 1.5 ms over a kept connection, 2–4 ms through
clickhouse-connect; insert_arrow of 100,000 rows × 14 columns into a table with two projections
0.12–0.25 s, of which 15–25 ms are not the engine's; two inserts in flight 280,000–450,000 rows/s;
up in 0.3 s, down in 0.2 s, 250 MB after start and first queries, below 150 MB more while it streams
320 MB.
"""
