"""`truyvet keys | producers`: who may send and read."""

from typing import Annotated, Any

import typer

from console.cli.out import json_line, line, note
from console.cli.producer_activity import producers_activity
from console.cli.session import Json, Session, session_of


def add_to(app: typer.Typer) -> None:
    """These commands."""
    keys = typer.Typer(no_args_is_help=True, help="Khoá API. / API keys.")
    keys.command("create", help="Tạo khoá, chỉ hiện một lần. / A new key, shown once.")(create_key)
    keys.command("list", help="Các khoá, không có bí mật. / All keys, without secrets.")(list_keys)
    keys.command("revoke", help="Thu hồi một khoá. / Revoke a key.")(revoke_key)
    app.add_typer(keys, name="keys")
    producers = typer.Typer(no_args_is_help=True, help="Nguồn gửi lượt quét. / Producers.")
    producers.command("list", help="Các nguồn gửi. / All producers.")(list_producers)
    producers.command("put", help="Thêm hoặc sửa. / Add or change one.")(put_producer)
    about = "Nguồn im lặng hay nhiều lỗi. / Who is silent, who is noisy."
    producers.command("activity", help=about)(producers_activity)
    app.add_typer(producers, name="producers")


def create_key(
    context: typer.Context,
    role: Annotated[
        str,
        typer.Option(
            help="producer, owner, officer, department, epidemiologist, auditor, privacy, admin."
        ),
    ],
    area: Annotated[str, typer.Option(help="'*', city/31, district/…, ward/…")] = "*",
    producer: Annotated[
        str | None, typer.Option(help="Nguồn gửi của khoá. / Whose it is, for a producer.")
    ] = None,
    sector: Annotated[
        str | None, typer.Option(help="Ngành của sở: health, transport… / Its sector, for one.")
    ] = None,
    name: Annotated[str, typer.Option(help="Để nhận ra về sau. / To know it by.")] = "",
    as_json: Json = False,
) -> None:
    """The secret cannot be seen again."""
    from console.store.engine import open_store
    from console.store.keys import Role
    from console.store.keys import create_key as create
    from schemas.errors import UserError

    session = session_of(context)
    if role not in list(Role):
        raise UserError(
            f"Không có vai trò {role!r}. / --role is one of {', '.join(Role)}, not {role!r}."
        )
    store = open_store(session.settings())
    try:
        made = name or producer or role
        secret = create(store, Role(role), area, producer=producer, sector=sector, name=made)
    finally:
        store.close()
    if as_json:
        json_line(
            {
                "key": secret,
                "role": role,
                "area": area,
                "producer": producer,
                "sector": sector,
                "name": made,
            }
        )
        return
    line(secret)
    note(session.words("Hãy cất khoá này ngay.", "Keep it now: it is not shown again."))


def list_keys(context: typer.Context, as_json: Json = False) -> None:
    """By id."""
    from console.store.engine import open_store
    from console.store.keys import list_keys as listed

    session = session_of(context)
    store = open_store(session.settings())
    try:
        keys = [
            {
                "id": key.id,
                "name": key.name,
                "role": key.role.value,
                "area": key.area,
                "producer": key.producer,
                "sector": key.sector,
                "created_at": key.created_at.isoformat(),
                "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
            }
            for key in listed(store)
        ]
    finally:
        store.close()
    _print(session, "keys", keys, as_json)


def revoke_key(
    context: typer.Context,
    key_id: Annotated[int, typer.Argument(metavar="ID")],
    as_json: Json = False,
) -> None:
    """Refused within seconds."""
    from console.store.engine import open_store
    from console.store.keys import revoke_key as revoke

    session = session_of(context)
    store = open_store(session.settings())
    try:
        revoke(store, key_id)
    finally:
        store.close()
    if as_json:
        json_line({"revoked": key_id})
    else:
        line(session.words(f"Đã thu hồi khoá {key_id}.", f"Key {key_id} is revoked."))


def list_producers(context: typer.Context, as_json: Json = False) -> None:
    """By id."""
    from console.store.engine import open_store
    from console.store.producers import list_producers as listed

    session = session_of(context)
    store = open_store(session.settings())
    try:
        found = [producer.model_dump(mode="json") for producer in listed(store)]
    finally:
        store.close()
    _print(session, "producers", found, as_json)


def put_producer(
    context: typer.Context,
    producer_id: Annotated[str, typer.Argument(metavar="ID")],
    name: Annotated[str | None, typer.Option(help="Tên. / Name.")] = None,
    methods: Annotated[
        str | None, typer.Option(help="self,staff,card,typed; all: mọi cách. / or all.")
    ] = None,
    places: Annotated[
        str | None, typer.Option(help="Mã điểm quét: 1,2,3; all: mọi điểm. / or all.")
    ] = None,
    wards: Annotated[
        str | None, typer.Option(help="Mã xã, phường: 11413,…; all: mọi nơi. / or all.")
    ] = None,
    active: Annotated[bool | None, typer.Option(help="Được gửi. / May publish.")] = None,
    as_json: Json = False,
) -> None:
    """On its way to producers.v1 as soon as the console runs. What is not given stays as it is."""
    from pydantic import ValidationError

    from console.cli.options import one_of
    from console.store.engine import open_store
    from console.store.producers import producer
    from console.store.producers import put_producer as put
    from console.wordings import problem_said
    from schemas.errors import UserError
    from schemas.places import Producer
    from schemas.scan import Method

    session = session_of(context)
    given: dict[str, Any] = {}
    if name:
        given["name"] = name
    if active is not None:
        given["active"] = active
    if methods is not None:
        given["methods"] = [one_of(Method, "--methods", m) for m in _list(methods)] or None
    if places is not None:
        given["places"] = _list(places) or None
    if wards is not None:
        given["wards"] = [_ward(code) for code in _list(wards)] or None
    store = open_store(session.settings())
    try:
        before = producer(store, producer_id)
        known = before.model_dump() if before else {"id": producer_id, "name": producer_id}
        document = put(store, Producer.model_validate(known | given)).model_dump(mode="json")
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        vi, en = problem_said(error.errors()[0])
        raise UserError(f"{where}: {vi} / {where}: {en}") from None
    finally:
        store.close()
    _print(session, "producers", [document], as_json)


def _list(text: str) -> list[str]:
    """What is named; nothing where it is all."""
    named = [part.strip() for part in text.split(",") if part.strip()]
    return [] if named == ["all"] else named


def _ward(code: str) -> str:
    """A ward that exists: a misspelt one would shut the producer out everywhere."""
    from issuer.units import ward
    from schemas.errors import UserError

    try:
        return ward(code).code
    except ValueError:
        raise UserError(
            f"--wards: không có xã, phường mang mã {code}. / --wards: no ward has the code {code}."
        ) from None


def _print(session: Session, name: str, rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        json_line({name: rows})
        return
    if not rows:
        line(session.words("Chưa có.", "There are none yet."))
    for row in rows:
        line("  ".join(f"{key}={_text(value)}" for key, value in row.items() if value is not None))


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
