"""`truyvet dlq list | show | replay`: what was refused, and giving it another chance."""

from collections import Counter, deque
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.out import json_line, line, number, progress
from console.cli.session import Json, Session, session_of

if TYPE_CHECKING:
    from console.accounting.deadletters import DeadLetter


def add_to(app: typer.Typer) -> None:
    """These commands."""
    group = typer.Typer(no_args_is_help=True, help="Lượt quét bị từ chối. / Dead letters.")
    group.command("list", help="Theo lý do. / By reason, and the newest.")(list_)
    group.command("show", help="Một bản ghi, nguyên văn. / One, with its original bytes.")(show)
    group.command("replay", help="Gửi lại lên scans.v1. / Publish the originals again.")(replay)
    app.add_typer(group, name="dlq")


def list_(
    context: typer.Context,
    last: Annotated[int, typer.Option(min=0, max=10_000, help="Bao nhiêu. / How many.")] = 10,
    reason: Annotated[str | None, typer.Option(help="Chỉ lý do này. / Only this reason.")] = None,
    as_json: Json = False,
) -> None:
    """Counts by reason, and the newest letters."""
    from console.accounting.deadletters import dead_letters
    from console.accounting.log import asked

    session = session_of(context)
    settings = session.settings()
    wanted = _reasons(reason)

    async def read() -> "tuple[Counter[str], deque[DeadLetter]]":
        reasons: Counter[str] = Counter()
        newest: deque[DeadLetter] = deque(maxlen=last)
        async for letter in dead_letters(settings):
            if wanted is None or letter.reason in wanted:
                reasons[letter.reason] += 1
                newest.append(letter)
        return reasons, newest

    reasons, newest = asked(settings, read)
    if as_json:
        shown = [letter.document() for letter in newest]
        json_line({"total": reasons.total(), "by_reason": dict(reasons), "last": shown})
        return
    _list(session, reasons, newest)


def _list(session: Session, reasons: Counter[str], newest: "deque[DeadLetter]") -> None:
    from schemas.clock import local_text
    from schemas.reasons import SENTENCES, Reason

    line(f"{number(reasons.total())} {session.words('bản ghi bị từ chối', 'dead letters')}")
    for name, count in reasons.most_common():
        sentence = session.words(*SENTENCES[Reason(name)]) if name in list(Reason) else ""
        line(f"{number(count):>10}  {name:<21} {sentence}")
    for letter in newest:
        line(f"  {letter.key:<24} {local_text(letter.appended)}  {letter.reason}: {letter.detail}")


def show(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="TOPIC/PARTITION/OFFSET")],
    as_json: Json = False,
) -> None:
    """The key is what `truyvet dlq list` shows; `PARTITION/OFFSET` is enough."""
    from console.accounting.deadletters import dead_letters
    from console.accounting.log import asked
    from schemas.errors import UserError
    from schemas.topics import SCANS

    session = session_of(context)
    settings = session.settings()
    full = key if key.count("/") == 2 else f"{SCANS.name}/{key}"

    async def read() -> "DeadLetter | None":
        async for letter in dead_letters(settings):
            if letter.key == full:
                return letter
        return None

    letter = asked(settings, read)
    if letter is None:
        raise UserError(f"Không có bản ghi {full}. / There is no dead letter {full}.")
    document = letter.document(whole=True)
    if as_json:
        json_line(document)
        return
    del document["original_hex"]
    for name, value in document.items():
        line(f"{name:<13} {value}")


def replay(
    context: typer.Context,
    reason: Annotated[str | None, typer.Option(help="Chỉ lý do này. / Only this reason.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Mọi lý do. / All reasons.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Chỉ đếm. / Only count.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Không hỏi. / Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Each letter once; what is still wrong is refused again, as a new letter."""
    from console.accounting.log import asked
    from console.accounting.replay import replay as publish
    from console.accounting.replay import selected
    from schemas.errors import UserError

    session = session_of(context)
    settings = session.settings()
    if (reason is None) == (not everything):
        raise UserError(
            "Cần --reason LÝ_DO hoặc --all. / One of --reason REASON and --all is needed."
        )
    wanted = _reasons(reason)
    fresh, before = asked(settings, lambda: selected(settings, wanted))
    document = {"selected": fresh, "replayed_before": before, "replayed": 0, "dry_run": dry_run}
    if fresh and not dry_run and (yes or _agreed(session, fresh)):
        with progress(session.words("gửi lại", "replaying"), fresh) as advance:
            document["replayed"] = asked(settings, lambda: publish(settings, wanted, advance))
    if as_json:
        json_line(document)
        return
    line(
        session.lines(
            f"{number(fresh)} được chọn, {number(document['replayed'])} đã gửi lại, "
            f"{number(before)} đã gửi lại từ trước",
            f"{number(fresh)} selected, {number(document['replayed'])} published again, "
            f"{number(before)} were before",
        )
    )


def _agreed(session: Session, count: int) -> bool:
    question = session.words(
        f"Gửi lại {number(count)} bản ghi lên scans.v1?",
        f"Publish {number(count)} records to scans.v1 again?",
    )
    return typer.confirm(question, err=True, abort=True)


def _reasons(reason: str | None) -> set[str] | None:
    from schemas.errors import UserError
    from schemas.reasons import Reason

    if reason is None:
        return None
    if reason not in list(Reason):
        raise UserError(
            f"Không có lý do {reason!r}. / "
            f"There is no reason {reason!r}; there are {', '.join(Reason)}."
        )
    return {reason}
