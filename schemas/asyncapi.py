"""The AsyncAPI 3.0 document of all topics, made from `schemas.topics` and the models.

`python -m schemas.export` writes it to `schemas/json/asyncapi.json`; the golden test compares.
To add a topic: its row in `CHANNELS`. What a record's value and headers are, is said here once;
contract tests hold real records of the worker and the console to it.
"""

from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from schemas.cases import Alert, Case, TraceAgain
from schemas.coverage import Posting, RequiredList, Requirement
from schemas.erasures import HASH_PATTERN, Erasure
from schemas.headers import (
    ALERT_EVENT,
    CASE_EVENT,
    NOTICE_EVENT,
    NUMBER,
    PERHAPS_FOLLOWED,
    REFUSED,
    Document,
    pattern,
)  # fmt: skip
from schemas.ids import PERSON_PATTERN
from schemas.inspections import InspectionStep
from schemas.notices import Reminder
from schemas.places import Place, Producer, Site
from schemas.scan import PRODUCER_PATTERN, Scan
from schemas.settings import Settings
from schemas.topics import (
    ALERTS,
    CASES,
    COVERAGE,
    DLQ,
    ERASURES,
    INSPECTIONS,
    NOTICES,
    PRODUCERS,
    SCANS,
    SITES,
    TRACES,
    Topic,
)  # fmt: skip

SPECIFICATION: Final = "3.0.0"
# of the contract, not of the program: the major is the topics' `v1`, a new optional field or
# topic raises the minor
CONTRACT_VERSION: Final = "1.5.0"
JSON: Final = "application/json"
BYTES: Final = "application/octet-stream"
_KAFKA_BINDING: Final = "0.5.0"
_REF: Final = "#/components/schemas/{model}"


@dataclass(frozen=True)
class Message:
    """One kind of record: its value, its key and its headers, each as a JSON Schema."""

    name: str
    about: str
    key: Document
    model: type[BaseModel] | None = None
    headers: Document | None = None


_SCAN: Final = Message(
    "scan",
    "One scan. It counts once, by person and event_id.",
    pattern(PERSON_PATTERN),
    Scan,
    PERHAPS_FOLLOWED,
)
_REFUSED: Final = Message(
    "refusedScan",
    "A refused record, its original bytes as they came.",
    pattern(r"^[A-Za-z0-9._-]+/\d+/\d+$"),
    headers=REFUSED,
)
_SITE: Final = Message("site", "A site as it stands.", pattern(r"^site/\d+$"), Site)
_PLACE: Final = Message(
    "place", "A place as it stands, with its codes.", pattern(r"^place/\d+$"), Place
)
_POSTING: Final = Message(
    "posting", "What is known of a place's poster.", pattern(r"^posting/\d+$"), Posting
)
_REQUIRED_LIST: Final = Message(
    "requiredList", "A list of required sites: keeper, day.", pattern(r"^list/.+$"), RequiredList
)
_REQUIREMENT: Final = Message(
    "requirement", "One entry of such a list.", pattern(r"^required/.+/.+$"), Requirement
)
_PRODUCER: Final = Message(
    "producer", "A producer as it stands.", pattern(PRODUCER_PATTERN), Producer
)
_CASE: Final = Message(
    "case", "A case as it stands: a CloudEvent.", {"type": "string"}, Case, CASE_EVENT
)
_TRACE_AGAIN: Final = Message(
    "traceAgain", "A case that scans may have changed.", {"type": "string"}, TraceAgain
)
_ALERT: Final = Message(
    "alert", "For officers: a CloudEvent.", {"type": "string"}, Alert, ALERT_EVENT
)
_INSPECTION_STEP: Final = Message(
    "inspectionStep", "One step of an inspection, once.", NUMBER, InspectionStep
)
_REMINDER: Final = Message(
    "reminder",
    "A reminder about coverage, released by an officer; never about a case: a CloudEvent.",
    pattern(r"^(site/\d+|ward/[^/]+|required/.+/.+)$"),
    Reminder,
    NOTICE_EVENT,
)
_ERASURE: Final = Message("erasure", "Who was erased, hashed.", pattern(HASH_PATTERN), Erasure)

# A topic without messages is made, and nothing of this version publishes to it.
CHANNELS: Final[dict[Topic, tuple[Message, ...]]] = {
    SCANS: (_SCAN,),
    DLQ: (_REFUSED,),
    SITES: (_SITE, _PLACE),
    COVERAGE: (_POSTING, _REQUIRED_LIST, _REQUIREMENT),
    PRODUCERS: (_PRODUCER,),
    CASES: (_CASE,),
    TRACES: (_TRACE_AGAIN,),
    ALERTS: (_ALERT,),
    INSPECTIONS: (_INSPECTION_STEP,),
    NOTICES: (_REMINDER,),
    ERASURES: (_ERASURE,),
}

