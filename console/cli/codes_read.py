"""`truyvet codes list | verify`: what codes there are, and what one is."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from console.cli.out import json_line, line, named, note
from console.cli.session import Json, Session, session_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from console.store.engine import Store
    from issuer.keyring import KeyRing
    from schemas.settings import Settings

_STDIN: Final = "-"
_WRITTEN: Final = ("name", "revoked_reason")  # by people: never a formula in a spreadsheet


def add_to(group: typer.Typer) -> None:
    """These commands."""
    group.command("list", help="Mọi mã. / All codes, with their URLs.")(list_codes)
    group.command("verify", help="Mã này là gì, còn hiệu lực không. / What a code is.")(verify)


def list_codes(
    context: typer.Context,
    live: Annotated[bool, typer.Option("--live", help="Chỉ mã đang dùng. / In force now.")] = False,
    ending: Annotated[
        int | None,
        typer.Option(
            metavar="DAYS",
            min=1,
            help="Nơi có mã cuối sắp hết hạn. / Whose last one ends.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """One line a code; CSV where it is not JSON."""
    import csv
    import sys
    from datetime import UTC, datetime, timedelta

    from console.exports.cells import defused
    from console.store.engine import open_store
    from console.store.sites import places
    from issuer.rotation import accepted, ends_within

    session = session_of(context)
    settings = session.settings()
    now = datetime.now(UTC)
    store = open_store(settings)
    rows: list[dict[str, Any]] = []
    try:
        for place in places(store):
            if ending is not None and not ends_within(place, now, timedelta(days=ending)):
                continue
            rows += [
                {"place": place.id, "site": place.site, "kind": place.kind, "name": place.name}
                | {"ward": place.ward}
                | code.model_dump(mode="json")
                | {"url": settings.code_origin + code.token, "live": accepted(code, now)}
                for code in place.codes
                if accepted(code, now) or not (live or ending)
            ]
    finally:
        store.close()
    if as_json:
        json_line({"codes": rows})
    elif rows:
        writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            row | {name: defused(row[name] or "") for name in _WRITTEN} for row in rows
        )
    else:
        note(session.words("Không có mã nào như vậy.", "There are no such codes."))


def verify(
    context: typer.Context,
    texts: Annotated[
        list[str],
        typer.Argument(metavar="TEXT…|-", help="Mã hoặc URL; - đọc từ stdin. / Codes; - is stdin."),
    ],
    as_json: Json = False,
) -> None:
    """A URL or a token, in any case, as a scanner or a keyboard layout delivers it.

    Exit code 1 if one is not good.
    """
    from console.codekeys import ring_of
    from console.store.engine import open_store

    session = session_of(context)
    settings = session.settings()
    ring = ring_of(settings)
    store = open_store(settings)
    try:
        found = [_said(store, ring, settings, text) for text in _lines(texts)]
    finally:
        store.close()
    if as_json:
        json_line({"codes": found})
    else:
        for said in found:
            line(_shown(said, session))
    if not found or not all(said["good"] for said in found):
        raise typer.Exit(1)


def _lines(texts: list[str]) -> "Iterator[str]":
    import sys

    for text in texts:
        if text == _STDIN:
            yield from filter(None, map(str.strip, sys.stdin))
        else:
            yield text


def _said(store: "Store", ring: "KeyRing", settings: "Settings", text: str) -> dict[str, Any]:
    from console.store import sites
    from console.store.engine import utc_now
    from issuer.codes import BadToken
    from issuer.delivered import read_text
    from issuer.standing import SENTENCES, Standing, code_of, standing_of

    try:
        reading = read_text(ring, text)
    except BadToken as error:
        vi, en = SENTENCES[Standing.UNREADABLE]
        sentence = {"vi": vi, "en": f"{en} ({error})"}
        return {"good": False, "standing": "unreadable", "sentence": sentence, "ours": False}
    number = reading.fields.place
    place = sites.place(store, number) if reading.ours else None
    standing = standing_of(reading, place, settings.code_origin, utc_now())
    vi, en = SENTENCES[standing]
    said: dict[str, Any] = {
        "good": standing is Standing.VALID,
        "standing": standing.value,
        "sentence": {"vi": vi, "en": en},
        "ours": reading.ours,
        "delivered": reading.delivery.value,
        "place": number,
        "version": reading.fields.version,
    }
    if place is not None:
        names = sites.named(store, [number])[number]
        said |= {"place_name": names.name, "site_name": names.site_name, "ward": place.ward}
    if code := code_of(reading, place):
        said |= code.model_dump(mode="json", exclude={"token", "version"}, exclude_none=True)
    return said


def _shown(said: dict[str, Any], session: Session) -> str:
    mark = "✓" if said["good"] else "✗"
    words = session.words(said["sentence"]["vi"], said["sentence"]["en"])
    if "place" not in said:
        return f"{mark} {words}"
    where = f"#{said['place']} v{said['version']}"
    if "place_name" in said:
        where += f" {named(said['place_name'], said['site_name'])}"
    if "revoked_reason" in said:
        words += f" ({said['revoked_reason']})"
    if said["delivered"] not in ("as_printed", "typed"):
        layout = said["delivered"]
        words += " " + session.words(f"Bàn phím {layout}.", f"Keyboard: {layout}.")
    return f"{mark} {where}: {words}"
