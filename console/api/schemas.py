"""What goes in and out of the HTTP API, beside the records of `schemas/`."""

from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.cases import MOST_POINTS, Case, Point, Symptoms
from schemas.ids import PERSON_PATTERN
from schemas.places import Hours, Producer, Status
from schemas.scan import Timestamp

CASE_EXAMPLE: Final[dict[str, Any]] = {
    "id": "C-2026-000123",
    "version": 1,
    "status": "confirmed",
    "person": "7ZK3M9QX2B4CD",
    "onset": "2026-11-20",
    "sampled_on": None,
    "result_on": None,
    "isolated_at": None,
    "negative_at": None,
    "ward": "11413",
    "rule_set": None,
    "registered_at": "2026-11-23T08:05:00.000Z",
    "registered_by": "key/1",
    "points": [],
    "answers": [],
    "named": [],
    "excluded": [],
    "same": [],
    "decided": [],
    "said": [],
}
_SENTENCE: Final = {
    "vi": "Thiếu ngày khởi phát và ngày lấy mẫu: cần ít nhất một.",
    "en": "Neither the onset nor the sampling date is given: one is needed.",
}


class ApiModel(BaseModel):
    """Base: frozen; a field that is not here is a mistake worth telling."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def example(value: Any) -> ConfigDict:
    """What OpenAPI shows of a model."""
    return ConfigDict(json_schema_extra={"examples": [value]})


class Sentence(ApiModel):
    """The same in both languages."""

    vi: str
    en: str


class FieldProblem(ApiModel):
    """What is wrong with one field of the request."""

    field: str
    code: str
    sentence: Sentence


class Problem(ApiModel):
    """Every answer that is not a success."""

    model_config = example(
        {
            "code": "invalid",
            "sentence": _SENTENCE,
            "errors": [{"field": "onset", "code": "onset_or_sample", "sentence": _SENTENCE}],
        }
    )

    code: str
    sentence: Sentence
    errors: tuple[FieldProblem, ...] = ()


class RegisterCase(ApiModel):
    """A case to register. `onset` or `sampled_on` starts its window.

    Without a `person`, place-time points alone: everyone who was at a market that morning.
    `although_open`: it is another case, although its person is an open one already.
    """

    model_config = example(
        {"person": "7ZK3M9QX2B4CD", "onset": "2026-11-20", "ward": "11413", "status": "confirmed"}
    )

    person: Annotated[str, Field(pattern=PERSON_PATTERN)] | None = None
    symptoms: Symptoms | None = None
    onset: date | None = None
    sampled_on: date | None = None
    result_on: date | None = None
    isolated_at: Timestamp | None = None
    negative_at: Timestamp | None = None
    points: Annotated[tuple[Point, ...], Field(max_length=MOST_POINTS)] = ()
    ward: Annotated[str, Field(min_length=1, max_length=64)]
    status: Literal["suspected", "confirmed"] = "confirmed"
    rule_set: Annotated[str, Field(max_length=64)] | None = None
    although_open: bool = False


class AmendCase(ApiModel):
    """What is to change; null takes a field away, one that is not named stays.

    `version`: the version the change was made on; if the case has moved on, nothing is changed.
    """

    model_config = example({"version": 1, "onset": "2026-11-19"})

    version: Annotated[int, Field(ge=1)] | None = None
    symptoms: Symptoms | None = None
    onset: date | None = None
    sampled_on: date | None = None
    result_on: date | None = None
    isolated_at: Timestamp | None = None
    negative_at: Timestamp | None = None
    ward: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    status: Literal["suspected", "confirmed"] | None = None
    rule_set: Annotated[str, Field(max_length=64)] | None = None

    def changes(self) -> dict[str, Any]:
        """The fields that are named, but for the version."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"version"}}


class Cases(ApiModel):
    """Cases in the key's area, the newest first."""

    model_config = example({"cases": [CASE_EXAMPLE], "limit": 100, "offset": 0})

    cases: list[Case]
    limit: int
    offset: int


class Run(ApiModel):
    """What a run used: enough to make it again."""

    run: int
    case_version: int
    rule_set: str
    parameters: dict[str, Any]
    window_from: Timestamp
    window_to: Timestamp
    offsets_seen: Annotated[
        dict[int, int], Field(description="Highest offset of scans.v1 used, by partition.")
    ]
    traced_at: Timestamp
    contacts_by_tier: dict[str, int]
    notes: list[Any]


class Contacts(ApiModel):
    """Possible contacts of a case, from its newest complete run. A person decides, not this list.

    `tracing`: no run yet. `retracing`: the case has changed since; a new run is being made.
    `venues`: how many places in words the case has, at which no scan says who was there.
    """

    model_config = example(
        {
            "case": CASE_EXAMPLE,
            "state": "traced",
            "run": {
                "run": 1,
                "case_version": 1,
                "rule_set": "vn-2021-12-29",
                "parameters": {"cap_minutes": 720},
                "window_from": "2026-11-17T17:00:00.000Z",
                "window_to": "2026-11-23T08:05:00.000Z",
                "offsets_seen": {"0": 62817, "3": 59204},
                "traced_at": "2026-11-23T08:05:01.120Z",
                "contacts_by_tier": {"close": 1, "same_place": 0, "there": 0},
                "notes": [],
            },
            "contacts": [
                {
                    "rank": 1,
                    "person": "2C9V0A7NJ5X1T",
                    "tier": "close",
                    "minutes": 95.0,
                    "clauses": ["b", "c"],
                    "questions": ["mask", "distance"],
                }
            ],
            "total": 1,
            "limit": 100,
            "offset": 0,
        }
    )

    case: Case
    venues: int = 0
    state: Literal["tracing", "traced", "retracing"]
    run: Run | None
    contacts: Annotated[list[Any], Field(description="The tracer's documents as stored, by rank.")]
    total: int
    limit: int
    offset: int


class PlaceName(ApiModel):
    """What a list of contacts shows of a place; no codes."""

    model_config = example(
        {
            "id": 4711,
            "site": 320,
            "site_name": "Chợ An Dương",
            "name": "Cổng chính",
            "kind": "market_gate",
            "ward": "11413",
            "sector": "trade",
            "hours": {"opens": "05:00", "closes": "18:00"},
            "enclosed": False,
            "small": False,
            "usual_stay": 45,
            "gate": True,
            "status": "active",
        }
    )

    id: int
    site: int
    site_name: str
    name: str
    kind: str
    ward: str
    sector: str
    hours: Hours | None
    enclosed: bool
    small: bool
    usual_stay: int | None
    gate: bool
    status: Status


class Producers(ApiModel):
    """Who may publish scans."""

    model_config = example(
        {"producers": [{"id": "gate-1", "version": 1, "name": "Cổng số 1", "active": True}]}
    )

    producers: list[Producer]


class Missing(ApiModel):
    """One neighbour that does not answer."""

    name: Literal["database", "kafka", "clickhouse"]
    sentence: Sentence


class Readiness(ApiModel):
    """Whether this process can do its work, and which neighbour it misses."""

    model_config = example(
        {
            "ready": False,
            "missing": [
                {
                    "name": "kafka",
                    "sentence": {"vi": "Không gọi được Kafka.", "en": "Kafka is away."},
                }
            ],
        }
    )

    ready: bool
    missing: list[Missing]


class Live(ApiModel):
    """The process runs."""

    model_config = example({"live": True})

    live: Literal[True] = True
