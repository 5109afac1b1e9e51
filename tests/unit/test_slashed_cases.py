"""Another system's case over HTTP: every route of cases takes its id, the slash as `%2F`."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import insert

from console.api.app import declared
from console.store import tables
from console.store.cases import columns
from schemas.cases import Case, CaseStatus
from tests.console_kit import PERSON, WARD, Running, running
from tests.unit.test_console_access import ROUTES
from tests.worklist_kit import HEAD, NOW, TODAY, A, document, trace

ID = "hcdc-1/N_7.2"
PATH = "/v1/cases/hcdc-1%2FN_7.2"


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("console")) as made:
        case = Case(
            id=ID, status=CaseStatus.SUSPECTED, person=PERSON, onset=TODAY, ward=WARD,
            registered_at=NOW, registered_by="hcdc-1",
        )  # fmt: skip
        with made.store.write() as connection:
            connection.execute(insert(tables.cases), [columns(case)])
        trace(made, ID, document(A))
        yield made


def ask(console: Running, method: str, path: str, **options: Any) -> Any:
    return console.client.request(method, path, headers=HEAD, **options)


def test_every_route_of_a_case_is_reached(console: Running) -> None:
    """Refusals of the body or of what is not there are answers of the route itself."""
    of_cases = [(m, p) for m, p, _ in ROUTES if p.startswith("/v1/cases/C-1")]
    assert isinstance(console.client.app, FastAPI)
    templates = [path for path, _ in declared(console.client.app) if "{case_id}" in path]
    assert len(of_cases) == len(templates)
    unmatched = ask(console, "GET", "/v1/cases/a/b/c").json()["sentence"]["en"]
    for method, path in of_cases:
        if path.endswith(("/close", "/reopen", "/void")):
            continue
        answer = ask(console, method, path.replace("/v1/cases/C-1", PATH))
        assert answer.status_code != 405, path
        if answer.status_code == 404:
            assert answer.json()["sentence"]["en"] != unmatched, path


def test_it_is_read_amended_worked_and_its_contacts_listed(console: Running) -> None:
    assert ask(console, "GET", PATH).json()["id"] == ID
    assert ask(console, "GET", PATH.replace("%2F", "%2f")).json()["id"] == ID
    contacts = ask(console, "GET", f"{PATH}/contacts").json()
    assert (contacts["case"]["id"], len(contacts["contacts"])) == (ID, 1)
    amended = ask(console, "PATCH", PATH, json={"symptoms": "yes"})
    assert (amended.status_code, amended.json()["symptoms"]) == (200, "yes")
    one = f"{PATH}/list/{A}"
    worked = ask(console, "PATCH", one, json={"classification": "CONFIRMED"})
    assert (worked.status_code, worked.json()["case"]) == (200, ID)
    assert ask(console, "GET", one).json()["classification"] == "CONFIRMED"
    history = ask(console, "GET", f"{PATH}/history").json()
    assert [sorted(entry["changes"]) for entry in history["history"]] == [["symptoms"], ["decided"]]
    closed = ask(console, "POST", f"{PATH}/close")
    assert (closed.status_code, closed.json()["status"]) == (200, "closed")
    sent = [r for r in console.relayed.records if r.key == ID.encode()]
    assert all(Case.model_validate_json(r.value).registered_by == "hcdc-1" for r in sent)


def test_it_is_counted_by_the_routes_template(console: Running) -> None:
    ask(console, "GET", f"{PATH}/contacts")
    text = console.client.get("/metrics").text
    assert 'route="/v1/cases/{case_id}/contacts"' in text
    assert "hcdc" not in text


@pytest.mark.parametrize(
    "path",
    ["/v1/cases/hcdc-1/N_7.2", "/v1/cases/hcdc-1%2F", "/v1/cases/%2F", "/v1/places/1%2F2",
     "/v1/cases/hcdc-1%2FN_7.2%2Fcontacts", "/v1/cases/%FF%2Fa"],
)  # fmt: skip
def test_what_names_no_case_is_not_found(console: Running, path: str) -> None:
    assert ask(console, "GET", path).status_code in (404, 422)
