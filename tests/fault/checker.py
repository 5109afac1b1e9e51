"""The one check that every run of this suite ends with: exact equality, offset by offset."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from schemas.clickhouse.few import by_name
from schemas.topics import DLQ, SCANS
from streams.convert import OUTCOMES
from tests.fault.ledger import U64, Entries, Ledger, committed_messages, place_text, places
from tests.fault.opencase import OpenCase
from tests.system import System, wait_for

DRAIN_S: Final = 120.0
PROJECTIONS: Final = {
    "by_person": "count(), sum(kafka_offset), sum(cityHash64(person, scanned_at))",
    "packed_by_person": "count(), sum(cityHash64(person, packed, trip))",
    "by_offset": "count(), sum(kafka_offset)",
}


@dataclass(frozen=True)
class Agreed:
    """What a check that passed has counted."""

    records: int
    tables: Counter[str]
    alerts: int
    alerts_repeated: int

    def __str__(self) -> str:
        tables = ", ".join(f"{n} {name}" for name, n in self.tables.items() if n)
        return (
            f"{self.records} records = {tables}; {self.alerts} alerts "
            f"({self.alerts_repeated} sent again under the same id); 0 missing, 0 twice"
        )


class Checker:
    """Compares the tables, the dead letters, the alerts and the commits with the topic.

    Keeps its own copy of the topic, so that a head which retention has cut still counts. Raises
    AssertionError that says what differs and gives examples as partition/offset.
    """

    def __init__(self, system: System, case: OpenCase | None = None) -> None:
        self._system = system
        self._case = case
        self._ledger = Ledger(system.settings, SCANS.name)

    def read_on(self) -> Entries:
        """Copy what the topic holds by now."""
        return self._ledger.read_on(range(self._system.settings.scan_partitions))

    def wait(
        self, keep_alive: Callable[[], None] = lambda: None, timeout_s: float = DRAIN_S
    ) -> None:
        """Until the committed offset of every partition is its log's end, markers included."""

        def done() -> bool:
            keep_alive()
            return not self._behind()

        try:
            wait_for(done, timeout_s, "the commits to reach the log's ends")
        except AssertionError as error:
            raise AssertionError(f"{error}: {'; '.join(self._behind())}") from None

    def _behind(self) -> list[str]:
        committed = self._system.committed()
        return [
            f"partition {p} is committed to {committed.get(p, 0)} of {end}"
            for p, end in sorted(self._system.end_offsets().items())
            if committed.get(p, 0) < end
        ]

    def check(self) -> Agreed:
        """Everything, at a moment when nothing flows and the commits have reached the ends."""
        behind = self._behind()
        assert not behind, f"commits stop short: {'; '.join(behind)}"
        log = self.read_on()
        tables = self._outcomes(log)
        self._identities(log)
        self._duplicates(log, tables["expired"])
        self._projections()
        self._dead_letters(tables["rejects"])
        alerts, repeated = self._alerts()
        counts = Counter({name: len(there) for name, there in tables.items()})
        return Agreed(len(log.place), counts, alerts, repeated)

    def check_tables(self) -> None:
        """Only that nothing is in the tables twice: true at every moment, whatever still runs."""
        self._twice(np.concatenate(list(self._read_outcomes().values())))

    def _outcomes(self, log: Entries) -> dict[str, U64]:
        tables = self._read_outcomes()
        there = self._twice(np.concatenate(list(tables.values())))
        _nothing(
            {
                "missing from the tables": np.setdiff1d(log.place, there),
                "in the tables and not in the topic": np.setdiff1d(there, log.place),
            }
        )
        return tables

    def _read_outcomes(self) -> dict[str, U64]:
        tables: dict[str, U64] = {}
        for table in OUTCOMES:
            rows = self._system.clickhouse.query_arrow(
                f"SELECT kafka_partition, kafka_offset FROM {table}"
            )
            tables[table] = places(rows.column(0).to_numpy(), rows.column(1).to_numpy())
        return tables

    def _twice(self, everywhere: U64) -> U64:
        there, times = np.unique(everywhere, return_counts=True)
        _nothing({"twice in the tables": there[times > 1]})
        return there

    def _identities(self, log: Entries) -> None:
        """A row holds the event of the record at its own offset, not of a neighbour's."""
        rows = self._system.clickhouse.query_arrow(
            "SELECT kafka_partition, kafka_offset, UUIDToNum(event_id) AS id FROM scans"
        )
        there = places(rows.column(0).to_numpy(), rows.column(1).to_numpy())
        ids = b"".join(rows.column(2).combine_chunks().to_pylist())
        events = np.frombuffer(ids, ">u8").reshape(-1, 2)[:, 0].astype(np.uint64)
        wrong = there[log.events_at(there) != events]
        assert not len(wrong), f"{len(wrong)} rows hold another record's event, {_some(wrong)}"

    def _duplicates(self, log: Entries, expired: U64) -> None:
        rows = self._system.clickhouse.rows
        again = rows(
            "SELECT groupArray((kafka_partition, kafka_offset)) AS there FROM scans "
            "GROUP BY person, event_id HAVING length(there) > 1 ORDER BY there LIMIT 1000"
        )
        assert not again, (
            f"{len(again)} scans are there twice under another offset, "
            f"e.g. {'; '.join(str(there) for (there,) in again[:3])}"
        )
        orphans = self._system.clickhouse.query_arrow(
            "SELECT kafka_partition, kafka_offset FROM duplicates "
            "WHERE (person, event_id) NOT IN (SELECT person, event_id FROM scans)"
        )
        alone = places(orphans.column(0).to_numpy(), orphans.column(1).to_numpy())
        # the first may have grown too old to be written
        gone = np.isin(log.events_at(alone), log.events_at(expired))
        _nothing({"duplicates of a scan that is not there": alone[~gone]})

    def _projections(self) -> None:
        rows = self._system.clickhouse.rows
        for projection, columns in PROJECTIONS.items():
            [plain] = rows(f"SELECT {columns} FROM scans SETTINGS optimize_use_projections = 0")
            [there] = rows(f"SELECT {columns} FROM {by_name('scans', projection)}")
            assert there == plain, f"projection {projection} has {there}, its table {plain}"

    def _dead_letters(self, rejects: U64) -> None:
        settings = self._system.settings
        keys = {m.key() for m in committed_messages(settings, DLQ.name, [0], {})}
        where = np.array([key.decode().split("/")[1:] for key in keys], dtype=np.int64)
        letters = places(*where.reshape(-1, 2).T)
        _nothing(
            {
                "rejects without a dead letter": np.setdiff1d(rejects, letters),
                "dead letters without a reject": np.setdiff1d(letters, rejects),
            }
        )

    def _alerts(self) -> tuple[int, int]:
        if self._case is None:
            return 0, 0
        due, out = self._case.due(), self._case.out()
        missing = due - out.keys()
        assert not missing, f"{len(missing)} of {len(due)} alerts that are due are not out"
        strange = out.keys() - due
        assert not strange, f"{len(strange)} alerts are out for scans that are in no window"
        return len(due), sum(out.values()) - len(out)


def _nothing(faults: dict[str, U64]) -> None:
    found = [f"{len(them)} {what}, {_some(them)}" for what, them in faults.items() if len(them)]
    assert not found, "; ".join(found)


def _some(them: U64) -> str:
    return "e.g. " + ", ".join(place_text(int(place)) for place in them[:5])
