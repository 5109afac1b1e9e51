"""JSON Schemas of everything that crosses a boundary, and the AsyncAPI document of the topics
they cross it on: `python -m schemas.export` writes them.

The files in `schemas/json/` are golden: a test fails when a model no longer agrees with its
file, so that a change to the wire is always seen in a review.
"""

from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import BaseModel

from schemas import asyncapi
from schemas.cases import Alert, Case
from schemas.coverage import Posting, RequiredList, Requirement
from schemas.erasures import Erasure
from schemas.inspections import InspectionStep
from schemas.notices import Reminder
from schemas.places import Place, Producer, Site
from schemas.scan import Scan

DIRECTORY: Final = Path(__file__).parent / "json"
ASYNCAPI: Final = "asyncapi.json"
MODELS: Final[dict[str, type[BaseModel]]] = {
    "scan.v1": Scan,
    "site.v1": Site,
    "place.v1": Place,
    "producer.v1": Producer,
    "case.v1": Case,
    "alert.v1": Alert,
    "posting.v1": Posting,
    "required-list.v1": RequiredList,
    "requirement.v1": Requirement,
    "inspection-step.v1": InspectionStep,
    "reminder.v1": Reminder,
    "erasure.v1": Erasure,
}


def json_schemas() -> dict[str, bytes]:
    """File name to its text, keys sorted, two spaces: JSON Schema 2020-12 of each model, and the
    AsyncAPI document, whose schemas are the same models'."""
    written = {f"{name}.json": _written(_schema(name, model)) for name, model in MODELS.items()}
    return written | {ASYNCAPI: _written(asyncapi.document())}


def _schema(name: str, model: type[BaseModel]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:truyvet:{name}",
        **model.model_json_schema(mode="validation"),
    }


def _written(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def main() -> None:
    """Write the golden files."""
    DIRECTORY.mkdir(exist_ok=True)
    for name, text in json_schemas().items():
        (DIRECTORY / name).write_bytes(text)


if __name__ == "__main__":
    main()
