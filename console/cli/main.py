"""`truyvet`: the root command, its options, and what an error becomes.

Commands import what they need when they run, so that `--help` answers at once.
"""

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Final

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_group

from console.cli import (
    backups,
    benching,
    cards,
    cases,
    codes,
    contacts,
    counting,
    coverage,
    deadletters,
    demo,
    importing,
    inspections,
    logs,
    maintaining,
    persons,
    posters,
    processes,
    rebuilding,
    register_edits,
    registry,
    reminders,
    renewing,
    reporting,
    required,
    retaining,
    rules,
    second,
    simulating,
    sites,
    stack,
    staff,
    support,
    trips,
    worklist,
)
from console.cli.errors import INTERRUPTED, USAGE, quiet_pipe, report
from console.cli.helping import Ordered, panel_of
from console.cli.libraries import hush, speak_beside_results
from console.cli.out import note
from console.cli.session import Lang, Session
from console.cli.usage import usage_of

DEFAULT_DATA_DIR: Final = Path(".truyvet")
ROOT_OPTIONS: Final = frozenset({"--data-dir", "--lang"})
_SESSION: Session = Session(DEFAULT_DATA_DIR)

app = typer.Typer(
    name="truyvet",
    help="Mã QR địa điểm, lượt quét và truy vết. / Location QR check-ins and exposure tracing.",
    cls=Ordered,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
_SYSTEM: Final = (
    stack, processes, simulating, importing, counting, deadletters, maintaining, logs, support,
)  # fmt: skip
_LIFE: Final = (backups, persons, rebuilding, renewing, retaining)
_TRACING: Final = (cases, contacts, second, rules, worklist)
_REGISTER: Final = (registry, sites, register_edits, trips, codes, cards, posters)
_COVERAGE: Final = (required, coverage, inspections, reminders, staff, reporting)
for module in (*_SYSTEM, *_LIFE, *_TRACING, *_REGISTER, *_COVERAGE, demo, benching):
    module.add_to(app)
for command in app.registered_commands:
    command.rich_help_panel = panel_of(command.name)
for group in app.registered_groups:
    group.rich_help_panel = panel_of(group.name)


@app.callback()
def _root(
    context: typer.Context,
    data_dir: Annotated[
        Path,
        typer.Option(envvar="TRUYVET_DATA_DIR", help="Thư mục dữ liệu. / The data directory."),
    ] = DEFAULT_DATA_DIR,
    lang: Annotated[
        Lang, typer.Option(envvar="TRUYVET_LANG", help="Ngôn ngữ. / Language.")
    ] = Lang.BOTH,
) -> None:
    global _SESSION  # noqa: PLW0603 (what an error is reported with, once options are read)
    _SESSION = Session(data_dir.expanduser(), lang)
    context.obj = _SESSION


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Never raises."""
    hush()
    given = hoisted(list(sys.argv[1:] if arguments is None else arguments))
    try:
        answer = command_tree()(args=given, prog_name="truyvet", standalone_mode=False)
    except TyperException as error:
        return _usage(error)
    except typer.Abort:
        note(_SESSION.words("Đã dừng, không có gì thay đổi.", "Stopped; nothing was changed."))
        return INTERRUPTED
    except typer.Exit as stop:
        return stop.exit_code
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BrokenPipeError:
        quiet_pipe()
        return 0
    except BaseException as error:  # noqa: BLE001 (the last resort: one sentence, whatever it is)
        return report(error, _SESSION)
    if answer == INTERRUPTED:  # what a Ctrl-C becomes on its way through typer
        note(_SESSION.words("Đã dừng.", "Stopped."))
    return answer if isinstance(answer, int) else 0


@cache
def command_tree() -> TyperGroup:
    """The whole tree of commands, made once a process: every signature of it is read."""
    return get_group(app)


def hoisted(arguments: list[str]) -> list[str]:
    """The root's options may stand anywhere: `truyvet counts --data-dir DIR`."""
    first: list[str] = []
    rest: list[str] = []
    at = iter(arguments)
    for argument in at:
        name, equals, _ = argument.partition("=")
        if argument == "--":
            rest += [argument, *at]
        elif name in ROOT_OPTIONS:
            value = None if equals else next(at, None)
            first += [argument] if value is None else [argument, value]
        else:
            rest.append(argument)
    return first + rest


def _usage(error: TyperException) -> int:
    """What was mistyped, and where to read how it is written."""
    context = getattr(error, "ctx", None)
    if context is not None and type(error).__name__ == "NoArgsIsHelpError":
        sys.stdout.write(f"{error.format_message()}\n")
        return USAGE
    path = context.command_path if context is not None else "truyvet"
    note(f"truyvet: {_SESSION.words(*usage_of(error))} (`{path} --help`)")
    return USAGE


def run() -> None:
    """The console script."""
    speak_beside_results()
    sys.exit(main())


if __name__ == "__main__":
    run()
