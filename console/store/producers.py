"""Producers: who may publish scans, on their way to `producers.v1`."""

import re
from typing import Any

from sqlalchemy import insert, select, update

from console.store import outbox, tables
from console.store.engine import Store, utc_now
from console.store.outbox import Entry
from schemas.errors import UserError
from schemas.places import Producer
from schemas.scan import PRODUCER_PATTERN
from schemas.topics import PRODUCERS


def put_producer(store: Store, producer: Producer) -> Producer:
    """Register or change a producer; its version is counted here. The same again changes nothing.

    Raises UserError if its id is not one.
    """
    if not re.fullmatch(PRODUCER_PATTERN, producer.id):
        raise UserError(
            f"{producer.id!r} không phải mã nguồn gửi. / {producer.id!r} is not a producer id: "
            "1 to 32 of a-z, 0-9, '.', '_' and '-', the first a letter or digit."
        )
    p = tables.producers
    with store.write() as connection:
        row = connection.execute(select(p).where(p.c.id == producer.id).with_for_update()).first()
        before = Producer.model_validate(dict(row._mapping)) if row else None
        after = producer.model_copy(update={"version": before.version + 1 if before else 1})
        if before is None:
            connection.execute(insert(p), [_row(after)])
        elif before == after.model_copy(update={"version": before.version}):
            return before
        else:
            connection.execute(update(p).where(p.c.id == after.id).values(_row(after)))
        outbox.append(connection, [producer_entry(after)], utc_now())
    return after


def producer_entry(producer: Producer) -> Entry:
    """Its record on `producers.v1`."""
    value = producer.model_dump_json(exclude_none=True).encode()
    return Entry(PRODUCERS.name, producer.id, value)


def producer(store: Store, producer_id: str) -> Producer | None:
    """One producer, or None."""
    query = select(tables.producers).where(tables.producers.c.id == producer_id)
    with store.read() as connection:
        row = connection.execute(query).first()
    return Producer.model_validate(dict(row._mapping)) if row else None


def list_producers(store: Store) -> list[Producer]:
    """All producers, by id."""
    with store.read() as connection:
        rows = connection.execute(select(tables.producers).order_by(tables.producers.c.id)).all()
    return [Producer.model_validate(dict(row._mapping)) for row in rows]


def _row(producer: Producer) -> dict[str, Any]:
    return producer.model_dump(mode="json")
