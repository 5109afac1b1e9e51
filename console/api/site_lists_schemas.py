"""What the route of lists of establishments answers."""

from pydantic import BaseModel, ConfigDict


class RefusedRow(BaseModel):
    """A row that cannot be registered, and why."""

    row: int
    column: str
    vi: str
    en: str


class ComparedSite(BaseModel):
    """A site of the list (`row`) or of the register (`site`)."""

    name: str
    address: str
    ward: str
    row: int | None = None
    site: int | None = None


class LikelyPair(BaseModel):
    """Two that are likely one; `likeness` of their names, of 100."""

    one: ComparedSite
    other: ComparedSite
    likeness: int


class SiteListAnswer(BaseModel):
    """What a list would become; `registered_places` is null where nothing was imported."""

    source: str
    applied: bool
    columns: dict[str, str | None]
    left_out: list[str]
    rows: int
    refused: list[RefusedRow]
    refused_count: int
    repeated_rows: list[int]
    repeated_rows_count: int
    sites: int
    new_sites: int
    closed_sites: int
    places: int
    gates_assumed: int
    kinds_guessed: int
    by_kind: dict[str, int]
    likely: list[LikelyPair]
    likely_count: int
    registered_places: int | None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "source": "ds",
                    "applied": False,
                    "columns": {"Tên cơ sở": "name", "Phường": "ward", "Loại hình": "kind"},
                    "left_out": [],
                    "rows": 1,
                    "refused": [],
                    "refused_count": 0,
                    "repeated_rows": [],
                    "repeated_rows_count": 0,
                    "sites": 1,
                    "new_sites": 1,
                    "closed_sites": 0,
                    "places": 1,
                    "gates_assumed": 0,
                    "kinds_guessed": 0,
                    "by_kind": {"restaurant": 1},
                    "likely": [],
                    "likely_count": 0,
                    "registered_places": None,
                }
            ]
        }
    )
