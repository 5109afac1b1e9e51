"""JSON Schemas of everything that crosses a boundary: `python -m schemas.export` writes them.

The files in `schemas/json/` are golden: a test fails when a model no longer agrees with its
file, so that a change to the wire is always seen in a review.
"""

from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import BaseModel

from schemas.cases import Alert, Case
from schemas.places import Place, Producer, Site
from schemas.scan import Scan

DIRECTORY: Final = Path(__file__).parent / "json"
MODELS: Final[dict[str, type[BaseModel]]] = {
    "scan.v1": Scan,
    "site.v1": Site,
    "place.v1": Place,
    "producer.v1": Producer,
    "case.v1": Case,
    "alert.v1": Alert,
}


def json_schemas() -> dict[str, bytes]:
    """File name to its text: JSON Schema 2020-12, keys sorted, two spaces."""
    return {f"{name}.json": _written(name, model) for name, model in MODELS.items()}


def _written(name: str, model: type[BaseModel]) -> bytes:
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:truyvet:{name}",
        **model.model_json_schema(mode="validation"),
    }
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def main() -> None:
    """Write the golden files."""
    DIRECTORY.mkdir(exist_ok=True)
    for name, text in json_schemas().items():
        (DIRECTORY / name).write_bytes(text)


if __name__ == "__main__":
    main()
