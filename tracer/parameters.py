"""How stays end and how sure we are: a frozen record from a dated data file.

Each run stores its parameters (`model_dump(mode="json")`), so that it can be recomputed.
"""

import tomllib
from importlib import resources
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.errors import UserError

STARTS: Final = ("scan_in", "scan_pass", "assumed")
# In the order in which an end is accepted.
ENDS: Final = (
    "scan_out",
    "answered",
    "next_elsewhere",
    "trip_end",
    "closing_time",
    "usual_stay",
    "cap",
)
# Of a place-time point: both of its ends.
STATED: Final = ("interview", "camera", "roster")
BANDS: Final = ("high", "medium", "low")
DEFAULT_FILE: Final = "stays-2026-11-29b.toml"


class ParametersError(UserError, ValueError):
    """A file of parameters is wrong: `what` names file and field."""

    def __init__(self, what: str) -> None:
        super().__init__(f"Tệp tham số sai: {what} / A file of parameters is wrong: {what}")


Share = Annotated[float, Field(ge=0, le=1)]


class Bands(BaseModel):
    """Least confidence of the bands `high` and `medium`; below is `low`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    high: Share
    medium: Share


class Parameters(BaseModel):
    """Minutes and seconds as named; confidences from 0 to 1 by provenance.

    `max_long_stay_minutes`: of places with trips or a usual stay longer than `max_stay_minutes`;
    without it (as before 2026-11-28) no stay anywhere is longer than that. `still_there`:
    `tracer.presence`; without it (as before 2026-11-26) nothing fades.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    max_stay_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)]
    max_long_stay_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] | None = None
    cap_minutes: Annotated[int, Field(ge=1)]
    within_usual: Annotated[float, Field(ge=1, le=10)]
    double_tap_seconds: Annotated[int, Field(ge=0, le=3600)]
    start_confidence: dict[str, Share]
    end_confidence: dict[str, Share]
    point_confidence: dict[str, Share]
    still_there: dict[str, tuple[Share, Share, Share, Share, Share]] = {}
    bands: Bands

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.cap_minutes > self.max_stay_minutes:
            raise ValueError("cap_minutes must not exceed max_stay_minutes")
        if self.longest_minutes < self.max_stay_minutes:
            raise ValueError("max_long_stay_minutes must not be less than max_stay_minutes")
        if set(self.start_confidence) != set(STARTS):
            raise ValueError(f"start_confidence must name exactly {', '.join(STARTS)}")
        if set(self.end_confidence) != set(ENDS):
            raise ValueError(f"end_confidence must name exactly {', '.join(ENDS)}")
        if set(self.point_confidence) != set(STATED):
            raise ValueError(f"point_confidence must name exactly {', '.join(STATED)}")
        for name, chances in self.still_there.items():
            if name not in ENDS[1:]:
                raise ValueError(f"still_there: {name} is not an end that was not scanned")
            if list(chances) != sorted(chances, reverse=True):
                raise ValueError(f"still_there.{name}: must not rise")
        if self.bands.medium > self.bands.high:
            raise ValueError("bands.medium must not exceed bands.high")
        return self

    @property
    def longest_minutes(self) -> int:
        """No interval anywhere is longer."""
        long = self.max_long_stay_minutes
        return self.max_stay_minutes if long is None else long


def parse_parameters(text: str, file: str) -> Parameters:
    """The parameters in a data file's text.

    Raises ParametersError that names the file and the field: one that is missing, unknown, out of
    range, or without a basis.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ParametersError(f"{file}: not TOML: {error}") from None
    values: dict[str, Any] = {}
    for field, entry in raw.items():
        if field == "id":
            values[field] = entry
            continue
        if not isinstance(entry, dict) or not isinstance(entry.get("basis"), str):
            raise ParametersError(f"{file}: {field}.basis: a source or 'Assumption: …' is missing")
        if "value" not in entry:
            raise ParametersError(f"{file}: {field}.value: is missing")
        values[field] = entry["value"]
    try:
        return Parameters.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ParametersError(f"{file}: {where + ': ' if where else ''}{first['msg']}") from None


def load_parameters(file: str = DEFAULT_FILE) -> Parameters:
    """The parameters of a data file of this package. Raises ParametersError, FileNotFoundError."""
    text = resources.files("tracer.data").joinpath(file).read_text("utf-8")
    return parse_parameters(text, file)
