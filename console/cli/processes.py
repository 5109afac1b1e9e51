"""`truyvet migrate | serve | worker`: the processes that `up` starts, each on its own."""

from typing import Annotated

import typer

from console.cli.libraries import let_speak
from console.cli.out import json_line, line
from console.cli.session import Json, session_of


def add_to(app: typer.Typer) -> None:
    """These commands."""
    app.command(
        "migrate", help="Tạo chủ đề Kafka và các bảng. / Make topics and tables; safe twice."
    )(migrate)
    app.command("serve", help="Chạy giao diện và API. / Run the console (API, gateway, relay).")(
        serve
    )
    app.command("worker", help="Chạy một tiến trình xử lý. / Run one worker.")(worker)


def migrate(context: typer.Context, as_json: Json = False) -> None:
    """Kafka's topics, ClickHouse's tables, the relational schema. What was done, a line each."""
    from console.store.migrations.run import upgrade
    from streams.migrate import migrate as topics_and_tables

    session = session_of(context)
    settings = session.settings()
    done = [*topics_and_tables(settings), *(f"database {name}" for name in upgrade(settings))]
    if as_json:
        json_line({"done": done})
        return
    for what in done:
        line(what)
    if not done:
        line(session.words("Không có gì phải làm.", "Nothing was to be done."))


def serve(context: typer.Context) -> None:
    """Until SIGTERM or Ctrl-C."""
    from console.serve import serve as run

    let_speak()
    raise typer.Exit(run(session_of(context).settings()))


def worker(
    context: typer.Context,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of /metrics, /live, /ready.")
    ] = None,
) -> None:
    """Takes its share of the partitions, until SIGTERM or Ctrl-C."""
    from streams.worker import run

    let_speak()
    settings = session_of(context).settings()
    if metrics_port is not None:
        settings = settings.model_copy(update={"metrics_port": metrics_port})
    raise typer.Exit(run(settings))
