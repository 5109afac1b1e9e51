"""PostgreSQL: the days' files by COPY, in the order of time, with the two indexes of its users.

`python run_psycopg.py SOCKET FILES QUESTIONS`.
"""

# What it imports is installed in its own environment only.
# mypy: disable-error-code="import-not-found"

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow.parquet as pq
from answers import LONGEST_MS, Rows, answer, rows_of, say

EPOCH_MS = 946_684_800_000  # of PostgreSQL: 2000-01-01
LONGEST = f"interval '{LONGEST_MS} milliseconds'"
# Each scan in at the case's places and hours, and the same person's next scan by the index.
SQL = f"""
WITH mine AS (
    SELECT place, at AS start, leaves, lead(at) OVER w AS stop, lead(place) OVER w AS next_place,
           lead(leaves) OVER w AS next_leaves
    FROM scans WHERE person = %(p)s AND at BETWEEN %(b)s - {LONGEST} AND %(e)s + {LONGEST}
    WINDOW w AS (ORDER BY at)
), c AS MATERIALIZED (
    SELECT place, greatest(start, %(b)s) AS start, least(stop, %(e)s) AS stop FROM mine
    WHERE NOT leaves AND next_leaves AND next_place = place AND stop - start <= {LONGEST}
      AND start < %(e)s AND stop > %(b)s
)
SELECT i.person, i.place, (extract(epoch FROM greatest(c.start, i.at)) * 1000)::bigint,
       (extract(epoch FROM least(c.stop, o.at)) * 1000)::bigint
FROM c
JOIN scans i ON i.place = c.place AND i.at BETWEEN c.start - {LONGEST} AND c.stop
CROSS JOIN LATERAL (
    SELECT n.at, n.place, n.leaves FROM scans n
    WHERE n.person = i.person AND n.at > i.at ORDER BY n.at LIMIT 1
) o
WHERE NOT i.leaves AND i.person <> %(p)s AND o.leaves AND o.place = i.place
  AND o.at - i.at <= {LONGEST} AND greatest(c.start, i.at) < least(c.stop, o.at)
"""  # noqa: S608 (our own number)
ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("person_size", ">i4"),
        ("person", ">i8"),
        ("place_size", ">i4"),
        ("place", ">i4"),
        ("at_size", ">i4"),
        ("at", ">i8"),
        ("leaves_size", ">i4"),
        ("leaves", "i1"),
    ]
)


def binary(table: Any) -> bytes:
    """Rows as COPY reads them: each field with its length before it."""
    rows = np.zeros(table.num_rows, ROW)
    rows["fields"] = 4
    rows["person_size"] = rows["at_size"] = 8
    rows["place_size"], rows["leaves_size"] = 4, 1
    rows["person"] = table.column("person").to_numpy().view(np.int64)
    rows["place"] = table.column("place").to_numpy()
    rows["at"] = (table.column("ms").to_numpy() - EPOCH_MS) * 1000
    rows["leaves"] = table.column("out").to_numpy()
    return rows.tobytes()


def main(socket: str, files: str, questions: str) -> None:
    """Load, index, answer."""
    begin = time.monotonic()
    client = psycopg.connect(host=socket, dbname="postgres", user="truyvet")
    with client.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE scans (person bigint, place int, at timestamptz, leaves boolean)"
        )
        with cursor.copy("COPY scans FROM STDIN (FORMAT binary, FREEZE)") as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            for file in sorted(Path(files).glob("day-*.parquet")):
                for batch in pq.ParquetFile(file).iter_batches(500_000):
                    copy.write(binary(batch))
            copy.write(b"\xff\xff")
    client.commit()
    say("loaded")
    client.autocommit = True
    client.execute("CREATE INDEX ON scans (place, at)")
    client.execute("CREATE INDEX ON scans (person, at)")
    client.execute("VACUUM ANALYZE scans")
    loaded_s = round(time.monotonic() - begin, 1)

    def ask(person: int, start: int, end: int) -> Rows:
        signed = int(np.uint64(person).astype(np.int64))
        moments = {"p": signed, "b": _moment(start), "e": _moment(end)}
        found = client.execute(SQL, moments).fetchall()
        columns = np.array(found, np.int64).reshape(-1, 4).T
        return rows_of(columns[0].view(np.uint64), *columns[1:])

    [(version,)] = client.execute("SHOW server_version").fetchall()
    [(size,)] = client.execute("SELECT pg_total_relation_size('scans')").fetchall()
    answer(Path(questions), ask, {"version": version, "loaded_s": loaded_s, "bytes": size})
    client.close()


def _moment(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


if __name__ == "__main__":
    main(*sys.argv[1:4])
