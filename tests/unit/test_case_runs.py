"""Earlier runs and differences over HTTP: rights, jurisdiction, pages; what is not there."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from console.api.past_runs import Mark, PastRun
from console.store.keys import Role
from schemas.ids import person_bits
from tests.console_kit import PERSON, WARD, Running, running
from tests.worklist_kit import ELSEWHERE, HEAD, A, B, C, document, exposure, new_case

SCANS_SINCE = {
    "vi": "lượt quét mới; hoặc điểm quét, mã, chuyến được sửa; hoặc ca còn ở đó",
    "en": "scans since; or places, codes or trips changed; or the case is there still",
}

WINDOW = {"from": "2000-01-01T00:00:00.000Z", "to": "2100-01-01T00:00:00.000Z"}
SEEN = {"opened_by": {"partition": 0, "offset": 9}, "closed_by": None}
STORED_MS = 1_795_400_000_000


def contact(person: str, rank: int, place: int = 7) -> dict[str, Any]:
    return document(person, exposure(place=place, stay=SEEN, case_stay=SEEN), rank=rank)


class Tables:
    """Two runs of one case, as ClickHouse would answer of them."""

    def __init__(self, case: str, *runs: list[dict[str, Any]]) -> None:
        self.case = case
        self.runs = dict(enumerate(runs, start=1))
        self.asked: list[dict[str, Any]] = []

    def answer(self, sql: str, what: dict[str, Any]) -> list[tuple[Any, ...]]:
        self.asked.append(what)
        if what["case"] != self.case:
            return []
        if "LIMIT 1 BY run" in sql:
            below = [n for n in sorted(self.runs, reverse=True) if n < what["before"]]
            return [self._row(n) for n in below[: what["limit"]]]
        if "summary FROM trace_runs" in sql:
            return [(n, orjson.dumps(self._summary(n))) for n in (what["was"], what["run"])]
        was, now = self.runs.get(what["was"], []), self.runs[what["run"]]
        if "min(said)" in sql:
            before = {d["person"]: d for d in was}
            found = [(d["person"], d["rank"]) for d in now if before.get(d["person"]) != d]
            later = [(person_bits(p), r) for p, r in found if r > what["place"]]
            return later[: what["limit"]]
        if "max(run)" in sql:
            gone = sorted({d["person"] for d in was} - {d["person"] for d in now})
            return [(person_bits(p),) for p in gone][what["place"] :][: what["limit"]]
        if "persons" in what:
            both = [(what["was"], d) for d in was] + [(what["run"], d) for d in now]
            wanted = [(n, d) for n, d in both if person_bits(d["person"]) in what["persons"]]
            return [(n, orjson.dumps(d)) for n, d in wanted]
        page = [d for d in now if d["rank"] > what["place"]][: what["limit"]]
        return [(orjson.dumps(d),) for d in page]

    def _row(self, n: int) -> tuple[Any, ...]:
        summary = self._summary(n)
        tiers, notes = (orjson.dumps(summary[name]) for name in ("contacts_by_tier", "notes"))
        cause = "case/1" if n == 1 else f"scan/{n}"
        attempt = f"0190f5a4-7c1e-7b3a-9d52-{n:012}"
        return (n, attempt, 1, cause, "r", STORED_MS, len(self.runs[n]), tiers, notes)

    def _summary(self, n: int) -> dict[str, Any]:
        return {
            "person": PERSON, "rule_set": "r", "parameters": {}, "window": WINDOW, "offsets": {"0": 4},
            "contacts_by_tier": {"same_place": len(self.runs[n])},
            "notes": [{"vi": "đồng hồ", "en": "a clock"}],
        }  # fmt: skip


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("console")) as made:
        yield made


@pytest.fixture
def case(console: Running) -> str:
    """With two runs: B was added ahead of A, and C withdrawn."""
    made = new_case(console)
    first = [contact(A, 1), contact(C, 2)]
    console.tables.answer = Tables(made, first, [contact(B, 1, place=8), contact(A, 1)]).answer
    return made


def get(console: Running, path: str, head: dict[str, str] = HEAD, status: int = 200) -> Any:
    answer = console.client.get(path, headers=head)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_cases_runs_are_listed_with_what_made_them(console: Running, case: str) -> None:
    found = get(console, f"/v1/cases/{case}/runs")
    assert [(r["run"], r["cause"], r["contacts"]) for r in found["runs"]] == [
        (2, "scan/2", 2), (1, "case/1", 2),
    ]  # fmt: skip
    assert found["next"] is None
    newest = found["runs"][0]
    assert newest["because"] == SCANS_SINCE
    assert newest["stored_at"].endswith("Z")
    assert (newest["case_version"], newest["rule_set"]) == (1, "r")
    assert newest["contacts_by_tier"] == {"same_place": 2}
    assert newest["notes"] == [{"vi": "đồng hồ", "en": "a clock"}]
    page = get(console, f"/v1/cases/{case}/runs?limit=1")
    assert ([r["run"] for r in page["runs"]], page["next"]) == ([2], 2)
    page = get(console, f"/v1/cases/{case}/runs?limit=1&before=2")
    assert ([r["run"] for r in page["runs"]], page["next"]) == ([1], None)
    for wrong in ("limit=0", "limit=201", "before=0"):
        get(console, f"/v1/cases/{case}/runs?{wrong}", status=422)


def test_what_changed_and_why(console: Running, case: str) -> None:
    found = get(console, f"/v1/cases/{case}/runs/2/changes")
    assert (found["run"]["run"], found["against"]["run"], found["next"]) == (2, 1, None)
    assert [(c["person"], c["kind"], c["reasons"]) for c in found["changes"]] == [
        (B, "added", ["late_scan"]), (C, "withdrawn", ["facts"]),
    ]  # fmt: skip
    added, withdrawn = found["changes"]
    assert (added["before"], withdrawn["after"]) == (None, None)
    assert added["after"] == contact(B, 1, place=8)
    assert withdrawn["before"] == contact(C, 2)
    assert get(console, f"/v1/cases/{case}/runs/2/changes?against=1") == found


def test_changes_are_read_page_by_page(console: Running, case: str) -> None:
    path = f"/v1/cases/{case}/runs/2/changes?limit=1"
    persons, after = [], ""
    for _ in range(9):
        page = get(console, path + after)
        persons += [change["person"] for change in page["changes"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert persons == [B, C]
    for wrong in ("limit=0", "limit=501", "after=B", "after=gone-", "after=rank-9999999999"):
        get(console, f"/v1/cases/{case}/runs/2/changes?{wrong}", status=422)


def test_of_a_first_run_everybody_is_added(console: Running, case: str) -> None:
    found = get(console, f"/v1/cases/{case}/runs/1/changes")
    assert found["against"] is None
    assert [(c["person"], c["kind"], c["reasons"]) for c in found["changes"]] == [
        (A, "added", []), (C, "added", []),
    ]  # fmt: skip
    page = get(console, f"/v1/cases/{case}/runs/1/changes?limit=1")
    assert page["next"] == "rank-1"
    page = get(console, f"/v1/cases/{case}/runs/1/changes?limit=1&after=rank-1")
    assert [c["person"] for c in page["changes"]] == [C]


def test_what_is_not_there_is_404_and_a_later_run_is_refused(console: Running, case: str) -> None:
    assert "run 3" in get(console, f"/v1/cases/{case}/runs/3/changes", status=404)["sentence"]["en"]
    get(console, f"/v1/cases/{case}/runs/0/changes", status=422)
    for against in (2, 3):
        path = f"/v1/cases/{case}/runs/2/changes?against={against}"
        [problem] = get(console, path, status=422)["errors"]
        assert (problem["field"], problem["code"]) == ("against", "not_earlier")
    untraced = new_case(console)
    console.tables.answer = lambda _sql, _what: []
    assert get(console, f"/v1/cases/{untraced}/runs")["runs"] == []
    get(console, f"/v1/cases/{untraced}/runs/1/changes", status=404)
    get(console, "/v1/cases/C-1999-000001/runs", status=404)


def test_outside_the_jurisdiction_there_is_no_such_case(console: Running, case: str) -> None:
    tables = Tables(case, [], [])
    console.tables.answer = tables.answer
    theirs = console.key(Role.EPIDEMIOLOGIST, f"ward/{WARD}")
    others = console.key(Role.EPIDEMIOLOGIST, f"ward/{ELSEWHERE}")
    for path in (f"/v1/cases/{case}/runs", f"/v1/cases/{case}/runs/2/changes"):
        assert get(console, path, theirs)
        tables.asked.clear()
        assert get(console, path, others, 404)["code"] == "not_found"
        assert not tables.asked, "nothing was asked about a case that is not theirs"
        get(console, path, console.key(Role.OFFICER, f"ward/{WARD}"), 403)


def test_a_difference_shows_of_places_what_the_contacts_show(console: Running, case: str) -> None:
    """Numbers; their names are another route's, which has none of places outside the area."""
    theirs = console.key(Role.EPIDEMIOLOGIST, f"ward/{WARD}")
    [added, _] = get(console, f"/v1/cases/{case}/runs/2/changes", theirs)["changes"]
    [exposure] = added["after"]["exposures"]
    assert exposure["place"] == 8
    assert not {"name", "site_name", "site", "ward"} & (exposure.keys() | added["after"].keys())
    get(console, "/v1/places/8", theirs, 404)


def test_clickhouse_that_is_away_is_503(console: Running, case: str) -> None:
    console.tables.answer = None
    get(console, f"/v1/cases/{case}/runs", status=503)
    get(console, f"/v1/cases/{case}/runs/2/changes", status=503)


def test_what_made_a_run_is_said() -> None:
    def because(cause: str, version: int, before: int | None) -> str:
        run = PastRun(2, "", version, cause, "r", None, 0, {}, [], before)  # type: ignore[arg-type]
        return run.because[1]

    assert because("case/1", 1, None) == "the case was registered"
    assert because("case/3", 3, 2) == "version 3 of the case"
    assert because("scan/7", 3, 3) == SCANS_SINCE["en"]
    assert because("scan/7", 4, 3) == "decisions, answers or scans, up to version 4 of the case"


@pytest.mark.parametrize("text", ["rank-0", "rank-17", "gone-0", "gone-5"])
def test_a_mark_goes_out_and_comes_in_again(text: str) -> None:
    assert str(Mark.of(text)) == text
