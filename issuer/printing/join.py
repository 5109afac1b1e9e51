"""Pieces to one file: PDFs page by page, ZIPs member by member; the same bytes every time."""

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from issuer.walk import fold

_LONGEST_NAME: Final = 40
_TRAILER: Final = 1_024
_ID: Final = re.compile(rb"/ID\s*\[.*<([0-9A-F]{32})>\s*\]", re.DOTALL)
_MIDNIGHT: Final = (1980, 1, 1, 0, 0, 0)  # a ZIP knows no earlier; no time of ours is in a file


def join_pdfs(pieces: Sequence[Path], target: Path) -> int:
    """All pages of the pieces as one PDF; how many. Holds the pages of one file."""
    import pypdfium2

    with pypdfium2.PdfDocument(pieces[0]) as whole:
        for path in pieces[1:]:
            with pypdfium2.PdfDocument(path) as piece:
                whole.import_pages(piece)
        pages = len(whole)
        whole.save(target)
    _settle_id(target)
    return pages


def _settle_id(pdf: Path) -> None:
    """The second half of a PDF's id, which pdfium draws anew, follows from what is before it."""
    with pdf.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        begin = file.seek(max(0, size - _TRAILER))
        found = _ID.search(file.read())
        assert found is not None, "a saved PDF ends with a trailer that has an id"
        at, digits = begin + found.start(1), len(found[1])
        file.seek(0)
        before = hashlib.sha256()
        left = at
        while left:
            left -= len(some := file.read(min(left, 1 << 20)))
            before.update(some)
        file.write(before.hexdigest()[:digits].upper().encode())


def join_zips(pieces: Sequence[Path], target: Path) -> int:
    """Single PDFs as they are, and the members of ZIPs; how many files. Holds one at a time."""
    count = 0
    with ZipFile(target, "w", ZIP_STORED) as whole:
        for path in pieces:
            if path.suffix == ".pdf":
                first = path.name.split("-")[1]
                whole.writestr(member(f"00000_index_{first}.pdf"), path.read_bytes())
                count += 1
                continue
            with ZipFile(path) as piece:
                for info in piece.infolist():
                    whole.writestr(member(info.filename), piece.read(info))
                    count += 1
    return count


def member(name: str) -> ZipInfo:
    """An entry without a time; PDFs are compressed already."""
    info = ZipInfo(name, _MIDNIGHT)
    info.compress_type = ZIP_STORED
    info.external_attr = 0o644 << 16
    return info


def slug(text: str) -> str:
    """A name as part of a file's name that any system takes: `Cổng chính` is `cong-chinh`."""
    return re.sub(r"[^a-z0-9]+", "-", fold(text)).strip("-")[:_LONGEST_NAME].rstrip("-")
