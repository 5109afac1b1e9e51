"""DuckDB: the days' files as one table, ordered by place and time, with an index of persons.

`python run_duckdb.py DATABASE FILES QUESTIONS`.
"""

# What it imports is installed in its own environment only.
# mypy: disable-error-code="import-not-found"

import os
import sys
import time
from pathlib import Path

import duckdb
from answers import LONGEST_MS, Rows, answer, rows_of, say

# The case's stays, who came there in time, all stays of these, and who overlaps.
SQL = f"""
WITH mine AS (
    SELECT place, ms AS start, out, lead(ms) OVER w AS stop, lead(place) OVER w AS next_place,
           lead(out) OVER w AS next_out
    FROM scans WHERE person = $p AND ms BETWEEN $b - {LONGEST_MS} AND $e + {LONGEST_MS}
    WINDOW w AS (ORDER BY ms)
), c AS (
    SELECT place, greatest(start, $b) AS start, least(stop, $e) AS stop FROM mine
    WHERE out = 0 AND next_out = 1 AND next_place = place AND stop - start <= {LONGEST_MS}
      AND start < $e AND stop > $b
), near AS (
    SELECT DISTINCT s.person FROM scans s JOIN c ON s.place = c.place
    WHERE s.out = 0 AND s.ms BETWEEN c.start - {LONGEST_MS} AND c.stop AND s.person <> $p
), theirs AS (
    SELECT person, place, ms AS start, out, lead(ms) OVER w AS stop,
           lead(place) OVER w AS next_place, lead(out) OVER w AS next_out
    FROM scans WHERE person IN (SELECT person FROM near)
      AND ms BETWEEN $b - {LONGEST_MS} AND $e + {LONGEST_MS}
    WINDOW w AS (PARTITION BY person ORDER BY ms)
)
SELECT t.person AS person, t.place AS place, greatest(c.start, t.start) AS start,
       least(c.stop, t.stop) AS stop
FROM theirs t JOIN c ON t.place = c.place
WHERE t.out = 0 AND t.next_out = 1 AND t.next_place = t.place AND t.stop - t.start <= {LONGEST_MS}
  AND t.start < c.stop AND c.start < t.stop AND greatest(c.start, t.start) < least(c.stop, t.stop)
"""  # noqa: S608 (our own number)


def main(database: str, files: str, questions: str) -> None:
    """Load, index, answer."""
    begin = time.monotonic()
    home = Path(database).parent
    client = duckdb.connect(database)
    client.execute(f"SET threads = {len(os.sched_getaffinity(0))}")
    client.execute("SET memory_limit = '6GB'")
    client.execute(f"SET temp_directory = '{home}'")
    client.execute(
        "CREATE TABLE scans AS SELECT person, place, ms, out "  # noqa: S608 (our own path)
        f"FROM read_parquet('{files}/day-*.parquet') ORDER BY place, ms"
    )
    say("loaded")
    client.execute("CREATE INDEX by_person ON scans (person)")
    client.execute("CHECKPOINT")
    loaded_s = round(time.monotonic() - begin, 1)

    def ask(person: int, start: int, end: int) -> Rows:
        found = client.execute(SQL, {"p": person, "b": start, "e": end}).fetchnumpy()
        return rows_of(found["person"], found["place"], found["start"], found["stop"])

    facts = {
        "version": duckdb.__version__,
        "loaded_s": loaded_s,
        "bytes": sum(f.stat().st_size for f in home.iterdir() if f.is_file()),
    }
    answer(Path(questions), ask, facts)
    client.close()


if __name__ == "__main__":
    main(*sys.argv[1:4])
