"""The city file, and the list of its codes for anyone else's producer."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
from pydantic import TypeAdapter, ValidationError

from schemas.errors import UserError
from schemas.places import Place
from sim.world import live_token

DEFAULT_ORIGIN: Final = "HTTPS://TRUYVET.VN/C/"
DEFAULT_PRODUCER: Final = "sim"
_PLACES: Final = TypeAdapter(tuple[Place, ...])
_TOKENS: Final = TypeAdapter(tuple[str, ...])


@dataclass(frozen=True)
class City:
    """Registered places in the plan's order, codes that were revoked, who publishes."""

    places: tuple[Place, ...]
    revoked: tuple[str, ...] = ()
    producer: str = DEFAULT_PRODUCER
    origin: str = DEFAULT_ORIGIN


def read_city(path: Path) -> City:
    """`{"places": […], "revoked": […], "producer": …, "origin": …}`, or a bare list of places."""
    try:
        raw = orjson.loads(path.read_bytes())
        if isinstance(raw, list):
            raw = {"places": raw}
        return City(
            places=_PLACES.validate_python(raw["places"]),
            revoked=_TOKENS.validate_python(raw.get("revoked", ())),
            producer=str(raw.get("producer", DEFAULT_PRODUCER)),
            origin=str(raw.get("origin", DEFAULT_ORIGIN)),
        )
    except OSError as error:
        raise UserError(
            f"Không đọc được tệp thành phố {path} ({error.strerror}). / "
            f"The city file {path} cannot be read ({error.strerror})."
        ) from None
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"Tệp thành phố {path} không đúng dạng ({error}). / "
            f"The city file {path} is not what was expected ({error})."
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UserError(
            f"Tệp thành phố {path} sai ở {where} ({first['msg']}). / "
            f"The city file {path} is wrong at {where} ({first['msg']})."
        ) from None


def city_json(city: City) -> bytes:
    """A city as `read_city` reads it."""
    record = {
        "places": [p.model_dump(mode="json", exclude_none=True) for p in city.places],
        "revoked": city.revoked,
        "producer": city.producer,
        "origin": city.origin,
    }
    return orjson.dumps(record)


def write_codes(path: Path, places: Sequence[Place], origin: str, from_ms: int) -> None:
    """`codes.csv`: one line a place, its live code and the URL in its QR."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("place", "site", "kind", "name", "ward", "token", "url"))
        for place in places:
            token = live_token(place, from_ms)
            writer.writerow(
                (place.id, place.site, place.kind, place.name, place.ward, token, origin + token)
            )
