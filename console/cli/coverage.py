"""`truyvet coverage`: the funnel; `truyvet behind`: places that have not reached a stage."""

from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.areas import City, District, Kind, Sector, Ward, asked_of
from console.cli.options import one_of
from console.cli.out import json_line
from console.cli.session import Json, Session, session_of
from schemas.errors import UserError

if TYPE_CHECKING:
    from console.coverage.funnel import Funnel
    from schemas.settings import Settings

Refresh = Annotated[
    bool, typer.Option("--refresh", help="Tính lại ngay. / Count now, without a console.")
]


def add_to(app: typer.Typer) -> None:
    """These commands."""
    about = "Độ phủ: phải có, đã đăng ký, đã dán, có quét. / Coverage as a funnel."
    app.command("coverage", help=about)(coverage)
    about = "Điểm quét chưa đạt một bước. / Places that have not reached a stage."
    app.command("behind", help=about)(behind)


def coverage(
    context: typer.Context,
    by: Annotated[
        list[str] | None,
        typer.Option(help="ward, kind, sector, nhiều lần được; hoặc day. / Split by; or by day."),
    ] = None,
    ward: Ward = None,
    district: District = None,
    city: City = None,
    sector: Sector = None,
    kind: Kind = None,
    places: Annotated[
        bool, typer.Option("--places", help="Đếm điểm quét. / Count places, not sites.")
    ] = False,
    days: Annotated[int, typer.Option(min=1, max=366, help="--by day: số ngày. / Days.")] = 14,
    refresh: Refresh = False,
    as_json: Json = False,
) -> None:
    """As of a minute ago at most while a console runs."""
    from console.cli.coverage_text import funnel_document, show_funnel
    from console.coverage.funnel import By, by_day, funnel
    from console.coverage.stages import Within
    from console.store.engine import open_store
    from console.store.required_reading import lists
    from streams.clickhouse import ClickHouse

    session = session_of(context)
    asked = asked_of(ward, district, city, sector, kind)
    split = [one_of(By, "--by", name) for name in dict.fromkeys(by or ())]
    if By.DAY in split and len(split) > 1:
        raise UserError("--by day đứng một mình. / --by day stands alone.")
    settings = session.settings()
    if refresh:
        count_now(session, settings)
    within = Within.of(settings)
    store, clickhouse = open_store(settings), ClickHouse(settings, timeout_s=15)
    try:
        found: Funnel = (
            by_day(clickhouse, asked, within, days)
            if split == [By.DAY]
            else funnel(clickhouse, asked, within, split)
        )
        known = lists(store)
    finally:
        store.close()
        clickhouse.close()
    if as_json:
        json_line(funnel_document(found, split, asked, known))
    else:
        show_funnel(session, found, split, asked, known, places=places)


def behind(
    context: typer.Context,
    stage: Annotated[
        str,
        typer.Argument(
            metavar="STAGE",
            help="registered, code, duty, printed, posted, inspected, scanned",
        ),
    ],
    ward: Ward = None,
    district: District = None,
    city: City = None,
    sector: Sector = None,
    kind: Kind = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 50,
    refresh: Refresh = False,
    as_json: Json = False,
) -> None:
    """By ward and site. `registered`: required establishments that nobody has registered."""
    from console.cli.behind_text import show_behind, show_unregistered
    from console.coverage.behind import behind as behind_at
    from console.coverage.named import with_names
    from console.coverage.stages import Stage, Within
    from console.store.engine import open_store
    from console.store.required_reading import unregistered
    from issuer.units import ward_codes
    from streams.clickhouse import ClickHouse

    session = session_of(context)
    asked = asked_of(ward, district, city, sector, kind)
    wanted = one_of(Stage, "STAGE", stage)
    settings = session.settings()
    if refresh:
        count_now(session, settings)
    store, clickhouse = open_store(settings), ClickHouse(settings, timeout_s=15)
    try:
        if wanted is Stage.REGISTERED:
            entries = unregistered(
                store, ward_codes(asked.area), limit=limit + 1, sector=sector, kind=kind
            )
            show_unregistered(session, entries, limit, as_json=as_json)
            return
        at, found = behind_at(clickhouse, asked, wanted, Within.of(settings), limit=limit + 1)
        rows = with_names(store, found, at, settings.coverage_scanned_days)
    finally:
        store.close()
        clickhouse.close()
    show_behind(session, wanted, at, rows, limit, as_json=as_json)


def count_now(session: Session, settings: "Settings") -> None:
    """One round, unless a console keeps coverage."""
    import asyncio

    from prometheus_client import CollectorRegistry

    from console.cli.out import note
    from console.coverage.keeper import Keeper
    from console.store.engine import open_store
    from schemas.meters import Metrics

    async def once() -> bool:
        keeper = Keeper(settings, store, Metrics(CollectorRegistry()))
        try:
            return await keeper.step() is not None
        finally:
            await keeper.close()

    store = open_store(settings)
    try:
        if not asyncio.run(once()):
            note(
                session.words(
                    "Một console đang tính độ phủ: số liệu cũ nhất một phút.",
                    "A console keeps coverage: it is a minute old at most.",
                )
            )
    finally:
        store.close()
