"""`truyvet backup | restore`: everything that cannot be made again, out and back in."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from console.cli.out import json_line, line, note, number, progress
from console.cli.session import Json, Session, session_of

if TYPE_CHECKING:
    from console.backup.compared import Restored
    from schemas.settings import Settings

_SHOWN: Final = 10
_STEPS: Final = {
    "topics": ("chủ đề Kafka", "topics"),
    "runs": ("kết quả truy vết", "runs"),
    "relational": ("cơ sở dữ liệu quan hệ", "relational database"),
    "outcomes": ("lượt quét", "scans"),
    "rest": ("tổng theo ngày", "daily totals"),
    "checksums": ("kiểm tra tệp", "checking the files"),
    "logs": ("nhật ký Kafka", "Kafka's logs"),
    "tables": ("các bảng", "tables"),
    "comparing": ("đối chiếu", "comparing"),
    "carrying": ("chép phần Kafka không còn", "carrying over what Kafka no longer has"),
    "reading": ("đọc lại", "reading again"),
    "tail": ("chép phần cuối", "copying the last seconds"),
}


class Only(StrEnum):
    """What alone is put back."""

    TABLES = "tables"
    RELATIONAL = "relational"


Target = Annotated[Path, typer.Argument(help="Thư mục sao lưu. / The backup's directory.")]
Keys = Annotated[
    Path | None,
    typer.Option("--keys", help="Tệp khoá (mặc định: OUT.keys). / The keys' file, apart."),
]
Passphrase = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        envvar="TRUYVET_BACKUP_PASSPHRASE_FILE",
        help="Tệp mật khẩu: mã hoá tệp khoá. / Its first line encrypts the keys' file.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """These commands."""
    app.command(
        "backup", help="Sao lưu khi vẫn đang chạy. / Back up while everything goes on; resumable."
    )(backup)
    app.command(
        "restore", help="Phục hồi vào nơi trống rồi đối chiếu. / Restore where nothing is; compare."
    )(restore)


def backup(
    context: typer.Context,
    out: Target,
    keys: Keys = None,
    passphrase_file: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Scans to the offset, runs, the relational database, topics; keys in a file of their own.

    Can be stopped: the same command goes on. A directory without `.partial` is whole.
    """
    from console.backup.folder import Folder
    from console.backup.keys import beside, save
    from console.backup.take import Backup
    from console.store.engine import open_store

    session = session_of(context)
    settings = session.settings()
    target = out.expanduser().absolute()
    file = (keys or beside(target)).expanduser().absolute()
    passphrase = _passphrase(passphrase_file)
    folder = Folder(target)
    names = save(settings, file, passphrase)
    store = open_store(settings)
    try:
        with shown(session) as told:
            manifest = Backup(settings, store, folder, told).take()
    finally:
        store.close()
    if as_json:
        facts = {"id": manifest.id, "begun_at": manifest.begun_at, "rows": manifest.rows()}
        size = sum(part.bytes for part in manifest.parts)
        where = {"backup": str(target), "keys": str(file), "encrypted": passphrase is not None}
        json_line({**where, "bytes": size, **facts})
        return
    rows = sum(part.rows for part in manifest.parts if part.of == "table/scans")
    size = sum(part.bytes for part in manifest.parts)
    line(
        session.lines(
            f"Đã sao lưu vào {target}: {number(rows)} lượt quét, {number(size / 1e6)} MB.",
            f"Backed up to {target}: {number(rows)} scans, {number(size / 1e6)} MB.",
        )
    )
    listed = ", ".join(names)
    if passphrase is None:
        vi = (
            f"Khoá ({listed}) ở {file}, CHƯA mã hoá (xem --passphrase-file): cất riêng, đừng để "
            "mất."
        )
        en = (
            f"The keys ({listed}) are in {file}, readable for you only and NOT encrypted (see "
            "--passphrase-file): keep them apart, and never lose them."
        )
    else:
        vi = f"Khoá ({listed}) ở {file}, đã mã hoá: cất tệp và mật khẩu ở hai nơi, đừng để mất."
        en = (
            f"The keys ({listed}) are in {file}, encrypted: keep file and passphrase in two "
            "places, and never lose either."
        )
    vi += " Bản sao lưu có ghi chú và dữ liệu cá nhân."
    note(session.lines(vi, f"{en} The backup holds personal data."))


