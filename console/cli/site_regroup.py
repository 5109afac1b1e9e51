"""`truyvet sites regroup`: from wards of three levels to those of two."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from console.cli.out import json_line, line, note, number, progress
from console.cli.session import BY, Json, Session, session_of

if TYPE_CHECKING:
    from console.regroup import Plan, Wards
    from console.store.engine import Store

_SHOWN: Final = 30


def add_regroup(group: typer.Typer) -> None:
    """This command."""
    about = "Sang xã, phường hai cấp của 2025. / To the wards of 2025."
    group.command("regroup", help=about)(regroup)


def regroup(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="MAPPING…", help="CSV, XLSX: mã cũ, mã mới, cơ sở. / old, new, site"
        ),
    ],
    area: Annotated[str, typer.Option(help="city/31, district/…, ward/…: ba cấp. / The old area.")],
    apply: Annotated[bool, typer.Option("--apply", help="Chuyển. / Do it.")] = False,
    undecided_to: Annotated[
        Path | None,
        typer.Option(help="Ghi cơ sở chưa quyết định ra tệp này. / Sites to be decided, as CSV."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Without --apply it only says what it would do. Broken off, the same command goes on.

    Sites and their places keep numbers and codes: posters go on working, scans stay traceable.
    """
    from console.regroup import plan_of, read_wards
    from console.sitelist.sheet import read_rows
    from console.store.engine import open_store
    from console.store.history import What, Why
    from console.store.keys import list_keys
    from console.store.regroup import move_cards, regroup_sites, sites_in, widen_producers

    session = session_of(context)
    wards = read_wards([read_rows(file) for file in files], area)
    store = open_store(session.settings())
    done: dict[str, Any] = {"applied": False, "changed": 0, "producers": [], "cards": 0}
    try:
        sites = sites_in(store, list(wards.goes_to))
        wrong = _strangers(wards, store)
        plan = plan_of(wards, sites)
        keys = _keys(list_keys(store), wards)
        if apply and not wards.problems and not wrong:
            done["producers"] = widen_producers(store, wards.goes_to)
            why = Why(BY, What.REGROUP, files[0].name)
            words = session.words("cơ sở", "sites")
            with progress(session.words("chuyển", "regrouping"), plan.sites, words) as advance:
                done["changed"] = regroup_sites(store, plan.moves, why, advance)
            done["cards"] = move_cards(store, wards.goes_to)
            done["applied"] = True
    finally:
        store.close()
    if undecided_to is not None:
        _write(undecided_to, plan, wards)
    if as_json:
        json_line(_document(wards, plan, wrong, keys, done))
    else:
        _tell(session, wards, plan, wrong, keys, done)
    if wards.problems or wrong:
        raise typer.Exit(1)


def _strangers(wards: "Wards", store: "Store") -> list[int]:
    """Sites that were decided and are not there."""
    from sqlalchemy import select

    from console.store import tables

    s = tables.sites.c
    with store.read() as connection:
        there = set(connection.execute(select(s.id)).scalars()) if wards.decided else set()
    return sorted(set(wards.decided) - there)


def _keys(keys: "list[Any]", wards: "Wards") -> list[dict[str, Any]]:
    """Keys in use whose area has wards that go: what to make in their place."""
    from console.regroup import area_after

    found = []
    for key in keys:
        if key.revoked_at is None and key.area != "*" and (after := area_after(wards, key.area)):
            found.append({"id": key.id, "role": key.role.value, "area": key.area, "new": after})
    return found


def _document(
    wards: "Wards",
    plan: "Plan",
    wrong: list[int],
    keys: list[dict[str, Any]],
    done: dict[str, Any],
) -> dict[str, Any]:
    undecided = [vars(site) | {"new": wards.goes_to[site.ward]} for site in plan.undecided]
    return {
        "moves": [
            {"old": o, "new": n, "sites": len(s)} for (o, n), s in sorted(plan.moves.items())
        ],
        "sites": plan.sites,
        "split": {old: new for old, new in sorted(wards.goes_to.items()) if len(new) > 1},
        "undecided": undecided,
        "problems": [vars(problem) for problem in wards.problems],
        "unknown_sites": wrong,
        "keys": keys,
        **done,
    }


def _tell(
    session: Session,
    wards: "Wards",
    plan: "Plan",
    wrong: list[int],
    keys: list[dict[str, Any]],
    done: dict[str, Any],
) -> None:
    from issuer.units import ward

    for (old, new), sites in sorted(plan.moves.items())[:_SHOWN]:
        count = number(len(sites))
        line(f"  {old} {ward(old).name} → {new} {ward(new).name}  {count}")
    if len(plan.moves) > _SHOWN:
        more = len(plan.moves) - _SHOWN
        line(session.words(f"  … và {more} dòng nữa (--json)", f"  … and {more} more (--json)"))
    total = number(plan.sites)
    line(session.words(f"{total} cơ sở chuyển được", f"{total} sites have a new ward"))
    if plan.undecided:
        count = number(len(plan.undecided))
        line(
            session.words(
                f"{count} cơ sở ở xã, phường bị chia: hãy quyết định từng cơ sở (--undecided-to)",
                f"{count} sites of wards that are split: decide each (--undecided-to)",
            )
        )
    for problem in wards.problems[:_SHOWN]:
        at = session.words(f"dòng {problem.row}: ", f"row {problem.row}: ") if problem.row else ""
        note(f"  {at}{session.words(problem.vi, problem.en)}")
    if wrong:
        some = ", ".join(map(str, wrong[:_SHOWN]))
        note(session.words(f"Không có cơ sở {some}.", f"There are no sites {some}."))
    for key in keys[:_SHOWN]:
        into = " ".join(key["new"][:5]) + (" …" if len(key["new"]) > 5 else "")
        which = f"{key['id']} ({key['area']})"
        note(session.words(f"Khoá {which}: cấp khoá mới {into}", f"Key {which}: a new one {into}"))
    if done["applied"]:
        count = number(done["changed"])
        line(session.words(f"Đã chuyển {count} cơ sở.", f"Sites regrouped: {count}."))
    else:
        note(session.words("Chưa chuyển gì.", "Nothing is changed."))


def _write(path: Path, plan: "Plan", wards: "Wards") -> None:
    """The undecided sites, to be filled in and given back as a second file."""
    import csv

    from console.exports.cells import defused

    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("old", "new", "site", "name", "address", "one of"))
        for site in plan.undecided:
            into = " ".join(wards.goes_to[site.ward])
            cells = (defused(site.name), defused(site.address))
            writer.writerow((site.ward, "", site.id, *cells, into))
