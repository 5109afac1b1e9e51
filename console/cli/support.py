"""`truyvet support-bundle`: one file for somebody elsewhere, without personal data."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from console.cli.out import json_line, line, note
from console.cli.session import Json, session_of


def add_to(app: typer.Typer) -> None:
    """This command."""
    app.command(
        "support-bundle",
        help="Gói hỗ trợ, không có dữ liệu cá nhân. / For support; nothing of any person.",
    )(support_bundle)


def support_bundle(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option(help="Tệp ZIP. / The ZIP file; in the current folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Versions, settings without secrets, metrics, log lines by event and number, sizes of
    tables, offsets of topics. Look into it before you send it: it is a ZIP of text."""
    from console.support.bundle import write_bundle
    from deploy.embedded.stack import status

    session = session_of(context)
    now = datetime.now(UTC)
    path = out or Path(f"truyvet-support-{now:%Y%m%d-%H%M%S}.zip")
    found = status(session.data_dir)
    ports = {
        service.name: port
        for service in found.services
        for name, port in service.ports.items()
        if service.name.startswith(("console", "worker")) and found.running
    }
    state = [{"name": s.name, "state": s.state, "restarts": s.restarts} for s in found.services]
    missing = write_bundle(session.settings(), ports, state, path, now)
    if as_json:
        json_line({"file": str(path), "bytes": path.stat().st_size, "missing": missing})
        return
    line(str(path))
    for name in missing:
        note(session.words(f"Không lấy được {name}.", f"{name} could not be had."))
