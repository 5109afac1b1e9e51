"""`truyvet up | down | status | doctor`: everything on this machine, over deploy/embedded."""

import signal
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from console.cli.out import json_line, line, note, screen
from console.cli.session import Json, Session, session_of

if TYPE_CHECKING:
    from deploy.embedded.status import StackStatus

_MARKS: Final = {"ok": "✓", "warn": "!", "fail": "✗"}
_COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "red"}
_STATES: Final = {
    "ready": ("sẵn sàng", "ready"),
    "done": ("xong", "done"),
    "starting": ("đang khởi động", "starting"),
    "waiting": ("đang chờ", "waiting"),
    "stopped": ("đã dừng", "stopped"),
}


def add_to(app: typer.Typer) -> None:
    """These commands."""
    app.command("up", help="Khởi động mọi thứ trên máy này. / Start everything here.")(up)
    app.command("down", help="Dừng mọi thứ, không mất gì. / Stop everything; nothing is lost.")(
        down
    )
    app.command("status", help="Cái gì đang chạy. / What is running.")(status)
    app.command("doctor", help="Kiểm tra máy và nói cần làm gì. / What is wrong, what to do.")(
        doctor
    )


def up(
    context: typer.Context,
    workers: Annotated[
        int, typer.Option(min=0, max=64, help="Số tiến trình xử lý. / Worker processes.")
    ] = 1,
    foreground: Annotated[
        bool, typer.Option(help="Chạy tại đây đến khi Ctrl-C. / Run here until Ctrl-C.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Kafka, the ClickHouse engine, the console and the workers, on free ports."""
    from deploy.embedded.layout import ROLES
    from deploy.embedded.progress import progress_bar
    from deploy.embedded.stack import Stack, StackOptions, start_detached

    session = session_of(context)
    _require_writable(session.data_dir)
    services = ROLES if workers else ROLES - {"worker"}
    options = StackOptions(session.data_dir, workers=max(1, workers), services=services)
    with progress_bar() as shown:
        if not foreground:
            info = start_detached(options, shown)
            found = info.status
        else:
            stack = Stack(options)
            stack.start(shown)
            found = stack.status()
    if as_json:
        json_line(_document(found))
    else:
        _show_up(session)
    if foreground:
        _until_signal()
        stack.stop()


def down(context: typer.Context, as_json: Json = False) -> None:
    """Workers first, Kafka last; what was acknowledged is on disk."""
    from deploy.embedded.stack import stop

    session = session_of(context)
    stopped = stop(session.data_dir)
    if as_json:
        json_line({"data_dir": str(session.data_dir), "stopped": stopped})
    elif stopped:
        line(session.words("Đã dừng.", "Stopped."))
    else:
        line(session.words("Không có gì đang chạy.", "Nothing was running."))


def status(context: typer.Context, as_json: Json = False) -> None:
    """Exit code 0 if everything is ready, 1 if not."""
    from deploy.embedded.stack import status as look

    session = session_of(context)
    found = look(session.data_dir)
    ready = found.running and all(s.state in ("ready", "done") for s in found.services)
    if as_json:
        json_line(_document(found) | {"ready": ready})
    elif not found.running:
        line(
            session.words(
                f"Không chạy trên {session.data_dir}: khởi động bằng `truyvet up`.",
                f"Not running on {session.data_dir}: start it with `truyvet up`.",
            )
        )
    else:
        _show_status(found, session)
    raise typer.Exit(0 if ready else 1)


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Exit code 1 if something stands in the way."""
    from deploy.embedded.doctor import checks

    session = session_of(context)
    found = checks(session.data_dir)
    failed = any(check.level == "fail" for check in found)
    if as_json:
        json_line({"ok": not failed, "checks": [vars(check) for check in found]})
    else:
        console = screen()
        for check in found:
            mark = f"[{_COLOURS[check.level]}]{_MARKS[check.level]}[/]"
            console.print(f"{mark} {check.name:<20} {_plain(check.found)}")
            if check.advice_vi:
                advice = session.words(check.advice_vi, check.advice_en)
                console.print(f"    [dim]{_plain(advice)}[/]")
    raise typer.Exit(1 if failed else 0)


def _require_writable(data_dir: Path) -> None:
    """Said here in one sentence, before a process that is started finds it out."""
    from schemas.errors import UserError

    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data_dir):
            pass
    except OSError as error:
        raise UserError(
            f"Không ghi được vào thư mục dữ liệu {data_dir}: chọn thư mục khác. / The data "
            f"directory {data_dir} cannot be written ({error.strerror}): name another one with "
            "--data-dir."
        ) from None


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _show_up(session: Session) -> None:
    settings = session.settings()
    line(session.words("truyvet đang chạy.", "truyvet is running."))
    line(f"  API      {settings.console}/docs")
    line(f"  Kafka    {settings.kafka_bootstrap}")
    line(f"  engine   {settings.clickhouse_url}")
    line(f"  data     {session.data_dir}")
    line(
        session.lines(
            "Tiếp theo: `truyvet simulate`, `truyvet import TỆP`, `truyvet down`.",
            "Next: `truyvet simulate`, `truyvet import FILE`, `truyvet down`.",
        )
    )


def _show_status(found: "StackStatus", session: Session) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("service", "state", "pid", "restarts", "ports", ""):
        table.add_column(name)
    for service in found.services:
        colour = "green" if service.state in ("ready", "done") else "yellow"
        state = session.words(*_STATES.get(service.state, (service.state, service.state)))
        ports = " ".join(f"{name}={port}" for name, port in service.ports.items())
        pid = str(service.pid or "")
        table.add_row(
            service.name,
            f"[{colour}]{state}[/]",
            pid,
            str(service.restarts),
            ports,
            _plain(service.message),
        )
    screen().print(table)


def _document(found: "StackStatus") -> dict[str, Any]:
    return {
        "data_dir": str(found.data_dir),
        "running": found.running,
        "pid": found.supervisor_pid,
        "since": found.since,
        "services": [vars(service) for service in found.services],
    }


def _until_signal() -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    note("Ctrl-C")
    ended.wait()
