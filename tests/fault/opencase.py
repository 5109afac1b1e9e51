"""A case that stays open through a run: which alerts must be out, and which are."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from schemas.cases import Case, CaseStatus
from schemas.ids import person_bits, person_text
from schemas.scan import format_timestamp
from schemas.topics import ALERTS, CASES, SCANS
from tests.fault.ledger import committed_messages
from tests.system import ScanMaker, System, wait_for

_CASE: Final = "fault-1"
_PERSON: Final = person_text(0xFA017)
_PLACES: Final = 3  # the person went from one to the next, two hours at each
_STAY: Final = timedelta(hours=2)
_IN_WINDOW: Final = 0.02


@dataclass(frozen=True)
class Visit:
    """A place-window of the case: the end is excluded."""

    place: int
    begin: datetime
    end: datetime


class OpenCase:
    """Registered once; from then on each scan in one of its place-windows makes an alert."""

    def __init__(self, system: System) -> None:
        self._system = system
        start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)
        self.visits = [
            Visit(system.places[n].id, start + n * 2 * _STAY, start + n * 2 * _STAY + _STAY)
            for n in range(_PLACES)
        ]
        self._since: dict[int, int] = {}

    def register(self) -> None:
        """The person's scans first, then the case; a worker must be running and ready.

        Returns when the worker watches its windows: from here on alerts are due.
        """
        records = []
        for visit in self.visits:
            token = self._system.places[visit.place - 1].codes[-1].token
            records += [
                (_PERSON, scan(_PERSON, token, visit.begin, "in")),
                (_PERSON, scan(_PERSON, token, visit.end, "out")),
            ]
        self._system.publish(SCANS.name, records)
        self._system.drain()
        now = datetime.now(UTC)
        case = Case(
            id=_CASE,
            status=CaseStatus.CONFIRMED,
            person=_PERSON,
            onset=now.date() - timedelta(days=1),
            ward="11413",
            registered_at=now.replace(microsecond=0),
            registered_by="test",
        )
        self._system.publish(CASES.name, [(_CASE, case.model_dump_json().encode())])
        workers = [w for w in self._system.workers if w.alive]
        for worker in workers:
            wait_for(
                lambda w=worker: _watched(w.get("/metrics").text) == len(self.visits),  # type: ignore[misc]
                30,
                "the case's windows to be watched",
            )
        self._since = self._system.end_offsets()

    def due(self) -> set[str]:
        """Ids of the alerts that must be out, from the rows that are in `scans`.

        An independent reckoning: the visits above, and the id's recipe as DESIGN §5 states it.
        """
        ids = set()
        for visit in self.visits:
            rows = self._system.clickhouse.rows(
                "SELECT person, kafka_partition, kafka_offset FROM scans "
                "WHERE place = {place:UInt32} AND person != {person:UInt64} "
                "AND scanned_at >= fromUnixTimestamp64Milli({begin:Int64}, 'UTC') "
                "AND scanned_at < fromUnixTimestamp64Milli({end:Int64}, 'UTC')",
                {
                    "place": visit.place,
                    "person": person_bits(_PERSON),
                    "begin": int(visit.begin.timestamp() * 1000),
                    "end": int(visit.end.timestamp() * 1000),
                },
            )
            ids |= {
                _alert_id(_CASE, person_text(person), visit.place, partition, offset)
                for person, partition, offset in rows
                if offset >= self._since.get(partition, 0)
            }
        return ids

    def out(self) -> dict[str, int]:
        """Ids of the live alerts on `alerts.v1`, and how often each is there."""
        times: dict[str, int] = {}
        for message in committed_messages(self._system.settings, ALERTS.name, [0], {}):
            if orjson.loads(message.value())["kind"] == "scan_in_window":
                identity = dict(message.headers())["ce_id"].decode()
                times[identity] = times.get(identity, 0) + 1
        return times


class CaseScans(ScanMaker):
    """`ScanMaker`'s scans, some of them in the place-windows of an open case."""

    def __init__(self, system: System, seed: int, case: OpenCase) -> None:
        super().__init__(system, seed)
        self._case = case
        self._tokens_of = {place.id: place.codes[-1].token for place in system.places}

    def _one(self) -> tuple[str, bytes]:
        rng = self._rng
        if float(rng.random()) >= _IN_WINDOW:
            return super()._one()
        person = self._people[int(rng.integers(len(self._people)))]
        visit = self._case.visits[int(rng.integers(len(self._case.visits)))]
        moment = visit.begin + float(rng.random()) * (visit.end - visit.begin)
        return person, scan(person, self._tokens_of[visit.place], moment, "in", rng.bytes(16))


def scan(
    person: str, token: str, moment: datetime, direction: str, identity: bytes | None = None
) -> bytes:
    """A plain scan as its JSON."""
    event_id = uuid.UUID(bytes=identity or uuid.uuid4().bytes, version=4)
    return (
        f'{{"event_id":"{event_id}","person":"{person}","code":"{token}",'
        f'"direction":"{direction}","scanned_at":"{format_timestamp(moment)}",'
        f'"method":"self","producer":"sim","device":"d"}}'
    ).encode()


def _watched(metrics: str) -> int:
    for line in metrics.splitlines():
        if line.startswith("truyvet_place_windows"):
            return int(float(line.rsplit(" ", 1)[1]))
    return -1


def _alert_id(*parts: object) -> str:
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
