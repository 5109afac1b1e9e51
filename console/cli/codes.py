"""`truyvet codes issue | rotate | revoke`; `codes_read` and `code_keys` have the others.

They work on the database itself; the console's relay publishes what they change.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from console.cli import code_keys, codes_read
from console.cli.case_text import moment
from console.cli.errors import INTERRUPTED
from console.cli.out import json_line, line, note, number, progress
from console.cli.session import BY, Json, Session, session_of
from console.cli.spans import span_of
from schemas.errors import UserError

if TYPE_CHECKING:
    from datetime import datetime

    from console.store.codes import Changed, Decide
    from console.store.engine import Store
    from console.store.history import What

_SHOWN: Final = 50  # places named one by one

Places = Annotated[
    list[int] | None, typer.Argument(metavar="PLACE…", help="Số điểm quét. / Numbers of places.")
]
Wards = Annotated[
    list[str] | None,
    typer.Option("--ward", help="Cả xã, phường; nhiều lần được. / A whole ward; repeatable."),
]
Sites = Annotated[
    list[int] | None,
    typer.Option("--site", help="Cả cơ sở; nhiều lần được. / A whole site; repeatable."),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from", help="Có hiệu lực từ, mặc định: bây giờ. / Valid from; now, without it."
    ),
]
Note = Annotated[str | None, typer.Option("--note", help="Ghi vào lịch sử. / For the history.")]


def add_to(app: typer.Typer) -> None:
    """These commands."""
    group = typer.Typer(no_args_is_help=True, help="Mã QR địa điểm. / Location codes.")
    group.command("issue", help="Cấp mã cho nơi chưa có. / A code where there is none.")(issue)
    group.command("rotate", help="Đổi sang phiên bản mới. / A new version; the old one ends.")(
        rotate
    )
    group.command("revoke", help="Thu hồi mã. / Revoke: scans from now on are refused.")(revoke)
    codes_read.add_to(group)
    code_keys.add_to(group)
    app.add_typer(group, name="codes")


def issue(
    context: typer.Context,
    places: Places = None,
    ward: Wards = None,
    site: Sites = None,
    valid_from: From = None,
    note_: Note = None,
    as_json: Json = False,
) -> None:
    """Places whose code can be used are left alone; run again, it goes on."""
    from console.codekeys import ring_of
    from console.store.history import What
    from issuer.rotation import Left, issued

    session = session_of(context)
    settings = session.settings()
    ring = ring_of(settings)
    begins, _ = _begins("--from", valid_from)

    def decide(place: Any) -> Any:
        return issued(place, ring, begins)

    _run(session, (places, ward, site), decide, (What.ISSUE, note_), as_json, fine={Left.HAS_CODE})


def rotate(
    context: typer.Context,
    places: Places = None,
    ward: Wards = None,
    site: Sites = None,
    overlap: Annotated[
        str,
        typer.Option(help="Phiên bản cũ còn dùng được: 14d, 12h. / How long the old one lasts."),
    ] = "14d",
    valid_from: From = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Cả nơi vừa hoặc đang đổi mã. / Also where it was just done."),
    ] = False,
    note_: Note = None,
    as_json: Json = False,
) -> None:
    """Both versions are good during the overlap, while posters are changed.

    Left alone: places in an overlap, those rotated at or after --from, and those that got a next
    version in the last ten minutes. So a run that was broken off goes on when it is begun again.
    """
    from console.codekeys import ring_of
    from console.store.history import What
    from issuer.rotation import Left, rotated

    session = session_of(context)
    settings = session.settings()
    ring = ring_of(settings)
    begins, now = _begins("--from", valid_from)
    lasts = span_of("--overlap", overlap)

    def decide(place: Any) -> Any:
        return rotated(place, ring, begins, lasts, now=now, again=again)

    fine = {Left.CHANGING, Left.SINCE}
    _run(
        session, (places, ward, site), decide, (What.ROTATE, note_), as_json,
        fine=fine, go_on=begins,
    )  # fmt: skip


def revoke(
    context: typer.Context,
    place: Annotated[int, typer.Argument(metavar="PLACE", help="Số điểm quét. / Its number.")],
    reason: Annotated[
        str, typer.Option(help="Lý do, không ghi tên người; bắt buộc. / Why, no names; needed.")
    ],
    version: Annotated[
        int | None,
        typer.Option(min=1, max=1023, help="Phiên bản, mặc định: mọi bản còn dùng. / All usable."),
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Cấp ngay phiên bản mới. / Issue the next one at once.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            help="Thu hồi từ lúc này, giờ địa phương: lượt quét bằng mã này từ đó không còn được "
            "tính. / From then on, local time: scans by it since do not count any more."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Scans made before stay as they are. A revocation is not undone: issue a new version."""
    from console.codekeys import ring_of
    from console.store.history import What
    from issuer.rotation import Left, revoked, too_far

    if not reason.strip():
        raise UserError("--reason: cần lý do. / --reason: a revocation needs a reason.")
    session = session_of(context)
    ring = ring_of(session.settings()) if new else None
    begins, now = _begins("--since", since)
    if wrong := too_far(begins, now):
        raise UserError(f"--since: {wrong[0]}. / --since: {wrong[1]}.")

    def decide(found: Any) -> Any:
        if version is not None and all(code.version != version for code in found.codes):
            raise UserError(
                f"--version: điểm quét {place} không có phiên bản {version}. / "
                f"--version: place {place} has no code of version {version}."
            )
        return revoked(found, version, now, reason, ring=ring, since=begins if since else None)

    fine = {Left.NONE_IN_FORCE, Left.HAS_CODE, Left.SINCE}
    _run(session, ([place], None, None), decide, (What.REVOKE, reason), as_json, fine=fine)


