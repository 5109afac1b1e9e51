"""A topic full of scans for a benchmark: a simulated city, put straight on the topics."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiokafka import AIOKafkaProducer

from issuer.codes import KeyRing, first_code
from issuer.units import HAI_PHONG, wards_of
from schemas.errors import UserError
from schemas.places import Place, Producer, place_key
from schemas.settings import Settings
from schemas.topics import PRODUCERS, SITES
from sim.city import plan_city
from sim.codes import City, city_json

_DAYS = 14
_TIMEOUT_S = 1200


def fill_topic(settings: Settings, records: int, seed: int) -> None:
    """Register a city and publish `records` scans of its last two weeks. Raises UserError."""
    until = datetime.now(UTC).replace(microsecond=0)
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
    asyncio.run(_register(settings.kafka_bootstrap, places))
    city_file = settings.data_dir / "bench-city.json"
    city_file.write_bytes(city_json(City(tuple(places))))
    _publish(settings, city_file, records, seed, until)


async def _register(bootstrap: str, places: Sequence[Place]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
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


def _publish(settings: Settings, city_file: Path, records: int, seed: int, until: datetime) -> None:
    command = [sys.executable, "-m", "sim.publish", "--city", str(city_file)]
    command += ["--out", str(settings.data_dir / "bench-truth"), "--events", str(records)]
    command += ["--seed", str(seed), "--until", until.isoformat()]
    command += ["--bootstrap", settings.kafka_bootstrap]
    done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)
    if done.returncode:
        raise UserError(f"the producer stopped: {done.stderr[-300:].decode(errors='replace')}")