def restore(
    context: typer.Context,
    backup_dir: Target,
    keys: Keys = None,
    passphrase_file: Passphrase = None,
    only: Annotated[
        Only | None,
        typer.Option(help="Chỉ phần này, phần kia còn. / This alone; the rest is still there."),
    ] = None,
    as_json: Json = False,
) -> None:
    """One command on an empty machine: starts Kafka and the engine here, unless the environment
    names others, puts everything back, compares counts and sums. Exit code 1 if they differ.

    Can be stopped: the same command goes on. Nothing else may run meanwhile.
    """
    from console.backup.folder import read_manifest
    from console.backup.keys import beside, put_back, read
    from console.backup.restore import Only as Part
    from console.backup.restore import Restore

    session = session_of(context)
    path = backup_dir.expanduser().absolute()
    manifest = read_manifest(path)
    if only is None:
        found = read(keys or beside(path), _passphrase(passphrase_file))
        put_back(session.data_dir, found, manifest.facts["settings"])
    part = Part(only.value) if only is not None else None
    with servers(session) as settings, shown(session) as told:
        restored = Restore(settings, path, manifest, told, part).restore()
    if as_json:
        json_line({"backup": str(path), **vars(restored)})
    else:
        _tell(session, restored)
    raise typer.Exit(1 if restored.wrong else 0)


def _passphrase(file: Path | None) -> str | None:
    from console.backup.sealed import passphrase_in

    return None if file is None else passphrase_in(file.expanduser())


def _tell(session: Session, restored: "Restored") -> None:
    for name, rows in sorted(restored.rows.items()):
        if rows:
            line(f"{number(rows):>13}  {name}")
    for name, rows in restored.aged.items():
        note(
            session.words(
                f"{name}: {number(rows)} dòng đã quá hạn lưu giữ.",
                f"{name}: {number(rows)} rows were past their retention.",
            )
        )
    for partition, (begin, end) in sorted(restored.lost.items()):
        note(
            session.words(
                f"Phân vùng {partition}: mất các bản ghi từ {begin} đến {end - 1}.",
                f"Partition {partition}: records {begin} to {end - 1} are neither in the backup "
                "nor in Kafka any more.",
            )
        )
    if restored.newer:
        listed = ", ".join(restored.newer[:_SHOWN])
        more = len(restored.newer) - _SHOWN
        note(
            session.words(
                f"{len(restored.newer)} mục đã sửa sau bản sao lưu, cần nhập lại: {listed}",
                f"{len(restored.newer)} records were changed after the backup and must be entered "
                f"again: {listed}" + (f" and {more} more" if more > 0 else ""),
            )
        )
    for what in restored.wrong:
        note(session.words(f"Không khớp: {what}", f"Does not compare: {what}"))
    if not restored.wrong:
        line(
            session.lines(
                "Đã phục hồi, số đếm và tổng kiểm khớp. Tiếp theo: `truyvet up`, `truyvet counts`.",
                "Restored; counts and sums are the backup's. Next: `truyvet up`, `truyvet counts`.",
            )
        )


@contextmanager
def servers(session: Session) -> Iterator["Settings"]:
    """With nothing else running: what the environment names, or Kafka and the engine, started
    here."""
    from deploy.embedded.progress import progress_bar
    from deploy.embedded.stack import Stack, StackOptions, status
    from schemas.errors import UserError

    if {"TRUYVET_KAFKA_BOOTSTRAP", "TRUYVET_CLICKHOUSE_URL"} <= os.environ.keys():
        yield session.settings()
        return
    if status(session.data_dir).running:
        raise UserError(
            f"Hệ thống ở {session.data_dir} đang chạy: `truyvet down` trước. / Something runs in "
            f"{session.data_dir}: `truyvet down` first."
        )
    options = StackOptions(session.data_dir, services=frozenset({"kafka", "engine"}))
    with progress_bar() as shown, Stack(options, on_progress=shown):
        yield session.settings()


@contextmanager
def shown(session: Session) -> Iterator[Callable[[str, int, int], None]]:
    """One bar after the other, a step each."""
    open_: list[tuple[str, Any, Any]] = []

    def close() -> None:
        for _, bar, _ in open_:
            bar.__exit__(None, None, None)
        open_.clear()

    def told(step: str, done: int, total: int) -> None:
        if not open_ or open_[0][0] != step:
            close()
            bar = progress(session.words(*_STEPS[step]), total)
            open_.append((step, bar, bar.__enter__()))
        open_[0][2](done)

    try:
        yield told
    finally:
        close()
