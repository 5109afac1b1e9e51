"""A set of posters, printed by several processes; an interrupted run goes on where it ended."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Final

from issuer.poster import Sheet
from issuer.printing import manifest
from issuer.printing.manifest import Manifest
from issuer.printing.order import Index, Job, Order, Posters, Whole, pieces, wholes
from issuer.printing.work import Done, do
from schemas.errors import UserError

_AHEAD: Final = 3  # jobs handed out for each process: memory is bounded by it
Advance = Callable[[int], None]


@dataclass(frozen=True)
class Printed:
    """The finished files and their bytes; `kept`: posters done by a run that was cut short."""

    files: tuple[Path, ...]
    posters: int
    size: int
    kept: int


def folder_of(target: Path) -> Path:
    """Where the pieces of a set lie until its files are finished: beside the first of them."""
    return target.parent / f".{target.name}.parts"


def print_set(
    order: Order,
    sheets: Iterable[Sheet],
    total: int,
    targets: Sequence[Path],
    *,
    workers: int = 1,
    replace: bool = False,
    on_progress: Advance = lambda _done: None,
) -> Printed:
    """Print the sheets, in this order, to `order.files(total)` targets in one directory.

    Each symbol is read back before its page is made. No target holds half a file, ever: pieces
    are made in a folder beside them, and moved when all are whole. `on_progress` is told how many
    posters are done. Raises UserError if a target is there (unless `replace`), if a place cannot
    be printed, or if there are not `total` sheets.
    """
    assert len(targets) == order.files(total) > 0
    folder = folder_of(targets[0])
    with manifest.opened(folder, order.fingerprint()) as found:
        there = [t for t in targets if t.exists()] if not replace and not found.placing else []
        if there:
            raise UserError(
                f"{there[0]} đã có: thêm --replace. / {there[0]} is there already: add --replace."
            )
        printed = _print(order, sheets, total, targets, found, workers, on_progress)
        manifest.remove(folder)
    return printed


def _print(
    order: Order,
    sheets: Iterable[Sheet],
    total: int,
    targets: Sequence[Path],
    found: Manifest,
    workers: int,
    on_progress: Advance,
) -> Printed:
    made: list[tuple[int, str]] = []
    ready = kept = 0

    def fresh() -> Iterator[Posters | Index]:
        """The pieces that are still to be made; the others are counted."""
        nonlocal ready, kept
        for piece in pieces(order, sheets, total):
            made.append((piece.first, piece.file_name))
            done = found.done(piece.file_name)
            if done is None:
                yield piece
            else:
                ready, kept = ready + done.posters, kept + done.posters

    # one piece is nothing to share; alone there is nothing to hand out ahead either
    processes = 1 if total <= order.part_pages else workers
    with _processes(processes) as submit:
        for done in _done(fresh(), found.folder, submit, processes):
            found.add(done)
            ready += done.posters
            on_progress(ready)
        if ready != total:
            raise UserError(
                "Danh sách điểm quét đã đổi trong lúc in: hãy in lại. / "
                "The places changed while they were printed: run it again."
            )
        files = list(wholes(order, made))
        fresh_files = (file for file in files if found.done(file.file_name) is None)
        for done in _done(fresh_files, found.folder, submit, processes):
            found.add(done)
    return _place(files, targets, found, total, kept)


def _place(
    files: Sequence[Whole], targets: Sequence[Path], found: Manifest, total: int, kept: int
) -> Printed:
    """Finished files to where they belong, one rename each."""
    found.begin_placing()
    for file, target in zip(files, targets, strict=True):
        (found.folder / file.file_name).replace(target)
    directory = os.open(targets[0].parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return Printed(tuple(targets), total, sum(t.stat().st_size for t in targets), kept)


Submit = Callable[[Job, Path], "Future[Done]"]


class _processes:  # noqa: N801 (used as a function)
    """A way to hand out jobs: to this process if it is alone, else to that many others."""

    def __init__(self, workers: int) -> None:
        self._pool = (
            ProcessPoolExecutor(
                workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_settle,
            )
            if workers > 1
            else None
        )

    def __enter__(self) -> Submit:
        if self._pool is None:
            return _here
        return lambda job, folder: self._pool.submit(do, job, folder)  # type: ignore[union-attr]

    def __exit__(self, *_error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)


def _here(job: Job, folder: Path) -> "Future[Done]":
    future: Future[Done] = Future()
    future.set_result(do(job, folder))
    return future


def _settle() -> None:
    """A process that prints: Ctrl-C is its parent's to answer, and without a parent it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["RAYON_NUM_THREADS"] = "1"  # typst's: the other cores have processes of their own
    parent = multiprocessing.parent_process()
    assert parent is not None

    def leave() -> None:
        wait_for([parent.sentinel])
        os._exit(1)

    threading.Thread(target=leave, daemon=True).start()


def _done(jobs: Iterator[Job], folder: Path, submit: Submit, workers: int) -> Iterator[Done]:
    """Each job's result, in order, a few jobs ahead. Raises UserError if a process is killed."""
    under_way: deque[Future[Done]] = deque()
    try:
        for job in jobs:
            under_way.append(submit(job, folder))
            if len(under_way) > (_AHEAD * workers if workers > 1 else 0):
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    except BrokenProcessPool:
        raise UserError(
            "Một tiến trình in đã bị dừng; chạy lại cùng lệnh để in tiếp. / "
            "A process that printed was killed; the same command again goes on from there."
        ) from None
