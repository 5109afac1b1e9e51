"""`docs/producers.md` says what the code does: its scan, its answers, its limits, its links."""

import inspect
import re
from pathlib import Path

from console.api.documented import ALWAYS
from console.gateway import reject_routes
from console.gateway.flow import MAX_BODY_BYTES, MAX_LINES
from console.gateway.routes import router
from schemas.ids import partition_of
from schemas.scan import MAX_SCAN_BYTES, SCAN_FIELDS, Scan
from schemas.topics import SCANS_MAX_MESSAGE

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "producers.md").read_text("utf-8")


def _first_cells(heading: str) -> list[str]:
    """The first column of the table under this header row."""
    _, _, rest = GUIDE.partition(f"\n{heading}")
    assert rest, heading
    rows = rest.split("\n\n")[0].splitlines()[2:]
    return [row.split("|")[1].strip() for row in rows]


def test_its_scan_is_a_scan_and_its_table_names_every_field() -> None:
    [example] = re.findall(r"```json\n(.*?)\n```", GUIDE, re.DOTALL)
    assert Scan.model_validate_json(example).producer == "gate-1"
    named = {name for cell in _first_cells("| field |") for name in re.findall(r"`(\w+)`", cell)}
    assert named == set(SCAN_FIELDS)


def test_its_keys_are_in_their_partitions() -> None:
    rows = re.findall(r"^\| `([0-9A-Z]{13})` \| (\d+) \| (\d+) \|$", GUIDE, re.MULTILINE)
    assert len(rows) == 4
    for key, of_8, of_12 in rows:
        assert (int(of_8), int(of_12)) == (
            partition_of(key.encode(), 8),
            partition_of(key.encode(), 12),
        )


def test_its_answers_are_those_of_the_gateway() -> None:
    [route] = [r for r in router.routes if "POST" in getattr(r, "methods", ())]
    possible = {int(code) for code in getattr(route, "responses", {})} | {int(c) for c in ALWAYS}
    said = {int(code) for cell in _first_cells("| answer |") for code in re.findall(r"\d+", cell)}
    assert said == possible


def test_its_limits_are_those_of_the_code() -> None:
    assert f"{MAX_LINES:,} scans" in GUIDE
    assert f"{MAX_BODY_BYTES >> 20} MiB as `application/x-ndjson`" in GUIDE
    assert f"At most {MAX_SCAN_BYTES >> 10} KiB" in GUIDE
    assert f"at most {SCANS_MAX_MESSAGE >> 20} MiB (`max.message.bytes`)" in GUIDE


def test_its_parameters_are_those_of_the_route() -> None:
    known = set(inspect.signature(reject_routes.rejects).parameters)
    said = [cell.strip("`") for cell in _first_cells("| parameter |")]
    assert said
    assert set(said) <= known


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", GUIDE)
    commands = re.findall(r"\bexamples/[\w/.]+\w", GUIDE)
    assert len(links) > 5
    for link in links:
        assert (DOCS / link).resolve().exists(), link
    for path in commands:
        assert (DOCS.parent / path).exists(), path
