"""What must be true of the rows on several shards."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from schemas.errors import UserError
from streams.clickhouse import ClickHouse


def must_hold(clients: Sequence[ClickHouse], rows: int) -> tuple[int, float]:
    """Rows of the smallest shard, and the share of people on more than one. Raises UserError
    unless each row is there once and each place on one shard."""
    counts, places, persons = [], [], []
    for client in clients:
        [(count, offsets)] = client.rows(
            "SELECT count(), uniqExact(kafka_partition, kafka_offset) FROM scans"
        )
        if count != offsets:
            raise UserError(
                f"{count - offsets} dòng bị lặp. / {count - offsets} rows are there twice."
            )
        counts.append(int(count))
        places.append(_distinct(client, "place"))
        persons.append(_distinct(client, "person"))
    if sum(counts) != rows:
        raise UserError(
            f"Có {sum(counts)} dòng, không phải {rows}. / {sum(counts)} rows are there, not {rows}."
        )
    if (np.unique(np.concatenate(places), return_counts=True)[1] > 1).any():
        raise UserError(
            "Một điểm quét nằm ở hai mảnh: lượt quét chung sẽ bị chia đôi. / "
            "A place is on two shards: a co-location would cross them."
        )
    on = np.unique(np.concatenate(persons), return_counts=True)[1]
    return min(counts), round(float((on > 1).mean()), 3)


def _distinct(client: ClickHouse, column: str) -> Any:
    found = client.query_arrow(f"SELECT DISTINCT {column} FROM scans")  # noqa: S608 (ours)
    return found.column(0).to_numpy()
