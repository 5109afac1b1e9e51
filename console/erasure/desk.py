"""Erasing: a request is entered, worked on until nothing is left but what open cases need, and
answered with what happened and when the rest is gone.

1. The request goes into the list, and by the outbox onto `erasures.v1`.
2. The workers come to where the log ended then: whatever was reported before is written, or not.
3. What is about to go is noted, then deleted, then each offset entered into `erased`.
4. Stored runs and what officers wrote, outside open cases; cards.
5. While an open case has something the request stays `waiting` and is looked at again.

A stop anywhere in between is gone over again from the note.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import structlog

from console.accounting.log import asked as broker_asked
from console.accounting.log import committed_offsets, records_of
from console.accounting.reading import log_ends
from console.erasure.rows import OfPerson, persons_of_event
from console.store import erasures, forgetting, outbox
from console.store.engine import Store, utc_now
from console.store.erasures import Asked, State
from schemas.cases import OPEN_STATUSES
from schemas.errors import Retryable, UserError
from schemas.ids import person_bits, person_text
from schemas.settings import Settings
from schemas.topics import CASES, ERASURES, SCANS
from streams.clickhouse import ClickHouse
from streams.erasures import hash_text, list_key

log = structlog.get_logger()
NO_KEY: Final = (
    "Chưa có TRUYVET_PERSON_KEY nên không lập được danh sách xoá. / TRUYVET_PERSON_KEY is not set: "
    "without it the list of erased persons cannot be made."
)
_OPEN: Final = frozenset(status.value for status in OPEN_STATUSES)


@dataclass(frozen=True)
class Desk:
    """What erasing needs."""

    settings: Settings
    store: Store
    clickhouse: ClickHouse

    def person_of(self, event_id: str) -> str:
        """Whose event it is. Raises UserError if nobody's or several persons'; Retryable."""
        found = persons_of_event(self.clickhouse, event_id)
        if len(found) == 1:
            return person_text(found[0])
        if found:
            raise UserError(
                "Mã sự kiện này thuộc nhiều người: hãy cho biết mã người. / This event id is of "
                "several persons: name the person."
            )
        raise UserError(
            "Không có lượt quét nào với mã này. / No scan with this event id is known here (any "
            "more): name the person."
        )

    def ask(self, person: str, reason: str, by: str) -> Asked:
        """Enter the request. Raises UserError without the person key."""
        key = list_key(self.settings.person_key.get_secret_value())
        if key is None:
            raise UserError(NO_KEY)
        made = erasures.ask(self.store, person, hash_text(person_bits(person), key), reason, by)
        log.info("erasure_asked", erasure=made.id, by=by)
        return made

    def work(self, number: int) -> Asked:
        """Do what can be done now. Raises Retryable and UserError where something is away."""
        asked = erasures.one(self.store, number)
        assert asked is not None
        if asked.person is None:
            return asked
        rows = OfPerson(self.clickhouse, asked.person, asked.before)
        removed = Counter(asked.removed)
        if asked.state is State.RUNNING:
            if outbox.waits(self.store, ERASURES.name, asked.hash):
                raise Retryable("the list is not published yet: a running console does that")
            self._written_before(asked.before)
            removed += self._records(asked, rows)
        opened = self._open_cases()
        removed += rows.runs(opened)
        with self.store.write() as connection:
            removed += forgetting.forget(connection, asked.person, opened, asked.asked_by)
            kept = sorted(forgetting.cases_with(connection, asked.person) | rows.cases())
        state = State.WAITING if kept else State.DONE
        ended: dict[str, Any] = {} if kept else {"person": None, "finished_at": utc_now()}
        erasures.note(
            self.store, number, state=state.value, kept_for=kept, removed=dict(removed), **ended
        )
        log.info("erasure_worked", erasure=number, state=state.value, rows=sum(removed.values()))
        found = erasures.one(self.store, number)
        assert found is not None
        return found

    def work_on_all(self) -> int:
        """Every request that is not done; how many."""
        open_ = erasures.asked(self.store, open_only=True)
        for asked in reversed(open_):
            self.work(asked.id)
        return len(open_)

    def _records(self, asked: Asked, rows: OfPerson) -> Counter[str]:
        removed = Counter[str]()
        if asked.pending:  # of a try that was stopped
            removed += rows.delete(asked.pending)
        pending = rows.records()
        if any(pending["offsets"].values()):
            erasures.note(self.store, asked.id, pending=pending)
            removed += rows.delete(pending)
        erasures.note(
            self.store, asked.id, pending={}, removed=dict(Counter(asked.removed) + removed),
            state=State.WAITING.value,
        )  # fmt: skip
        return removed

    def _written_before(self, before: datetime) -> None:
        """Raises Retryable until the workers have come to the log's end of the moment."""
        if utc_now() < before + timedelta(seconds=1):
            raise Retryable("the moment of the request is not over yet")
        ends = log_ends(self.settings)
        known = broker_asked(self.settings, lambda: committed_offsets(self.settings, SCANS.name))
        left = sum(max(0, end - known.get(partition, 0)) for partition, end in ends.items())
        if left:
            raise Retryable(f"{left} records are still to be written by the workers")

    async def _case_records(self) -> list[bytes]:
        records = records_of(self.settings, CASES.name)
        return [record.value async for record in records if record.value is not None]

    def _open_cases(self) -> set[str]:
        """Of this database and of other systems."""
        found: dict[str, str] = {}
        for value in broker_asked(self.settings, self._case_records):
            found |= _status(value)
        with self.store.read() as connection:
            found |= forgetting.statuses(connection)
        return {case for case, status in found.items() if status in _OPEN}


def _status(value: bytes) -> dict[str, str]:
    try:
        case = orjson.loads(value)
        return {str(case["id"]): str(case["status"])}
    except (ValueError, KeyError, TypeError):
        return {}
