"""One job done by one process: its file is there whole under its name, or not at all."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

from issuer.index_sheet import index_pdf
from issuer.poster import Sheet, pages_of, pages_pdf, posters_pdf
from issuer.printing.join import join_pdfs, join_zips, member, slug
from issuer.printing.order import Index, Job, Order, Packing, Posters, Whole
from issuer.symbol import UnreadableError
from issuer.typesetting import forget
from schemas.errors import UserError

HIDDEN_SUFFIX = ".part"


@dataclass(frozen=True)
class Done:
    """A file of the set's folder. `posters` is 0 for an index and a whole file."""

    name: str
    sha256: str
    size: int
    posters: int


def do(job: Job, folder: Path) -> Done:
    """Make the job's file in the folder. Raises UserError that names the place it failed at."""
    name = job.file_name
    hidden = folder / f".{name}.{os.getpid()}{HIDDEN_SUFFIX}"
    try:
        _write(job, folder, hidden)
        with hidden.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        size = hidden.stat().st_size
        hidden.replace(folder / name)
    finally:
        hidden.unlink(missing_ok=True)
        forget()
    return Done(name, sha256, size, len(job.sheets) if isinstance(job, Posters) else 0)


def _write(job: Job, folder: Path, target: Path) -> None:
    if isinstance(job, Whole):
        paths = [folder / name for name in job.pieces]
        (join_zips if job.order.packing is Packing.ZIP else join_pdfs)(paths, target)
        return
    try:
        if isinstance(job, Index):
            order = job.order
            target.write_bytes(
                index_pdf(job.sheets, order.title, order.form, first=job.first, total=job.total)
            )
        else:
            _posters(job, target)
    except (ValueError, UnreadableError) as error:
        raise _refused(job.order, job.sheets, error) from None


def _posters(job: Posters, target: Path) -> None:
    order = job.order
    if order.packing is Packing.PDF:
        pdf = posters_pdf(
            job.sheets,
            order.origin,
            retention_days=order.retention_days,
            form=order.form,
            tagged=False,
        )
        target.write_bytes(pdf)
        return
    pages = pages_of(job.sheets, order.origin, order.form)
    with ZipFile(target, "w", ZIP_STORED) as single:
        for number, (sheet, page) in enumerate(zip(job.sheets, pages, strict=True), job.first):
            pdf = pages_pdf([page], order.form, retention_days=order.retention_days, tagged=False)
            names = slug(sheet.site.name), slug(sheet.place.name)
            name = "_".join([f"{number:05}", *filter(None, names), str(sheet.place.id)])
            single.writestr(member(f"{name}.pdf"), pdf)


def _refused(order: Order, sheets: tuple[Sheet, ...], error: Exception) -> UserError:
    """The error with the place it is about: found again by printing one at a time."""
    for sheet in sheets:
        try:
            pages_of([sheet], order.origin, order.form)
        except (ValueError, UnreadableError) as of_this:
            number, said = sheet.place.id, of_this
            break
    else:
        return UserError(f"Không in được: {error}. / Nothing was printed: {error}.")
    return UserError(
        f"Điểm quét {number} không in được, đã dừng: {said}. / "
        f"Place {number} cannot be printed, so the run stopped: {said}."
    )
