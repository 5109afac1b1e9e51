"""The five steps of the demo, in order; each says what it did."""

import asyncio
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import orjson

from console.accounting.alerts import Alerted, register_and_watch
from console.accounting.log import away
from console.accounting.reading import log_ends, read_counts, wait_until_written
from console.cli.api import Api
from console.cli.city import make_city, people_for
from console.cli.demo_report import Demo, differences, show_summary
from console.cli.demo_truth import compare
from console.cli.out import line, note, number, progress, screen
from console.cli.session import Session
from console.cli.simulating import DAYS, Load, bulk, steady
from console.cli.tracing import contacts_of, places_of
from deploy.embedded.progress import progress_bar
from deploy.embedded.stack import Stack, StackOptions, StackStatus, start_detached, status
from schemas.errors import UserError
from schemas.settings import PREFIX, Settings
from schemas.topics import NOTICES

SHOWN: Final = 10
_WARD: Final = "11413"  # the case's ward: Hải An of Hải Phòng has it
Say = Callable[[str], None]


def run_demo(session: Session, load: Load, *, keep: bool, quiet: bool) -> Demo:
    """All of it. Raises UserError or StackError when it cannot go on."""
    begun = time.monotonic()
    say = note if quiet else line
    _wipe(session.data_dir)
    say(f"truyvet demo → {session.data_dir}")
    with _running(session, keep) as (settings, services):
        say("    " + session.words("đã sẵn sàng", "Kafka, ClickHouse, console, worker ready"))
        demo = _steps(session, settings, services, load, say, quiet)
    demo.seconds = time.monotonic() - begun
    if not quiet:
        show_summary(demo, session, keep)
    return demo


def _steps(
    session: Session,
    settings: Settings,
    services: StackStatus,
    load: Load,
    say: Say,
    quiet: bool,
) -> Demo:
    out = settings.data_dir / "simulate"
    until = datetime.now(UTC)

    say("\n1/5 " + session.words("Một thành phố", "A city"))
    with progress(session.words("lập thành phố", "making the city"), 1) as advance:
        city = make_city(
            settings,
            people=load.people or people_for(load.events, DAYS),
            seed=load.seed,
            out=out,
            until=until,
            days=DAYS,
            on_progress=lambda done, total: advance(done / total),
        )
    say(
        "    "
        + session.words(
            f"Hải Phòng: {city.wards} xã, phường; {number(city.sites)} cơ sở; "
            f"{number(len(city.places))} điểm quét, mỗi điểm một mã",
            f"{city.wards} wards, {number(city.sites)} sites, {number(len(city.places))} places",
        )
    )

    say("\n2/5 " + session.words("Hai tuần quét mã", "Two weeks of scans"))
    made = bulk(session, settings, city, load, out, until)
    say(
        "    "
        + session.words(
            f"{number(made['published'])} lượt quét của {number(made['people'])} người, từ một "
            "tiến trình riêng",
            f"{number(made['published'])} scans of {number(made['people'])} people",
        )
    )

    say("\n3/5 " + session.words("Kiểm tra, khử trùng, ghi", "Validated, deduplicated, written"))
    _drain(session, settings)
    counts = read_counts(settings)
    say(
        "    "
        + session.words(
            f"{number(counts.written)} đã ghi, {number(counts.duplicates)} trùng, "
            f"{number(counts.rejected)} từ chối kèm lý do",
            f"{number(counts.written)} written, {number(counts.duplicates)} duplicates, "
            f"{number(counts.rejected)} rejected with a reason",
        )
    )

    say("\n4/5 " + session.words("Một ca bệnh", "A case"))
    picked = _picked(out)
    with Api(settings) as api:
        alerted = _case(settings, api, picked)
        found = contacts_of(api, alerted.case["id"], None)
        found["places"] = places_of(api, found["contacts"][:SHOWN])
    if not quiet:
        from console.cli.contacts_table import show

        shown = found | {"contacts": found["contacts"][:SHOWN]}
        show(shown, session, screen())
    truth = compare(out, city.places, found)

    say(
        "\n5/5 "
        + session.words(
            f"Quét đều {load.steady_seconds:.0f} giây, {load.steady_rate:.0f} lượt mỗi giây",
            f"{load.steady_seconds:.0f} steady seconds, {load.steady_rate:.0f} scans each",
        )
    )
    latency, lived = _steady(session, settings, services, city, load, out)
    counts = read_counts(settings)
    notices = sum(log_ends(settings, NOTICES.name).values())
    expected = [made["expected"], lived["expected"]]
    demo = Demo(
        counts=counts,
        expected=expected,
        latency=latency,
        alerted=alerted,
        contacts=found["total"],
        truth=truth,
        notices=notices,
        poster=city.poster,
        codes=city.codes,
        data_dir=session.data_dir,
    )
    demo.wrong = differences(demo)
    return demo


