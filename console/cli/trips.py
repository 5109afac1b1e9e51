"""`truyvet trips …`: what vehicles run, and when; it works on the database itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.case_text import moment
from console.cli.out import json_line, line, note, number
from console.cli.session import BY, Json, Session, session_of, store_of
from schemas.clock import local_text
from schemas.errors import UserError

if TYPE_CHECKING:
    from console.triplist import Timetable
    from schemas.places import Place

_SHOWN = 20
PlaceId = Annotated[int, typer.Argument(metavar="PLACE", min=1, help="Số của xe. / Its number.")]
Note = Annotated[str | None, typer.Option("--note", help="Ghi vào lịch sử. / For the history.")]


def add_to(app: typer.Typer) -> None:
    """These commands."""
    group = typer.Typer(no_args_is_help=True, help="Chuyến xe. / Trips of vehicles.")
    group.command("list", help="Các chuyến của một xe. / Trips of a vehicle.")(list_)
    group.command("add", help="Thêm hoặc sửa một chuyến. / Add or correct a trip.")(add)
    group.command("remove", help="Bỏ chuyến. / Take trips out.")(remove)
    group.command("import", help="Từ biểu đồ chạy xe. / From a timetable, CSV or XLSX.")(import_)
    app.add_typer(group, name="trips")


def list_(context: typer.Context, place_id: PlaceId, as_json: Json = False) -> None:
    """By departure."""
    session = session_of(context)
    _tell(_place(session, place_id), session, as_json)


def add(
    context: typer.Context,
    place_id: PlaceId,
    departs: Annotated[str, typer.Option(help="2026-11-27T08:05, giờ địa phương. / Local time.")],
    arrives: Annotated[str, typer.Option(help="2026-11-27T08:55.")],
    trip: Annotated[
        str | None, typer.Option(help="Tên, mặc định: ngày và giờ đi. / By its departure.")
    ] = None,
    note_: Note = None,
    as_json: Json = False,
) -> None:
    """One of the same name is corrected. Scans name the trip, so a name is used once."""
    import re
    from datetime import datetime

    from console.store.engine import utc_now
    from console.store.trips import cut_off_at
    from issuer.trips import TripError, check_trip, trip_name
    from schemas.places import Trip
    from schemas.scan import NOTE_PATTERN

    session = session_of(context)
    times = [moment(f"--{o}", t) for o, t in (("departs", departs), ("arrives", arrives))]
    begins, ends = (datetime.fromisoformat(text or "") for text in times)
    made = Trip(id=trip or trip_name(begins), departs_at=begins, arrives_at=ends)
    if not re.fullmatch(NOTE_PATTERN, made.id):
        raise UserError("--trip: 1–32 ký tự ASCII. / --trip: 1 to 32 ASCII characters.")
    now = utc_now()
    try:
        check_trip(made, now, cut_off_at(now, session.settings().retention_days))
    except TripError as error:
        raise UserError(f"{error.vi}. / {error.en}.") from None
    _tell(_changed(session, place_id, [made], [], note_), session, as_json)


def remove(
    context: typer.Context,
    place_id: PlaceId,
    trips: Annotated[list[str], typer.Argument(metavar="TRIP…", help="Tên chuyến. / Names.")],
    note_: Note = None,
    as_json: Json = False,
) -> None:
    """The stays of scans that name them end as if the trip were not known."""
    session = session_of(context)
    there = {trip.id for trip in _place(session, place_id).trips}
    if missing := [name for name in trips if name not in there]:
        raise UserError(
            f"TRIP: không có chuyến {missing[0]}. / TRIP: there is no trip {missing[0]}."
        )
    _tell(_changed(session, place_id, [], trips, note_), session, as_json)


def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, XLSX, ODS.")],
    site: Annotated[
        int | None, typer.Option(help="Chỉ xe của đơn vị này. / Vehicles of this site only.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Trang tính. / The sheet.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Ghi vào. / Write them.")] = False,
    without_refused: Annotated[
        bool, typer.Option("--without-refused", help="Bỏ dòng bị từ chối. / Leave those out.")
    ] = False,
    note_: Note = None,
    as_json: Json = False,
) -> None:
    """Columns: vehicle (number, name or plate), departs, arrives; trip and day if there are.

    Without --apply nothing is written. Begun again, it adds only what is new.
    """
    from functools import partial

    from console.sitelist.sheet import read_rows
    from console.store.engine import open_store, utc_now
    from console.store.history import What, Why
    from console.store.trips import cut_off_at, import_trips, planned_trips, vehicles_named
    from console.triplist import read_timetable

    session = session_of(context)
    settings = session.settings()
    now = utc_now()
    cut_off = cut_off_at(now, settings.retention_days)
    rows = read_rows(file, sheet)
    store = open_store(settings)
    changed = None
    try:
        names, planned = vehicles_named(store, site), partial(planned_trips, store)
        table = read_timetable(rows, names, planned, now=now, cut_off=cut_off)
        if apply and (without_refused or not table.refused):
            why = Why(BY, What.TRIPS, note_ or file.name)
            changed = import_trips(store, table.trips, why, cut_off=cut_off)
    finally:
        store.close()
    _report(session, table, changed, as_json)
    if apply and changed is None:
        raise typer.Exit(1)


def _place(session: Session, place_id: int) -> "Place":
    from console.store import sites

    with store_of(session) as store:
        place = sites.place(store, place_id)
    if place is None:
        raise UserError(f"Không có điểm quét {place_id}. / There is no place {place_id}.")
    return place


def _changed(
    session: Session, place_id: int, added: "list[Any]", removed: list[str], note_: str | None
) -> "Place":
    from console.store.engine import open_store, utc_now
    from console.store.history import What, Why
    from console.store.trips import change_trips, cut_off_at

    settings = session.settings()
    cut_off = cut_off_at(utc_now(), settings.retention_days)
    store = open_store(settings)
    try:
        why = Why(BY, What.TRIPS, note_)
        return change_trips(store, place_id, added, removed, why, cut_off=cut_off)
    finally:
        store.close()


def _tell(place: "Place", session: Session, as_json: bool) -> None:
    if as_json:
        trips = [trip.model_dump(mode="json") for trip in place.trips]
        json_line({"place": place.id, "version": place.version, "trips": trips})
        return
    for trip in place.trips:
        line(f"{trip.id:<32} {local_text(trip.departs_at)} → {local_text(trip.arrives_at)}")
    if not place.trips:
        note(session.words("Chưa có chuyến nào.", "There are no trips."))


def _report(session: Session, table: "Timetable", changed: int | None, as_json: bool) -> None:
    if as_json:
        refused = [{"row": r.row, "vi": r.vi, "en": r.en} for r in table.refused]
        about = {"trips": table.count, "vehicles": len(table.trips), "refused": refused}
        json_line({**about, "applied": changed is not None, "changed": changed or 0})
        return
    trips, vehicles = number(table.count), number(len(table.trips))
    line(session.words(f"{trips} chuyến của {vehicles} xe", f"{trips} trips of {vehicles}"))
    for row in table.refused[:_SHOWN]:
        line(f"  {session.words(f'dòng {row.row}', f'row {row.row}')}: "
             f"{session.words(row.vi, row.en)}")  # fmt: skip
    if table.refused:
        count = number(len(table.refused))
        note(session.words(f"Từ chối {count} dòng.", f"Refused rows: {count}."))
    if changed is None:
        more = " --without-refused" if table.refused else ""
        note(session.words(f"Chưa ghi gì: --apply{more}.", f"Nothing is written: --apply{more}."))
    else:
        line(session.words(f"Đã đổi {changed} xe.", f"Vehicles changed: {changed}."))
