"""`case runs | changes`: what is asked of the API, and the tables in both languages."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from console.cli.api import Api
from console.cli.case_runs_text import DECIDED, KINDS, REASONS, TIERS
from console.cli.main import main
from schemas.cases import Decided
from schemas.errors import UserError
from tests.console_kit import ADMIN
from tests.worklist_kit import A, B, C, document, exposure
from tracer.documents import NAMED
from tracer.tiers import Tier
from tracer.versions import REASONS as ALL_REASONS

SCANS_SINCE = {
    "vi": "lượt quét mới; hoặc điểm quét, mã, chuyến được sửa; hoặc ca còn ở đó",
    "en": "scans since; or places, codes or trips changed; or the case is there still",
}

GUIDE = (Path(__file__).parents[2] / "docs/cases.md").read_text("utf-8")
TIMES = {"start": "2026-11-20T16:30:00.000Z", "end": "2026-11-20T17:30:00.000Z"}
RUN: dict[str, Any] = {
    "run": 2, "stored_at": "2026-11-23T18:12:40.031Z", "cause": "scan/1840",
    "because": SCANS_SINCE,
    "case_version": 1, "rule_set": "vn-2021-12-29", "contacts": 3,
    "contacts_by_tier": {"same_small_enclosed": 0, "same_place": 2, "same_time_only": 1},
    "notes": [{"vi": "Đồng hồ chậm [1].", "en": "A clock is slow [1]."}],
}  # fmt: skip
FIRST = RUN | {"run": 1, "cause": "case/1"}


def contact(person: str, place: int, **changes: Any) -> dict[str, Any]:
    return document(person, exposure(place=place, **TIMES), **changes)


CHANGES: list[dict[str, Any]] = [
    {
        "person": A, "kind": "added", "reasons": ["late_scan", "window"],
        "before": None, "after": contact(A, 7),
    },
    {
        "person": B, "kind": "withdrawn", "reasons": ["decided"],
        "before": contact(B, 8), "after": contact(B, 8, decided="NO_CONTACT"),
    },
    {
        "person": C, "kind": "changed", "reasons": ["facts"],
        "before": contact(C, 7), "after": contact(C, 7, minutes=25.0, band="low"),
    },
]  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Answers of an API, a change a page; the place 8 is outside the area."""
    sent: list[tuple[str, dict[str, Any]]] = []

    def get(_: Api, path: str, **parameters: Any) -> Any:
        sent.append((path, parameters))
        if path.startswith("/v1/places/"):
            if path.endswith("/8"):
                raise UserError("Không có / There is none (404)")
            return {"name": "Phòng [3]", "site_name": "Nhà A"}
        if path.endswith("/runs"):
            return {"case": "C-1", "runs": [RUN, FIRST][: parameters["limit"]], "next": None}
        at = int(parameters.get("after", "rank-0").removeprefix("rank-"))
        page = CHANGES[at : at + min(parameters["limit"], 1)]
        more = f"rank-{at + 1}" if at + 1 < len(CHANGES) else None
        return {"case": "C-1", "run": RUN, "against": FIRST, "changes": page, "next": more}

    monkeypatch.setattr(Api, "get", get)
    monkeypatch.setenv("TRUYVET_ADMIN_KEY", ADMIN)
    return sent


def case(tmp_path: Path, *arguments: str, lang: str = "en") -> int:
    return main(["--data-dir", str(tmp_path), "--lang", lang, "case", *arguments])


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("lang", ["vi", "en", "both"])
def test_the_runs_are_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: str
) -> None:
    assert case(tmp_path, "runs", "C-1", lang=lang) == 0
    text = capsys.readouterr().out
    assert max(len(line) for line in text.splitlines()) <= 100
    shown = " ".join(text.split())
    assert "24/11/2026 01:12" in shown, "in Asia/Ho_Chi_Minh"
    assert ("scans since; or" in shown) == (lang != "vi")
    assert ("lượt quét mới; hoặc" in shown) == (lang != "en")
    assert ("#2, 1: A clock is slow [1]." in shown) == (lang == "en")
    assert "2 cùng nơi" in shown or lang == "en"


def test_the_newest_run_is_compared_with_the_one_before(
    asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert case(tmp_path, "changes", "system/abc") == 0
    path = "/v1/cases/system%2Fabc/runs"
    assert asked[:3] == [
        (path, {"limit": 1}),
        (f"{path}/2/changes", {"limit": 50}),
        (f"{path}/2/changes", {"limit": 49, "after": "rank-1"}),
    ]
    shown = " ".join(capsys.readouterr().out.split())
    assert "C-1: run 2, 24/11/2026 01:12" in shown
    assert "against run 1" in shown
    assert re.search("added.* a scan not seen before", shown)


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("lang", ["vi", "en", "both"])
def test_changes_say_what_and_why_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: str
) -> None:
    assert case(tmp_path, "changes", "C-1", "--run", "2", "--against", "1", lang=lang) == 0
    text = capsys.readouterr().out
    assert max(len(line) for line in text.splitlines()) <= 100
    for vi, en in (KINDS["added"], KINDS["withdrawn"], ("loại trừ", "ruled out")):
        assert (vi in text) == (lang != "en"), vi
        assert (en in text) == (lang != "vi"), en
    for person in (A, B, C):
        assert person in text
    assert "20/11" in text
    assert "23:30–21/11" in " ".join(text.split()), "over midnight, in Asia/Ho_Chi_Minh"
    assert "Phòng [3]" in text
    assert "#8" in text, "a place outside the area has a number and no name"


def test_a_limit_and_json(
    asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert case(tmp_path, "changes", "C-1", "--run", "2", "--limit", "2") == 0
    assert "and others (--limit, --json)" in capsys.readouterr().out
    asked.clear()
    assert case(tmp_path, "changes", "C-1", "--run", "2", "--against", "1", "--json") == 0
    assert [parameters["limit"] for _, parameters in asked] == [500] * 3
    assert all(parameters["against"] == 1 for _, parameters in asked)
    answer = orjson.loads(capsys.readouterr().out)
    assert answer["changes"] == CHANGES
    assert answer["next"] is None
    assert case(tmp_path, "runs", "C-1", "--limit", "1", "--json") == 0
    assert orjson.loads(capsys.readouterr().out)["runs"] == [RUN]


def test_a_case_without_a_run_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Api, "get", lambda *_, **__: {"case": "C-1", "runs": [], "next": None})
    monkeypatch.setenv("TRUYVET_ADMIN_KEY", ADMIN)
    assert case(tmp_path, "runs", "C-1") == 0
    assert "has not been traced yet" in capsys.readouterr().out
    assert case(tmp_path, "changes", "C-1") == 1
    assert "has not been traced yet" in capsys.readouterr().err


def test_every_reason_tier_and_decision_has_words_and_every_reason_its_line() -> None:
    assert set(REASONS) == set(ALL_REASONS)
    assert set(TIERS) == {NAMED, *(tier.value for tier in Tier)}
    assert set(DECIDED) == {decided.value for decided in Decided}
    table = GUIDE.partition("| reason | means |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", table)) == set(ALL_REASONS)