def _steady(
    session: Session, settings: Settings, services: StackStatus, city: Any, load: Load, out: Path
) -> tuple[dict[str, float], dict[str, Any]]:
    """Latencies from the broker's append to the acknowledged insert, by the workers' own clock."""
    ports = [s.ports["metrics"] for s in services.services if "metrics" in s.ports]
    for port in ports:
        _latency(port, reset=True)
    made = steady(session, settings, city, load, out / "steady")
    _drain(session, settings)
    answers = [answer for port in ports if (answer := _latency(port))["count"]]
    if not answers:
        return {"count": 0}, made
    # of several workers the slowest is told: quantiles of parts do not add up
    slowest = {name: max(a[name] for a in answers) for name in ("p50_ms", "p99_ms", "max_ms")}
    return slowest | {"count": sum(a["count"] for a in answers)}, made


def _latency(port: int, reset: bool = False) -> dict[str, float]:
    try:
        answer = httpx.get(
            f"http://127.0.0.1:{port}/latency",
            params={"reset": 1} if reset else {},
            timeout=10,
            trust_env=False,
        )
        found: dict[str, float] = answer.raise_for_status().json()
    except httpx.HTTPError as error:
        raise UserError(
            f"Worker ở cổng {port} không trả lời ({error}). / "
            f"The worker at port {port} does not answer ({error})."
        ) from None
    return found


def _case(settings: Settings, api: Api, picked: dict[str, Any]) -> Alerted:
    body = {"person": picked["person"], "onset": picked["onset"], "ward": _WARD}
    key = str(uuid.uuid4())
    try:
        return asyncio.run(register_and_watch(settings, lambda: api.post("/v1/cases", body, key)))
    except OSError as error:
        raise away(settings, error) from error


def _picked(out: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = orjson.loads((out / "case.json").read_bytes())
    except FileNotFoundError:
        raise UserError(
            "Thành phố quá nhỏ, chưa có ca nào để xem: hãy tăng --events. / "
            "The city is too small to have a case to show: ask for more --events."
        ) from None
    return found


def _drain(session: Session, settings: Settings) -> None:
    ends = log_ends(settings)
    total = sum(ends.values())
    what = session.words("ghi", "writing")
    with progress(what, total, session.words("lượt quét", "scans")) as advance:
        if not wait_until_written(settings, ends, lambda left: advance(total - left)):
            raise UserError(
                f"Worker không nhận lượt quét nữa: hãy xem {session.data_dir / 'logs'}. / "
                f"The workers stopped taking scans: see {session.data_dir / 'logs'}."
            )


@contextmanager
def _running(session: Session, keep: bool) -> Iterator[tuple[Settings, StackStatus]]:
    options = StackOptions(session.data_dir)
    with progress_bar() as shown:
        if keep:
            info = start_detached(options, shown)
            env, stack = dict(info.env), None
        else:
            stack = Stack(options)
            stack.start(shown)
            env = dict(stack.env)
    try:
        # by what this stack says, whatever the environment says of another
        values = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in env.items()
            if name.startswith(PREFIX)
        }
        known = {name: value for name, value in values.items() if name in Settings.model_fields}
        yield Settings(**known), stack.status() if stack else status(session.data_dir)  # type: ignore[arg-type]
    finally:
        if stack is not None:
            note("  " + session.words("đang dừng", "stopping"))
            stack.stop()


def _wipe(directory: Path) -> None:
    """The demo's own directory is made anew. Raises UserError if something runs there."""
    if not directory.exists():
        return
    if status(directory).running:
        raise UserError(
            f"Bản trình diễn đang chạy trong {directory}: hãy dừng bằng `truyvet --data-dir "
            f"{directory} down`. / "
            f"A demo runs in {directory}: end it with `truyvet --data-dir {directory} down`."
        )
    if any(directory.iterdir()) and not (directory / "truyvet.env").exists():
        raise UserError(
            f"{directory} không giống thư mục của bản trình diễn: chưa xoá gì. / "
            f"{directory} does not look like a demo's directory: nothing was deleted."
        )
    shutil.rmtree(directory)
