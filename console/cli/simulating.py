"""`truyvet simulate`: a city of Hải Phòng with its codes, and a producer that scans them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from console.cli.out import json_line, line, number, progress
from console.cli.session import Json, Session, session_of

if TYPE_CHECKING:
    from console.cli.city import MadeCity
    from schemas.settings import Settings

DAYS: Final = 14


@dataclass(frozen=True)
class Load:
    """What is published: so many records of two weeks, then people scanning now."""

    events: int
    people: int
    seed: int
    steady_rate: float
    steady_seconds: float


def add_to(app: typer.Typer) -> None:
    """This command."""
    app.command(
        "simulate",
        help="Mô phỏng một thành phố: địa điểm, mã, lượt quét. / A simulated city and its scans.",
    )(simulate)


def simulate(
    context: typer.Context,
    events: Annotated[
        int, typer.Option(min=1, help="Số bản ghi gửi lên. / Records of two weeks.")
    ] = 500_000,
    people: Annotated[
        int, typer.Option(min=0, help="Số người; 0: theo số bản ghi. / 0: as many as it takes.")
    ] = 0,
    seed: Annotated[
        int, typer.Option(min=0, help="Cùng số, cùng thành phố. / Same seed, same city.")
    ] = 7,
    out: Annotated[
        Path | None, typer.Option(help="Nơi ghi mã và sự thật. / Where codes and truth go.")
    ] = None,
    steady_rate: Annotated[
        float, typer.Option(min=0.1, max=200_000, help="Sau đó: lượt mỗi giây. / Then: a second.")
    ] = 2000.0,
    steady_seconds: Annotated[
        float, typer.Option(min=0, help="Sau đó: trong bao lâu. / Then: for how long.")
    ] = 0.0,
    publish: Annotated[
        bool, typer.Option(help="Gửi lượt quét, hay chỉ lập mã. / Publish, or only make codes.")
    ] = True,
    as_json: Json = False,
) -> None:
    """The truth (who was where) is written beside; any other producer can use the codes."""
    from console.cli.city import make_city, people_for

    session = session_of(context)
    settings = session.settings()
    count = people or people_for(events, DAYS)
    out = out or session.data_dir / "simulate" / f"{seed}-{count}"
    until = datetime.now(UTC)
    with progress(session.words("lập thành phố", "making the city"), 1) as advance:
        city = make_city(
            settings,
            people=count,
            seed=seed,
            out=out,
            until=until,
            days=DAYS,
            on_progress=lambda done, total: advance(done / total),
        )
    load = Load(events, people, seed, steady_rate, steady_seconds)
    summaries = []
    if publish:
        summaries.append(bulk(session, settings, city, load, out, until))
        if steady_seconds:
            summaries.append(steady(session, settings, city, load, out / "steady"))
    if as_json:
        json_line(document(city, summaries, out))
    else:
        _show(session, settings, city, summaries, out)


def bulk(
    session: Session,
    settings: "Settings",
    city: "MadeCity",
    load: Load,
    out: Path,
    until: datetime,
) -> dict[str, Any]:
    """Two weeks as fast as the broker takes them; the producer's summary."""
    from console.cli.producing import publish

    arguments = [
        *_common(settings, city, load, out),
        *("--events", str(load.events)),
        *("--people", str(load.people)),
        *("--until", until.isoformat()),
        *("--days", str(DAYS)),
    ]
    what = session.words("gửi lượt quét", "publishing")
    with progress(what, load.events, session.words("lượt quét", "scans")) as advance:
        return publish(arguments, advance)


def steady(
    session: Session, settings: "Settings", city: "MadeCity", load: Load, out: Path
) -> dict[str, Any]:
    """People scanning now, by the clock; the producer's summary."""
    from console.cli.producing import publish

    arguments = [
        *_common(settings, city, load, out),
        "--steady",
        *("--rate", str(load.steady_rate)),
        *("--seconds", str(load.steady_seconds)),
    ]
    what = session.words(
        f"{load.steady_rate:.0f} lượt mỗi giây", f"{load.steady_rate:.0f} scans a second"
    )
    with progress(what, load.steady_rate * load.steady_seconds) as advance:
        return publish(arguments, advance)


def _common(settings: "Settings", city: "MadeCity", load: Load, out: Path) -> list[str]:
    return [
        *("--city", str(city.file)),
        *("--out", str(out)),
        *("--seed", str(load.seed)),
        *("--bootstrap", settings.kafka_bootstrap),
        *("--data-dir", str(settings.data_dir)),
    ]


def document(city: "MadeCity", summaries: list[dict[str, Any]], out: Path) -> dict[str, Any]:
    """As JSON."""
    return {
        "wards": city.wards,
        "sites": city.sites,
        "places": len(city.places),
        "revoked_codes": len(city.revoked),
        "producer": "sim",
        "topic": "scans.v1",
        "codes": str(city.codes),
        "city": str(city.file),
        "poster": str(city.poster),
        "truth": str(out),
        "published": sum(summary["published"] for summary in summaries),
        "runs": summaries,
    }


def _show(
    session: Session,
    settings: "Settings",
    city: "MadeCity",
    summaries: list[dict[str, Any]],
    out: Path,
) -> None:
    line(
        session.words(
            f"{city.wards} xã, phường; {number(city.sites)} cơ sở; "
            f"{number(len(city.places))} điểm quét",
            f"{city.wards} wards, {number(city.sites)} sites, {number(len(city.places))} places",
        )
    )
    for summary in summaries:
        rate = number(summary["records_per_second"])
        line(
            session.words(
                f"Đã gửi {number(summary['published'])} lượt quét ({rate} mỗi giây)",
                f"{number(summary['published'])} scans published ({rate} a second)",
            )
        )
    for vi, en, where in (
        ("mã", "codes", city.codes),
        ("áp phích", "poster", city.poster),
        ("sự thật", "truth", out),
    ):
        line(f"  {session.words(vi, en):<22} {where}")
    line(
        session.lines(
            "Chương trình khác gửi lượt quét bằng các mã này lên scans.v1 tại "
            f'{settings.kafka_bootstrap}, "producer": "sim", khoá là người (murmur2).',
            f"Any other producer can use these codes: scans.v1 at {settings.kafka_bootstrap}, "
            '"producer": "sim", key = person, partitioned by murmur2.',
        )
    )