# name → (topic, action as truyvet sees it, what happens)
_OPERATIONS: Final[dict[str, tuple[Topic, str, str]]] = {
    "receiveScans": (SCANS, "receive", "Producers publish scans; the workers take them."),
    "sendScans": (SCANS, "send", "The gateway publishes scans that came over HTTP, as they came."),
    "sendRefusedScans": (DLQ, "send", "The workers keep what they refuse, and why."),
    "sendSites": (SITES, "send", "The console publishes sites, places and their codes."),
    "sendCoverage": (COVERAGE, "send", "The console publishes what is required and put up."),
    "receiveCoverage": (COVERAGE, "receive", "The console counts coverage from it."),
    "sendProducers": (PRODUCERS, "send", "The console publishes who may report what."),
    "sendCases": (CASES, "send", "The console publishes a case with each change."),
    "receiveCases": (
        CASES,
        "receive",
        "Other systems may publish cases too: id and key begin with their producer id and a "
        "slash, registered_by is that id, and such a case is at most suspected.",
    ),
    "sendTraceRequests": (TRACES, "send", "The workers say which cases scans may have changed."),
    "receiveTraceRequests": (TRACES, "receive", "The worker that has the case traces it again."),
    "sendAlerts": (ALERTS, "send", "The workers tell officers."),
    "sendInspectionSteps": (INSPECTIONS, "send", "The console publishes what inspectors did."),
    "sendErasures": (ERASURES, "send", "The console publishes who was erased, as a hash."),
    "receiveErasures": (ERASURES, "receive", "The workers write nothing of theirs again."),
    "sendNotices": (NOTICES, "send", "The console publishes what an officer released."),
}


def document() -> Document:
    """The whole document; topics as the default settings make them."""
    return {
        "asyncapi": SPECIFICATION,
        "id": "urn:truyvet:events",
        "info": {
            "title": "truyvet events",
            "version": CONTRACT_VERSION,
            "description": (
                "Topics are <entity>.v<major>; within a major, schemas grow by optional fields "
                "only. Record timestamps are the broker's (LogAppendTime). Records are "
                "partitioned by Kafka's murmur2 of the key. On compacted topics each record "
                "carries a rising version, an older one is ignored, and a null value removes "
                "the key. Partitions and retention are those of the default settings."
            ),
        },
        "defaultContentType": JSON,
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "variables": {
                    "bootstrap": {
                        "default": _default("kafka_bootstrap"),
                        "description": "The setting TRUYVET_KAFKA_BOOTSTRAP.",
                    }
                },
            }
        },
        "channels": {topic.name: _channel(topic) for topic in CHANNELS},
        "operations": {name: _operation(*row) for name, row in _OPERATIONS.items()},
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _channel(topic: Topic) -> Document:
    config: Document = {**topic.config(_default("retention_days"))}
    config["cleanup.policy"] = topic.cleanup.split(",")
    for name in ("retention.ms", "max.message.bytes"):  # numbers in the binding's schema
        if name in config:
            config[name] = int(config[name])
    about = topic.carries if CHANNELS[topic] else f"{topic.carries} (reserved: none are sent yet)"
    return {
        "address": topic.name,
        "description": f"Carries {about}. The key is {topic.key}.",
        "messages": {m.name: {"$ref": f"#/components/messages/{m.name}"} for m in CHANNELS[topic]},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions or _default("scan_partitions"),
                "replicas": _default("replication_factor"),
                "topicConfiguration": config,
                "bindingVersion": _KAFKA_BINDING,
            }
        },
    }


def _operation(topic: Topic, action: str, about: str) -> Document:
    channel = f"#/channels/{topic.name}"
    operation: Document = {
        "action": action,
        "channel": {"$ref": channel},
        "summary": about,
        "messages": [{"$ref": f"{channel}/messages/{m.name}"} for m in CHANNELS[topic]],
    }
    if action == "receive":
        group = {"type": "string", "const": _default("worker_group")}
        operation["bindings"] = {"kafka": {"groupId": group, "bindingVersion": _KAFKA_BINDING}}
    return operation


def _messages() -> Document:
    return {m.name: _message(m) for messages in CHANNELS.values() for m in messages}


def _message(message: Message) -> Document:
    made: Document = {
        "name": message.name,
        "summary": message.about,
        "contentType": JSON if message.model else BYTES,
        "bindings": {"kafka": {"key": message.key, "bindingVersion": _KAFKA_BINDING}},
        "payload": {"description": "Any bytes, also none."},
    }
    if message.model is not None:
        made["payload"] = {"$ref": _REF.format(model=message.model.__name__)}
    if message.headers is not None:
        made["headers"] = message.headers
    return made


def _schemas() -> Document:
    models = [m.model for messages in CHANNELS.values() for m in messages if m.model]
    _, schemas = models_json_schema([(m, "validation") for m in models], ref_template=_REF)
    definitions: Document = schemas["$defs"]
    return definitions


def _default(setting: str) -> Any:
    return Settings.model_fields[setting].default
