"""`truyvet codes keys list | add | retire`: a key is replaced without printing anything anew.

`add` and `retire` write `truyvet.env` in the data directory; where the environment sets the keys,
they are changed there, and these two refuse.
"""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

import typer

from console.cli.out import json_line, line, note
from console.cli.session import Json, Session, session_of
from issuer.keyring import SETTING
from schemas.errors import UserError

if TYPE_CHECKING:
    from issuer.keyring import KeyRing
    from schemas.settings import Settings

_SECRET_BYTES: Final = 32  # RFC 2104, section 3: as long as the hash
KeyId = Annotated[str, typer.Argument(metavar="KEY", help="Số của khoá. / The key's id.")]


def add_to(group: typer.Typer) -> None:
    """These commands."""
    keys = typer.Typer(no_args_is_help=True, help="Khoá ký mã. / The keys that sign codes.")
    keys.command("list", help="Các khoá, không có bí mật. / The keys, without secrets.")(list_keys)
    keys.command("add", help="Khoá mới, ký từ nay. / A new key, which signs from now on.")(add)
    keys.command("retire", help="Bỏ khoá không còn dùng. / Take out one that is not used.")(retire)
    group.add_typer(keys, name="keys")


@dataclass
class Signed:
    """How many code versions a key made, and how many of them a scan can still use."""

    all: int = 0
    in_force: int = 0
    cards: int = 0  # of persons; those that are not revoked


def list_keys(context: typer.Context, as_json: Json = False) -> None:
    """How many versions each made that a scan can still use: at 0 a key can be taken out."""
    from console.codekeys import ring_of

    session = session_of(context)
    settings = session.settings()
    ring = ring_of(settings)
    made, strangers = _signed(settings, ring)
    signs = ring.keys[0].id
    if as_json:
        rows = [
            {"key": key, "signs": key == signs, "cards": signed.cards}
            | {"codes": {"all": signed.all, "in_force": signed.in_force}}
            for key, signed in made.items()
        ]
        json_line({"keys": rows, "by_no_key": strangers})
        return
    for key_id, signed in made.items():
        words = session.words(
            f"{signed.all} mã, {signed.in_force} còn dùng được, {signed.cards} thẻ",
            f"{signed.all} codes, {signed.in_force} usable, {signed.cards} cards",
        )
        first = session.words("ký mã mới", "signs new codes") if key_id == signs else ""
        line(f"{key_id:<16} {words}  {first}".rstrip())
    if strangers:
        note(
            session.words(
                f"{strangers} mã không do khoá nào ở đây tạo ra.",
                f"{strangers} codes were made by none of these keys.",
            )
        )


def add(
    context: typer.Context,
    key_id: Annotated[
        str | None,
        typer.Argument(metavar="[KEY]", help="Số của khoá; mặc định: số tiếp theo. / Its id."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Posters that hang go on working. Restart console and workers afterwards."""
    import secrets

    session = session_of(context)
    ring = _ring_of_file(session)
    name = key_id or _next_id(ring)
    text = f"{name}:{secrets.token_hex(_SECRET_BYTES)},{_text(ring)}"
    _write(session, text)
    _said(session, as_json, name, f"Khoá {name} ký từ nay", f"Key {name} signs from now on")


def retire(context: typer.Context, key_id: KeyId, as_json: Json = False) -> None:
    """Refused while it signs, or while a scan can still use a code that it made."""
    session = session_of(context)
    ring = _ring_of_file(session)
    kept = tuple(key for key in ring.keys if key.id != key_id)
    if len(kept) == len(ring.keys):
        raise UserError(f"KEY: không có khoá {key_id}. / KEY: there is no key {key_id}.")
    if ring.keys[0].id == key_id:
        raise UserError(
            f"KEY: khoá {key_id} đang ký; hãy thêm khoá khác trước (`codes keys add`). / "
            f"KEY: {key_id} is the one that signs: add another first (`codes keys add`)."
        )
    signed = _signed(session.settings(), ring)[0][key_id]
    if signed.cards:
        raise UserError(
            f"KEY: còn {signed.cards} thẻ do khoá {key_id} ký; hãy thay thẻ trước "
            f"(`cards replace`). / KEY: {signed.cards} cards that {key_id} signed are not "
            "revoked: replace them first (`cards replace`)."
        )
    usable = signed.in_force
    if usable:
        raise UserError(
            f"KEY: còn {usable} mã do khoá {key_id} ký đang dùng; hãy đổi mã trước "
            f"(`codes rotate`). / KEY: {usable} codes that {key_id} made can still be used: "
            "rotate them first (`codes rotate`)."
        )
    _write(session, _text(type(ring)(kept)))
    _said(session, as_json, key_id, f"Đã bỏ khoá {key_id}", f"Key {key_id} is taken out")


def _signed(settings: "Settings", ring: "KeyRing") -> tuple[dict[str, Signed], int]:
    """What each key made, and how many codes none of them did."""
    from console.store.cards import cards_in_use
    from console.store.engine import open_store, utc_now
    from console.store.sites import places
    from issuer.codes import read
    from issuer.rotation import usable

    made = {key.id: Signed() for key in ring.keys}
    strangers = 0
    now = utc_now()
    store = open_store(settings)
    try:
        for code in (code for place in places(store) for code in place.codes):
            token = read(code.token)
            signers = (k.id for k in ring.keys if k.mac(token.place, token.version) == token.mac)
            signer = next(signers, None)
            if signer is None:
                strangers += 1
                continue
            made[signer].all += 1
            made[signer].in_force += usable(code, now)
        for key_id, live in cards_in_use(store).items():
            if key_id in made:
                made[key_id].cards = live
    finally:
        store.close()
    return made, strangers


def _ring_of_file(session: Session) -> "KeyRing":
    """The keys in `truyvet.env`. Raises UserError if that is not where they are set."""
    from console.codekeys import ring_of
    from deploy.embedded import environment

    path = environment.env_path(session.data_dir)
    if os.environ.get(SETTING) or not environment.load(session.data_dir).get(SETTING):
        raise UserError(
            f"{SETTING} không đặt trong {path}: hãy sửa ở nơi đặt nó (docs/codes.md). / "
            f"{SETTING} is not set in {path}: change it where it is set (docs/codes.md)."
        )
    return ring_of(session.settings())


def _write(session: Session, text: str) -> None:
    """Put the keys into `truyvet.env`, all or nothing."""
    from deploy.embedded import environment
    from issuer.keyring import KeyRing

    try:
        KeyRing.parse(text)
    except ValueError as error:
        raise UserError(f"KEY: số của khoá không hợp lệ. / KEY: {error}.") from None
    stored = environment.load(session.data_dir)
    environment.save(session.data_dir, stored | {SETTING: text})


def _text(ring: "KeyRing") -> str:
    return ",".join(f"{key.id}:{key.secret.hex()}" for key in ring.keys)


def _next_id(ring: "KeyRing") -> str:
    return str(max((int(k.id) for k in ring.keys if k.id.isdecimal()), default=0) + 1)


def _said(session: Session, as_json: bool, key_id: str, vi: str, en: str) -> None:
    if as_json:
        json_line({"key": key_id})
        return
    line(session.words(f"{vi}.", f"{en}."))
    note(
        session.words(
            "Hãy khởi động lại console và worker (`truyvet down`, `truyvet up`).",
            "Restart console and workers (`truyvet down`, `truyvet up`).",
        )
    )
