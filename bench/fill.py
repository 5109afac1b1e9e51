"""A topic full of scans for a benchmark: a registered city, and what its people scanned.

Places, codes and the producer go on the compacted topics by aiokafka; the scans by librdkafka in
a process of their own (`bench/produce.py`).
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from issuer.codes import KeyRing, first_code
from issuer.units import HAI_PHONG, wards_of
from schemas.errors import UserError
from schemas.kafka import connection
from schemas.places import Place, Producer, place_key
from schemas.settings import Settings
from schemas.topics import PRODUCERS, SITES
from sim.city import plan_city
from sim.codes import City, city_json

_DAYS: Final = 14
_TIMEOUT_S: Final = 1200


@dataclass(frozen=True)
class Filled:
    """What is on the topic now; `expected` counts records by what must become of them."""

    records: int
    value_bytes: float
    seconds: float
    people: int
    expected: Mapping[str, int]

    @property
    def written(self) -> int:
        """Records that must become rows of `scans`."""
        return self.expected.get("written", 0)

    @property
    def duplicates(self) -> int:
        """Records that repeat another."""
        return self.expected.get("duplicate", 0)

    @property
    def rejects(self) -> int:
        """Records that must be refused."""
        return self.records - self.written - self.duplicates


def fill_topic(settings: Settings, records: int, seed: int, garbage: float = 0.0) -> Filled:
    """Register a city and publish `records` scans of its last two weeks.

    `garbage` is the share of refused and, again, of repeated ones. Raises UserError.
    """
    until = datetime.now(UTC).replace(microsecond=0)
    places = register_city(settings, records, seed, until)
    city_file = settings.data_dir / "bench-city.json"
    city_file.write_bytes(city_json(City(tuple(places))))
    command = [sys.executable, "-m", "bench.produce", "--city", str(city_file)]
    command += ["--records", str(records), "--seed", str(seed), "--garbage", str(garbage)]
    command += ["--until", until.isoformat(), "--bootstrap", settings.kafka_bootstrap]
    summary = _last_line(command)
    filled = Filled(
        summary["published"],
        summary["value_bytes"],
        summary["seconds"],
        summary["people"],
        summary["expected"],
    )
    if filled.records != records:
        raise UserError(
            f"Đã gửi {filled.records} bản ghi, không phải {records}. / "
            f"{filled.records} records were published, not {records}."
        )
    return filled


def register_city(settings: Settings, records: int, seed: int, until: datetime) -> list[Place]:
    """A city large enough for `records` scans, on `sites.v1`, and its producer."""
    people = max(2_000, records // 80)
    first_day = (until - timedelta(days=_DAYS)).date()
    plan = plan_city(wards_of(HAI_PHONG), seed, people, first_day, _DAYS + 1)
    ring = KeyRing.parse(settings.code_keys.get_secret_value())
    places = [
        first_code(
            Place(
                id=number,
                site=number,
                name=spec.name,
                kind=spec.kind,
                ward=site.ward,
                sector=site.sector,
                hours=spec.hours,
                capacity=spec.capacity,
                enclosed=spec.enclosed,
                small=spec.small,
                gate=spec.gate,
                usual_stay=spec.usual_stay,
                trips=spec.trips,
            ),
            ring,
        )
        for number, (site, spec) in enumerate(plan.places, start=1)
    ]
    asyncio.run(_register(settings, places))
    return places


async def _register(settings: Settings, places: Sequence[Place]) -> None:
    producer = AIOKafkaProducer(**connection(settings), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for topic, key, value in _records(places):
            await producer.send(topic, value, key=key)
    finally:
        await producer.stop()


def _records(places: Sequence[Place]) -> Iterator[tuple[str, bytes, bytes]]:
    for place in places:
        yield SITES.name, place_key(place.id).encode(), place.model_dump_json().encode()
    sim = Producer(id="sim", name="bench")
    yield PRODUCERS.name, sim.id.encode(), sim.model_dump_json().encode()


def _last_line(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)
    try:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        if done.returncode == 0:
            return found
    except (IndexError, ValueError):
        found = {}
    why = done.stderr[-300:].decode(errors="replace")
    raise UserError(f"Nguồn gửi đã dừng ({why}). / The producer stopped ({why}).")
