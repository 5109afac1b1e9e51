"""Lists as files: whole or refused, of the area alone, and nothing a spreadsheet could run."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from console.exports.cells import defused, kept
from console.exports.columns import COLUMNS
from console.exports.sormas import SORMAS_COLUMNS
from console.store.keys import Role
from console.store.register import NewPlace, NewSite, register_sites
from console.vault import Identity, NoVault
from schemas.errors import Retryable
from tests.console_kit import PERSON, RING, WARD, Running, running
from tests.worklist_kit import ELSEWHERE, HEAD, TODAY, A, B, C, D, document, exposure, new_case

PATH = "/v1/exports/contacts"
EVIL = '=HYPERLINK("http://evil.example","x")'


@pytest.fixture
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("console")) as console:
        yield console


class Vault:
    """Knows everybody under a name that a spreadsheet would run."""

    note: tuple[str, str] | None = None

    def lookup(self, case_id: str, persons: Any) -> dict[str, Identity]:
        return {p: Identity(EVIL, "Nguyễn", "+84912345678", True) for p in persons}

    def same_phone(self, case_id: str, first: str, second: str) -> bool | None:
        return None


def use(console: Running, vault: Any) -> None:
    app: Any = console.client.app
    object.__setattr__(app.state.console, "vault", vault)


def take(console: Running, head: dict[str, str] = HEAD, **what: Any) -> Any:
    answer = console.client.get(PATH, params=what, headers=head)
    assert answer.status_code == 200, answer.text
    return answer


def rows(content: bytes, separator: str = ",") -> tuple[list[dict[str, str]], list[str]]:
    """Each contact by column, and the end line."""
    found = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=separator))
    header, *body, end = found
    assert header == [column.key for column in COLUMNS]
    return [dict(zip(header, row, strict=True)) for row in body], end


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+84912345678", "'+84912345678"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n", "'\n"),
        ("  =1", "'  =1"),
        ("\x00=1", "' =1"),
        ("\x01=1+1", "' =1+1"),
        ("\x7f=1", "' =1"),
        ("\u200b\ufeff=1", "'\u200b\ufeff=1"),
        ("＝1", "'＝1"),
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠SUM(A1)", "'＠SUM(A1)"),
        ("X;=HYPERLINK(1)", "X;'=HYPERLINK(1)"),
        ('X, "=1', "X,' \"=1"),
        ("X;\t＝1", "X;'\t'＝1"),
        ("X\n-1", "X\n'-1"),
        ("Nguyễn = An", "Nguyễn = An"),
        ("Số 5, ngõ 3-4; tầng 2", "Số 5, ngõ 3-4; tầng 2"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula(cell: str, safe: str) -> None:
    assert defused(cell) == safe


@pytest.mark.parametrize("cell", ["0912345678", "1234567890123", "12345E6789012", "00001", "7"])
def test_no_id_becomes_a_number(cell: str) -> None:
    assert kept(cell) == f"'{cell}"
    assert kept("2C9V0A7NJ5X1T") == "2C9V0A7NJ5X1T"
    assert kept("C-2026-000001") == "C-2026-000001"


@pytest.mark.parametrize(
    "cell",
    [
        *("1-2", "3/4", " 3 / 4 ", "1.2.2026", "2026-11-20", "10:30", "10:30 AM", "9 p", "50%"),
        *("(5)", "１２", "1 May", "Mar-3", "MARCH1", "4-Sept-2026"),
    ],
)
def test_no_name_becomes_a_number_or_a_date(cell: str) -> None:
    assert kept(cell) == f"'{cell}"


@pytest.mark.parametrize(
    "cell",
    ["", "-", "Phòng 1-2", "3/4 Trần Phú", "A1-2", "Mary 3 Trần Phú", "5A", "1 Mayer Park x"],
)
def test_what_is_a_text_anyway_stays_as_it_is(cell: str) -> None:
    assert kept(cell) == ("'-" if cell == "-" else cell)


def test_a_csv_is_whole_and_says_that_there_is_no_vault(console: Running) -> None:
    seen = exposure()
    with_two = document(A, seen | {"stay": seen["stay"] | {"companions": 2}})
    case = new_case(console, with_two, document(B, exposure(tier="same_time_only")))
    answer = take(console, format="csv")
    assert answer.content.startswith(b'\xef\xbb\xbf"case","person",')
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert ".csv" in answer.headers["content-disposition"]
    assert answer.headers["x-truyvet-note"] == "no_identity_vault"
    assert answer.headers["cache-control"] == "no-store"
    [one], end = rows(answer.content)
    assert (one["case"], one["person"], one["tier"]) == (case, A, "same_place")
    assert (one["classification"], one["minutes"], one["confidence"]) == (
        "UNCONFIRMED",
        "60",
        "high",
    )
    assert (one["first_name"], one["phone"]) == ("", "")
    assert one["companions"] == "2"
    assert end[0] == "# whole: 1"
    assert "no identity vault" in end[2]
    everybody, _ = rows(take(console, format="csv", everybody=True).content)
    assert [(r["person"], r["companions"]) for r in everybody] == [(A, "2"), (B, "")]
    plain = take(console, format="csv", bom=False, separator=";").content
    assert plain.startswith(b'"case";"person";')
    assert rows(plain, ";")[0] == [one]


def test_names_that_a_spreadsheet_would_run_and_phones(console: Running) -> None:
    new_case(console)
    use(console, Vault())
    answer = take(console, format="csv")
    assert "x-truyvet-note" not in answer.headers
    [one], end = rows(answer.content)
    assert (one["first_name"], one["phone"]) == (f"'{EVIL}", "'+84912345678")
    assert end == ["# whole: 1"]
    book = CalamineWorkbook.from_filelike(io.BytesIO(take(console, format="xlsx").content))
    _, first = book.get_sheet_by_index(0).to_python()
    cells = dict(zip([c.key for c in COLUMNS], first, strict=True))
    assert (cells["first_name"], cells["phone"]) == (EVIL, "+84912345678")
    raw = take(console, format="sormas").content.decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(raw))
    assert row["person.firstName"] == f"'{EVIL}"
    assert row["person.phone"] == "+84912345678"  # an importer would keep an apostrophe


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_workbook_has_text_cells_a_header_and_notes(console: Running, lang: str) -> None:
    case = new_case(console, document(A), document(B))
    body = {"classification": "CONFIRMED", "follow_up": "FOLLOW_UP", "answers": {"touch": "yes"}}
    console.client.patch(f"/v1/cases/{case}/list/{A}", json=body, headers=HEAD)
    answer = take(console, format="xlsx", lang=lang)
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    assert book.sheet_names == (["Danh sách", "Ghi chú"] if lang == "vi" else ["Contacts", "Notes"])
    header, first, second = book.get_sheet_by_index(0).to_python()
    assert header[1] == "Mã người\nPerson"
    assert len(header) == len(COLUMNS)
    at = {column.key: number for number, column in enumerate(COLUMNS)}
    assert (first[at["person"]], second[at["person"]]) == (A, B)
    words = {"vi": "người tiếp xúc gần (F1)", "en": "contact (F1)"}
    assert first[at["classification"]] == words[lang]
    assert first[at["fulfilled"]] == "a"
    assert first[at["minutes"]] == 60
    assert first[at["follow_up_state"]] == {"vi": "đến hạn hôm nay", "en": "due today"}[lang]
    notes = [cell for row in book.get_sheet_by_index(1).to_python() for cell in row]
    assert any("no identity vault" in str(cell) for cell in notes)
    assert "Possible contacts that scans propose; an officer asks and decides." in notes


def test_sormas_gets_its_own_columns(console: Running) -> None:
    case = new_case(console, document(A), document(B), document(C), document(D))
    for person, body in (
        (A, {"classification": "CONFIRMED", "category": "HIGH_RISK", "follow_up": "FOLLOW_UP"}),
        (B, {"classification": "NO_CONTACT"}),
        (D, {"answers": {"within_2_m": "yes"}}),
    ):
        console.client.patch(f"/v1/cases/{case}/list/{person}", json=body, headers=HEAD)
    text = take(console, format="sormas", case=case, dates="dotted").content.decode("utf-8-sig")
    assert next(csv.reader(io.StringIO(text))) == list(SORMAS_COLUMNS)
    one, untouched, near = csv.DictReader(io.StringIO(text))
    assert (one["contactClassification"], one["contactStatus"]) == ("CONFIRMED", "ACTIVE")
    assert (one["followUpStatus"], one["contactCategory"]) == ("FOLLOW_UP", "HIGH_RISK")
    assert (untouched["contactClassification"], untouched["followUpStatus"]) == ("UNCONFIRMED", "")
    assert untouched["contactIdentificationSource"] == "TRACING_APP"
    assert (untouched["tracingApp"], untouched["tracingAppDetails"]) == ("OTHER", "truyvet")
    assert (untouched["caseIdExternalSystem"], untouched["externalID"]) == (case, f"{case}/{C}")
    assert near["contactProximity"] == "CLOSE_CONTACT"
    assert untouched["region"] == "Thành phố Hải Phòng"
    assert len(untouched["lastContactDate"].split(".")) == 3
    assert untouched["reportDateTime"]
    assert untouched["multiDayContact"] in ("true", "false")
    assert untouched["person.sex"] == "UNKNOWN"


def test_an_export_is_of_the_area_and_of_what_was_handed_over_to_it(console: Running) -> None:
    case = new_case(console, document(A), document(B))
    here, away = (console.key(Role.EPIDEMIOLOGIST, f"ward/{ward}") for ward in (WARD, ELSEWHERE))
    theirs = new_case(console, document(C), ward=ELSEWHERE)
    assert [r["case"] for r in rows(take(console, here, format="csv").content)[0]] == [case] * 2
    for other, head in ((case, away), (theirs, here), ("C-0", HEAD)):
        answer = console.client.get(PATH, params={"format": "csv", "case": other}, headers=head)
        assert answer.status_code == 404
    to = {"to": f"ward/{ELSEWHERE}"}
    path = f"/v1/cases/{case}/list/{A}/hand-overs"
    asked = console.client.post(path, json=to, headers=here).json()["id"]
    assert [r["person"] for r in rows(take(console, away, format="csv").content)[0]] == [C]
    console.client.post(f"/v1/hand-overs/{asked}/accept", headers=away)
    found = rows(take(console, away, format="csv").content)[0]
    assert [(r["case"], r["person"]) for r in found] == [(theirs, C), (case, A)]
    one = rows(take(console, away, format="csv", case=case).content)[0]
    assert [r["person"] for r in one] == [A]


def test_a_place_of_another_area_is_a_number(console: Running) -> None:
    spot = NewPlace("Phòng họp", "meeting_room", "p", enclosed=True)
    site = NewSite("Sở", "office", WARD, "health", "s", places=(spot,))
    [place] = register_sites(console.store, RING, [site], source="test")
    new_case(console, document(A, exposure(place=place.id)))
    [one], _ = rows(take(console, format="csv").content)
    assert (one["place"], one["place_name"], one["site_name"]) == (
        f"'{place.id}",
        "Phòng họp",
        "Sở",
    )
    new_case(console, document(B, exposure(place=place.id)), ward=ELSEWHERE)
    away = console.key(Role.EPIDEMIOLOGIST, f"ward/{ELSEWHERE}")
    [one], _ = rows(take(console, away, format="csv").content)
    assert (one["place"], one["place_name"]) == (f"'{place.id}", "")


def test_a_name_of_a_place_is_no_date_and_no_formula(console: Running) -> None:
    spot = NewPlace("3/4", "meeting_room", "p", enclosed=True)
    site = NewSite("Chợ 1;＝1+1", "market", WARD, "health", "s", places=(spot,))
    [place] = register_sites(console.store, RING, [site], source="test")
    new_case(console, document(A, exposure(place=place.id)))
    [one], _ = rows(take(console, format="csv").content)
    assert (one["place_name"], one["site_name"]) == ("'3/4", "Chợ 1;'＝1+1")
    assert (one["minutes"], one["last_exposure"][:2]) == ("60", "20")  # those are meant as such
    book = CalamineWorkbook.from_filelike(io.BytesIO(take(console, format="xlsx").content))
    assert {"3/4", "Chợ 1;＝1+1"} <= set(book.get_sheet_by_index(0).to_python()[1])


class PhoneVault(Vault):
    """Where a phone should be it has a formula."""

    def lookup(self, case_id: str, persons: Any) -> dict[str, Identity]:
        return {p: Identity("An", "Lê", "+1+cmd|'/c calc'!A0", False) for p in persons}


def test_sormas_phone_is_a_phone_or_no_formula(console: Running) -> None:
    new_case(console)
    use(console, PhoneVault())
    [row] = csv.DictReader(io.StringIO(take(console, format="sormas", bom=False).text))
    assert row["person.phone"] == "'+1+cmd|'/c calc'!A0"


def test_an_empty_list_is_a_whole_file(console: Running) -> None:
    found, end = rows(take(console, format="csv").content)
    assert (found, end[0]) == ([], "# whole: 0")
    book = CalamineWorkbook.from_filelike(io.BytesIO(take(console, format="xlsx").content))
    assert len(book.get_sheet_by_index(0).to_python()) == 1


@pytest.mark.parametrize(
    ("what", "field"),
    [
        ({}, "format"),
        ({"format": "pdf"}, "format"),
        ({"format": "csv", "separator": "|"}, "separator"),
        ({"format": "xlsx", "lang": "fr"}, "lang"),
        ({"format": "sormas", "dates": "iso"}, "dates"),
        ({"format": "csv", "bom": "perhaps"}, "bom"),
    ],
)
def test_a_wrong_wish_is_named(console: Running, what: dict[str, str], field: str) -> None:
    answer = console.client.get(PATH, params=what, headers=HEAD)
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("form", ["csv", "xlsx", "sormas"])
def test_away_before_the_first_page_is_said_and_later_the_file_has_no_end(
    console: Running, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.api.worklist_pages.PAGE", 1)
    new_case(console, document(A), document(B), document(C))
    plain = console.tables.answer
    assert plain is not None
    failing = {"from": 0}

    def answer(sql: str, what: dict[str, Any]) -> list[tuple[Any, ...]]:
        if what.get("offset", -1) >= failing["from"]:
            raise Retryable("ClickHouse is away")
        return plain(sql, what)

    console.tables.answer = answer
    early = console.client.get(PATH, params={"format": form}, headers=HEAD)
    assert early.status_code == 503
    failing["from"] = 2
    late = console.client.get(PATH, params={"format": form}, headers=HEAD)
    if form == "xlsx":
        assert late.status_code == 503  # a workbook is made before any of it goes out
    else:  # the server closes the connection before the body's end: test_cli_worklist
        assert A in late.text
        assert "# whole" not in late.text


def test_no_more_than_a_page_is_held(console: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.api.worklist_pages.PAGE", 2)
    people = [A, B, C, D]
    new_case(console, *(document(p) for p in people))
    asked: list[int] = []

    class Counting(NoVault):
        def lookup(self, case_id: str, persons: Any) -> dict[str, Identity]:
            asked.append(len(persons))
            return {}

    use(console, Counting())
    found, _ = rows(take(console, format="csv").content)
    assert len(found) == 4
    assert asked == [2, 2]


def test_officers_of_a_ward_do_not_export(console: Running) -> None:
    officer = console.key(Role.OFFICER, f"ward/{WARD}")
    answer = console.client.get(PATH, params={"format": "csv"}, headers=officer)
    assert answer.status_code == 403
    assert TODAY.isoformat() not in answer.text


def test_who_is_named_and_never_seen_is_there_once_everywhere(console: Running) -> None:
    """The tracer writes a document without exposures for a contact that the case has named."""
    said = {"person": B, "relation": "household", "last_contact": str(TODAY - timedelta(days=1))}
    unseen = document(B) | {
        "tier": "named", "call": True, "minutes": 0.0, "exposures": [], "rank": 1,
        "named": {n: said[n] for n in ("relation", "last_contact")},
        "path": [{"person": PERSON, "case": "C"}, {"person": B}],
    }  # fmt: skip
    case = new_case(console, unseen, document(A, rank=2))
    body = {"add": {"named": [said]}}
    answer = console.client.post(f"/v1/cases/{case}/entries", json=body, headers=HEAD)
    assert answer.status_code == 200, answer.text
    for wanted in ("csv", "sormas", "xlsx"):
        path = f"/v1/exports/contacts?format={wanted}&case={case}"
        answer = console.client.get(path, headers=HEAD)
        assert answer.status_code == 200, answer.text
        if wanted != "xlsx":
            assert answer.text.count(B) == 1
    listed = console.client.get(f"/v1/cases/{case}/list", headers=HEAD).json()["contacts"]
    assert [row["person"] for row in listed].count(B) == 1
    path = f"/v1/triage?capacity=5&case={case}"
    today = console.client.get(path, headers=HEAD).json()["today"]
    assert [row["person"] for row in today] == [B, A]
    for path in (f"/v1/cases/{case}/list/{B}", f"/v1/cases/{case}/duplicates"):
        assert console.client.get(path, headers=HEAD).status_code == 200


def test_of_who_was_named_and_is_not_seen_nothing_is_sure(console: Running) -> None:
    """Nor has anybody said that they have no symptoms."""
    use(console, NoVault())
    unseen = document(C, exposure(), tier="named", minutes=0.0) | {"exposures": []}
    case = new_case(console, unseen, document(A))
    named = {"person": C, "relation": "colleague", "last_contact": str(TODAY)}
    path = f"/v1/cases/{case}/entries"
    console.client.post(path, json={"add": {"named": [named]}}, headers=HEAD)
    found, _ = rows(take(console, case=case, format="csv").content)
    by = {row["person"]: row for row in found}
    assert [by[C][name] for name in ("minutes", "confidence", "confidence_percent")] == [""] * 3
    assert (by[C]["relation"], by[A]["relation"]) == ("colleague", "")
    assert by[A]["confidence"] == "high"
    assert {row["symptoms"] for row in found} == {""}
    sormas = take(console, case=case, format="sormas").content
    lines = list(csv.DictReader(io.StringIO(sormas.decode("utf-8-sig"))))
    assert {line["relationToCase"] for line in lines} == {"SAME_ENVIRONMENT", ""}


def test_whom_the_case_rules_out_is_in_the_file_and_on_the_list_though_untouched(
    console: Running,
) -> None:
    use(console, NoVault())
    case = new_case(console, document(A))
    out = {"person": D, "reason": "not_there"}
    path = f"/v1/cases/{case}/entries"
    console.client.post(path, json={"add": {"excluded": [out]}}, headers=HEAD)
    found, _ = rows(take(console, case=case, format="csv").content)
    assert {row["person"]: row["excluded"] for row in found} == {A: "", D: "not_there"}
    triage = console.client.get(f"/v1/triage?capacity=9&case={case}", headers=HEAD).json()
    assert [left["reason"] for left in triage["left_out"]] == ["excluded"]
    one = console.client.get(f"/v1/cases/{case}/list/{D}", headers=HEAD)
    assert (one.status_code, one.json()["excluded"]) == (200, "not_there")
    counted = console.client.get(f"/v1/cases/{case}/list-summary", headers=HEAD).json()
    listed = console.client.get(f"/v1/cases/{case}/list", headers=HEAD).json()
    assert counted["contacts"] == listed["total"] == 2
