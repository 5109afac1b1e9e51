"""A city of a few thousand places on `sites.v1`, and the producer that the load is from."""

from collections.abc import Sequence
from typing import Final

from confluent_kafka import Producer as KafkaProducer

from issuer.codes import KeyRing, first_code
from issuer.units import HAI_PHONG, wards_of
from schemas.errors import UserError
from schemas.kafka import librdkafka
from schemas.places import Place, Producer, place_key
from schemas.settings import Settings
from schemas.topics import PRODUCERS, SITES
from sim.city import plan_city

PRODUCER: Final = "sim"
_PLACES_PER_PERSON: Final = 0.13  # what sim.city plans, less a margin
_FLUSH_S: Final = 60


def register_city(settings: Settings, places: int, seed: int) -> list[Place]:
    """Publish `places` places of a planned city, each with a live code. Raises UserError."""
    made = city_places(KeyRing.parse(settings.code_keys.get_secret_value()), places, seed)
    records = [(SITES.name, place_key(p.id), p.model_dump_json()) for p in made]
    source = Producer(id=PRODUCER, name="bench")
    publish(settings, [*records, (PRODUCERS.name, source.id, source.model_dump_json())])
    return made


def city_places(ring: KeyRing, places: int, seed: int) -> list[Place]:
    """`places` places of a planned city, each with a code. Raises UserError."""
    plan = plan_city(wards_of(HAI_PHONG), seed, int(places / _PLACES_PER_PERSON) + 1_000)
    made = [
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
            ),
            ring,
        )
        for number, (site, spec) in enumerate(plan.places[:places], start=1)
    ]
    if len(made) < places:
        raise UserError(
            f"Thành phố có {len(made)} điểm quét, không phải {places}. / "
            f"The city has {len(made)} places, not {places}."
        )
    return made


def publish(settings: Settings, records: Sequence[tuple[str, str, str]]) -> None:
    """Publish (topic, key, value) and wait for every acknowledgement. Raises UserError."""
    failed: list[str] = []

    def delivered(error: object, _message: object) -> None:
        if error is not None:
            failed.append(str(error))

    producer = KafkaProducer(
        {
            **librdkafka(settings),
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "log_level": 3,  # a broker that has just started makes it warn
        }
    )
    for topic, key, value in records:
        producer.produce(topic, key=key, value=value, on_delivery=delivered)
        producer.poll(0)
    left = producer.flush(_FLUSH_S)
    if left or failed:
        raise UserError(
            f"{left + len(failed)} bản ghi chưa được xác nhận: {failed[:1]}. / "
            f"{left + len(failed)} records were not acknowledged: {failed[:1]}."
        )
