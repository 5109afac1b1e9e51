"""A step from the command line to the database: which inspection it is of, and what it says."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from console.cli.case_text import moment
from console.cli.inspection_text import show_inspection
from console.cli.out import json_line
from console.cli.session import BY, Session, session_of
from schemas.errors import UserError
from schemas.inspections import Agency, TeamRole

if TYPE_CHECKING:
    from console.store.engine import Store


def id_in(store: "Store", which: str) -> str:
    """The id of the inspection with this number or id. Raises UserError."""
    from console.store.inspections import id_of, inspection_of

    found = id_of(store, int(which)) if which.isdecimal() and len(which) < 10 else which.lower()
    if found is None or inspection_of(store, found) is None:
        raise UserError(f"ID: không có đợt kiểm tra {which}. / ID: there is no inspection {which}.")
    return found


def take(
    context: typer.Context,
    target: tuple[str | None, int | None, bool],
    said: dict[str, Any],
    sent: tuple[str | None, str | None],
    as_json: bool,
    files: list[bytes] | None = None,
) -> None:
    """Record the step. `target`: the inspection, or the place and whether to begin a new one."""
    from console import inspecting
    from console.api.inspections_said import said_of
    from console.inspections.photos import digest
    from console.store.engine import open_store, utc_now
    from console.store.inspection_lists import line_of
    from console.store.inspection_photos import checked, keep_photo
    from streams.clickhouse import ClickHouse

    session: Session = session_of(context)
    settings = session.settings()
    now = utc_now()
    step = _step(said, *sent, now)
    for data in files or ():
        checked(digest(data), data)  # before the step is recorded that names it
    clickhouse = ClickHouse(settings, 5.0)
    store = open_store(settings)
    try:
        inspection, place = _target(store, *target, step.event_id)
        after = inspecting.take(
            store, settings, clickhouse, inspection, place, step, now=now, by=BY
        )
        for data in files or ():
            keep_photo(store, after.id, digest(data), data, by=BY)
        names = line_of(store, after.id)
        assert names is not None
        shown = said_of(store, after, names)
    finally:
        store.close()
        clickhouse.close()
    if as_json:
        json_line(shown.model_dump(mode="json"))
    else:
        show_inspection(shown, session)


def _target(
    store: "Store", which: str | None, place: int | None, new: bool, event_id: str
) -> tuple[str, int]:
    """The inspection and its place. A step sent again finds the one it was recorded in."""
    from uuid import uuid4

    from console.store.inspection_lists import Wanted, line_of, listed
    from console.store.inspections import recorded_in
    from schemas.inspections import Stage

    if which is not None:
        found = line_of(store, id_in(store, which))
        assert found is not None
        return found.id, found.place
    assert place is not None
    if known := recorded_in(store, event_id):
        return known, place
    running = [
        line
        for line in listed(store, Wanted(place=place), limit=100)
        if line.stage is not Stage.CLOSED
    ]
    if new or not running:
        return str(uuid4()), place
    return running[0].id, place


def _step(said: dict[str, Any], at: str | None, event_id: str | None, now: Any) -> Any:
    """Raises UserError that names the field."""
    from uuid import UUID, uuid4

    from pydantic import TypeAdapter, ValidationError

    from console.inspections.steps import AnyContent, Step
    from console.wordings import problem_said
    from schemas.scan import parse_timestamp

    given = {name: value for name, value in said.items() if value is not None}
    try:
        content: Any = TypeAdapter(AnyContent).validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        vi, en = problem_said(first)
        named = f"--{where}: " if where else ""
        raise UserError(f"{named}{vi} / {named}{en}") from None
    try:
        known = str(UUID(event_id)) if event_id else str(uuid4())
    except ValueError:
        raise UserError("--event-id: phải là một UUID. / --event-id must be a UUID.") from None
    moment_ = moment("--at", at)
    return Step(known, parse_timestamp(moment_) if moment_ else now, content)


def member_of(text: str) -> dict[str, Any]:
    """`AGENCY` or `AGENCY:ROLE`. Raises UserError."""
    agency, _, role = text.partition(":")
    try:
        return {"agency": Agency(agency), "role": TeamRole(role or TeamRole.MEMBER)}
    except ValueError:
        there = ", ".join(Agency), ", ".join(TeamRole)
        raise UserError(
            f"--team {text!r}: viết AGENCY hoặc AGENCY:ROLE, với {there[0]}; {there[1]}. / "
            f"--team {text!r}: write AGENCY or AGENCY:ROLE, of {there[0]}; {there[1]}."
        ) from None


def bytes_of(path: Path) -> bytes:
    """A photo's file. Raises UserError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            f"--photo {path}: không đọc được. / --photo {path}: {error.strerror}."
        ) from None
