"""The record on paper: what it says of a visit, in which language, and who stands on it."""

from typing import Any

import pypdfium2
import pytest

from console.inspections.life import Life, life_of
from console.inspections.paper import BLANK_ROWS, Language, Names, Site, Spot, paper, paper_pdf
from console.inspections.steps import Seen, TeamMember
from console.inspections.words import words_of
from issuer.standing import Standing
from schemas import inspections as vocabulary
from schemas.inspections import Agency, TeamRole
from tests.inspections_kit import (
    ASKS_TIME,
    DAY,
    MENDED,
    NOT_POSSIBLE,
    ORDERED,
    PASSED,
    defects,
    life,
    passed,
    step,
)

SITE = Site("Chợ An Dương", "Số 2 đường Tôn Đức Thắng", "11413")
LEADER = TeamMember(agency=Agency.COMMITTEE, role=TeamRole.LEADER)
POLICE = TeamMember(agency=Agency.POLICE)


def said(*spots: Life, names: Names | None = None) -> dict[str, Any]:
    numbered = [Spot(f"Cổng {n}", n, one) for n, one in enumerate(spots, start=1)]
    return paper(SITE, numbered, DAY, "vi", names or Names())


def test_one_visit_is_one_paper_with_a_row_for_each_place() -> None:
    found = said(life(defects(note="sau tủ")), life(passed(guided=True)), life(NOT_POSSIBLE))
    rows = [[row[name][0] for name in ("posted", "visible", "guided")] for row in found["rows"]]
    assert rows == [["không", "–", "chưa rõ"], ["có", "có", "có"], ["–", "–", "–"]]
    assert [row["good"] for row in found["rows"]] == [False, True, False]
    assert found["notes"] == [{"place": "Cổng 1", "text": "sau tủ"}]
    assert found["files"] == [1, 2, 3]
    assert found["at"] | {"hour": 9, "minute": 10, "day": 23} == found["at"]


def test_what_the_system_saw_stands_on_it() -> None:
    seen = Seen(Standing.EXPIRED, True, 1, 12)
    [row] = said(life_of([step(0, passed(scanned="X"), seen=seen)]))["rows"]
    assert (row["current"], row["scans"]) == (("không", "no"), ("12", "12"))


def test_a_team_is_listed_once_for_all_places_and_has_rows_if_nobody_said() -> None:
    team = (POLICE, LEADER, POLICE, TeamMember(agency=Agency.SITE))
    found = said(life(defects(team=team)), life(passed(team=team[:2])), names=Names(team=("An",)))
    assert [(m["agency"][1], m["name"]) for m in found["team"]] == [
        ("People's Committee", "An"), ("police", ""), ("police", ""),
    ]  # fmt: skip
    assert len(said(life(PASSED))["team"]) == BLANK_ROWS
    assert len(said(life(PASSED), names=Names(team=("An",) * 6))["team"]) == 6


def test_only_what_this_visit_ordered_and_heard() -> None:
    first = life(defects(), ORDERED, MENDED)
    [order] = said(first)["orders"]
    assert order["by"] == "30/11/2026"
    assert [o["says"][1] for o in said(first)["opinions"]] == ["it is mended"]
    again = life(defects(), ORDERED, MENDED, defects())
    assert said(again)["orders"] == []
    later = life_of([step(0, defects()), step(1, ASKS_TIME, minute=24 * 60)])
    assert said(later)["opinions"] == []


@pytest.mark.parametrize(
    ("language", "there", "not_there"),
    [
        ("vi", ["Độc lập – Tự do – Hạnh phúc", "PHƯỜNG ĐẰNG LÂM", "Chậm nhất"], ["Posted"]),
        ("both", ["Độc lập – Tự do – Hạnh phúc", "Posted", "Dễ thấy"], ["No name"]),
        ("en", ["RECORD OF INSPECTION", "Posted", "Phường Đằng Lâm"], ["Dễ thấy", "BIÊN BẢN"]),
    ],
)
def test_the_paper_is_a_page_in_each_language(
    language: Language, there: list[str], not_there: list[str]
) -> None:
    spots = [Spot("#Cổng *chính*", 37, life(defects(note="#set page"), ORDERED))]
    pdf = paper_pdf(SITE, spots, DAY, language, Names())
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == (2 if language == "both" else 1)
    text = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    for words in [*there, "#Cổng *chính*", "#set page", "30/11/2026"]:
        assert words in text, words
    assert not [words for words in not_there if words in text]


def test_since_2025_a_ward_is_in_no_district() -> None:
    ward = paper(Site("Chợ", None, "25-11413"), [Spot("Cổng", 1, life(PASSED))], DAY, "vi", Names())
    assert (ward["unit"]["district"], ward["unit"]["ward"]) == ("", "Phường Hải An")


def test_a_ward_that_is_not_known_leaves_its_name_out() -> None:
    spots = [Spot("Cổng", 1, life(PASSED))]
    assert paper_pdf(Site("Quán", None, "unknown"), spots, DAY, "vi", Names()).startswith(b"%PDF")


def test_every_word_of_the_lists_has_its_words() -> None:
    kinds = [vocabulary.Kind, vocabulary.Stage, vocabulary.Ground, vocabulary.Result]
    kinds += [vocabulary.Agency, vocabulary.TeamRole, vocabulary.Mend, vocabulary.Says]
    kinds += [vocabulary.Authority, vocabulary.Outcome, vocabulary.Ending]
    for kind in kinds:
        for member in kind:
            vi, en = words_of(member)
            assert vi != en
            assert vi
            assert en
