"""`truyvet rebuild`: the tables of scans from Kafka, beside the old ones, compared, exchanged."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from console.cli.backups import shown
from console.cli.out import json_line, line, note, number
from console.cli.session import Json, Session, session_of

if TYPE_CHECKING:
    from console.rebuild.run import Rebuilt

_LOCK_S: Final = 5.0
_SHOWN: Final = 12


def add_to(app: typer.Typer) -> None:
    """This command."""
    app.command(
        "rebuild",
        help="Dựng lại các bảng từ Kafka khi vẫn chạy. / Make tables from Kafka anew.",
    )(rebuild)


def rebuild(
    context: typer.Context,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept-differences",
            help="Đổi bảng dù có khác biệt chưa rõ lý do. / Exchange in spite of such differences.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Serving and ingest go on. Every record has one outcome, the old one, except where a list
    says otherwise and why; erased persons stay erased. Needs room for the tables a second time.
    Where there are scans that running workers have not heard of, it says that they are to be
    stopped for the last step.

    Can be stopped: the same command goes on. Exit code 1 if the tables were not exchanged.
    """
    from console.rebuild.run import DIFFERENCES, Rebuild
    from console.store.engine import open_store
    from console.store.locks import exclusive
    from schemas.errors import UserError
    from streams import memory

    session = session_of(context)
    settings = session.settings()
    memory.configure()
    store = open_store(settings)
    try:
        with exclusive(store.engine, "erasures", _LOCK_S), shown(session) as told:
            found = Rebuild(settings, told, accept=accept).run()
    except TimeoutError:
        raise UserError(
            "Đang có việc xoá hoặc dựng lại khác: chờ xong đã. / An erasure or another rebuild "
            "is under way: wait for its end."
        ) from None
    finally:
        store.close()
    if as_json:
        json_line(vars(found))
    else:
        _tell(session, found, str(settings.data_dir / DIFFERENCES))
    _warn(session, found)
    raise typer.Exit(0 if found.swapped else 1)


def _tell(session: Session, found: "Rebuilt", file: str) -> None:
    rate = found.read / found.seconds if found.seconds else 0
    line(
        session.lines(
            f"Đã đọc lại {number(found.read)} bản ghi ({number(rate)} mỗi giây), đối chiếu "
            f"{number(found.compared)}.",
            f"{number(found.read)} records were read again ({number(rate)} a second), "
            f"{number(found.compared)} compared.",
        )
    )
    for row in found.differences[:_SHOWN]:
        line(f"{number(row['records']):>10}  {row['was']} → {row['is']}  {row['why'] or '?'}")
    if found.differences:
        note(session.words(f"Danh sách: {file}", f"The list: {file}"))
    if found.swapped:
        line(session.words("Các bảng mới đang được dùng.", "The new tables serve."))


def _warn(session: Session, found: "Rebuilt") -> None:
    if found.stop_workers:
        note(
            session.lines(
                "Có lượt quét trước đó bị từ chối hoặc bị thiếu nay được ghi, mà các worker đang "
                "chạy không biết: gửi lại thì sẽ ghi hai lần. Bảng cũ vẫn được dùng. Hãy dừng mọi "
                "worker (`truyvet down`, rồi `truyvet up --workers 0`), chạy lại lệnh này, rồi cho "
                "worker chạy.",
                "Scans that were refused or missing are written now, and the workers that run have "
                "not heard of them: sent again they would be written twice. The old tables serve "
                "on. Stop all workers (`truyvet down`, then `truyvet up --workers 0`), run this "
                "command again, which goes on where it was, and start the workers.",
            )
        )
    elif found.start_workers_again:
        note(
            session.lines(
                "Các worker đang chạy còn nhớ theo bảng cũ: hãy khởi động lại mọi worker trước khi "
                "gửi lại bất cứ gì (`truyvet dlq replay`, nguồn gửi).",
                "The workers that run still know ids as the old tables had them: start them again "
                "before anything is sent again (`truyvet dlq replay`, producers).",
            )
        )
    elif not found.swapped:
        note(
            session.lines(
                f"{number(found.unexplained)} khác biệt chưa rõ lý do: bảng cũ vẫn được dùng.",
                f"{number(found.unexplained)} differences have no known reason: the old tables "
                "serve on. Look at the list; `--accept-differences` exchanges all the same.",
            )
        )