def _begins(option: str, text: str | None) -> "tuple[datetime, datetime]":
    """The moment that is given, or else now; and now."""
    from datetime import datetime

    from console.store.engine import utc_now

    now = utc_now()
    given = moment(option, text)
    return (datetime.fromisoformat(given) if given else now), now


def _run(
    session: Session,
    chosen: "tuple[list[int] | None, list[str] | None, list[int] | None]",
    decide: "Decide",
    why: "tuple[What, str | None]",
    as_json: bool,
    *,
    fine: "set[Any]",
    go_on: "datetime | None" = None,
) -> None:
    from console.store.codes import Changed, change_codes
    from console.store.engine import open_store
    from console.store.history import Why

    settings = session.settings()
    store = open_store(settings)
    done = Changed()
    try:
        ids = _chosen(store, *chosen)
        label = session.words("mã", "codes")
        with progress(label, len(ids), session.words("điểm quét", "places")) as advance:

            def tell(sofar: "Changed") -> None:
                nonlocal done
                done = sofar
                advance(sofar.seen)

            done = change_codes(store, ids, decide, Why(BY, *why), tell)
    except KeyboardInterrupt:
        _broken_off(session, done, go_on)
        raise typer.Exit(INTERRUPTED) from None  # some of it is done, which `Abort` denies
    finally:
        store.close()
    if as_json:
        json_line(_document(done, settings.code_origin))
    else:
        _show(session, done, settings.code_origin)
    if done.left.keys() - fine and not done.places:
        raise typer.Exit(1)


def _chosen(
    store: "Store", places: list[int] | None, wards: list[str] | None, sites: list[int] | None
) -> list[int]:
    """The numbers asked for, once each. Raises UserError if nothing is chosen, or nothing there."""
    from console.store.codes import active_places
    from console.store.sites import known_places
    from issuer.units import ward as unit

    if bool(places) == bool(wards or sites):
        raise UserError(
            "Hãy nêu PLACE…, hoặc --ward, --site. / Name PLACE…, or else --ward or --site."
        )
    if places:
        ids = sorted(set(places))
        if missing := sorted(set(ids) - known_places(store, ids)):
            raise UserError(
                f"PLACE: không có điểm quét {missing[0]}. / PLACE: there is no place {missing[0]}."
            )
        return ids
    for code in wards or ():
        try:
            unit(code)
        except ValueError:
            raise UserError(
                f"--ward: không có xã, phường {code}. / --ward: there is no ward {code}."
            ) from None
    return active_places(store, wards=wards or (), sites=sites or ())


def _document(done: "Changed", origin: str) -> dict[str, Any]:
    changed = [
        {
            "place": place.id,
            "version": place.version,
            "codes": [
                code.model_dump(mode="json") | {"url": origin + code.token} for code in place.codes
            ],
        }
        for place in done.places
    ]
    return {"changed": changed, "left": {why.value: ids for why, ids in done.left.items()}}


def _show(session: Session, done: "Changed", origin: str) -> None:
    from issuer.rotation import WHY_LEFT

    for place in done.places[:_SHOWN]:
        newest = place.codes[-1]
        what = (
            session.words(f"v{newest.version} đã thu hồi", f"v{newest.version} revoked")
            if newest.revoked_at
            else f"v{newest.version} {origin}{newest.token}"
        )
        line(f"#{place.id}  {what}")
    total = number(len(done.places))
    line(session.words(f"Đã đổi: {total}.", f"Changed: {total}."))
    for why, ids in done.left.items():
        count = number(len(ids))
        vi, en = WHY_LEFT[why]
        line(session.words(f"Giữ nguyên {count}: {vi}.", f"Left alone {count}: {en}."))


def _broken_off(session: Session, done: "Changed", go_on: "datetime | None") -> None:
    from schemas.scan import format_timestamp

    total = number(len(done.places))
    again = f" --from {format_timestamp(go_on)}" if go_on else ""
    note(
        session.words(
            f"{total} điểm quét đã xong; chạy lại lệnh này{again} để làm tiếp.",
            f"{total} places are done; the same command again{again} goes on.",
        )
    )
