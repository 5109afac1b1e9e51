"""Segments as files: a folder for each part of the table, mapped and never changed.

A folder has its name only when everything in it is on disk, and its name says the rows of which
part it has; so what is there is whole. The columns are numpy's own files (`.npy`).
"""

import ctypes
import json
import mmap
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from streams.clickhouse import ClickHouse
from streams.segments.parts import Part
from streams.segments.reading import Lot, Numbered, by_hour, by_person
from tracer.columns import changes
from tracer.segment import BY_HOUR, BY_PERSON, Segment

FORMAT: Final = 1
_TEXTS: Final = "texts.json"
# Linux 5.14; an older one refuses it, and pages are mapped as they are touched. By libc, which lets
# other threads work meanwhile; `mmap.madvise` does not.
_POPULATE_READ: Final = 22
_MADVISE: Final = ctypes.CDLL(None).madvise
_MADVISE.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_UNDONE: Final = ".making-"  # with a dot, no part's
_ROW_BYTES: Final = BY_PERSON.itemsize + BY_HOUR.itemsize
_BESIDE: Final = 1.1  # persons, hours and where they begin


def folder_name(part: Part, content: str) -> str:
    """Of the segment of this part; `content`: of `parts.contents`."""
    return f"{blocks_of(part)}_{content}_{FORMAT}"


def blocks_of(part: Part) -> str:
    """What the name of its segment begins with, whatever the part holds."""
    return f"{part.partition}_{part.lowest}_{part.highest}"


def bytes_of(rows: int) -> int:
    """About as much disk as so many rows take."""
    return int(rows * _ROW_BYTES * _BESIDE)


def held_bytes(folder: Path) -> int:
    """What the segments in this folder take."""
    return sum(file.stat().st_size for file in folder.glob("*/*") if file.is_file())


def write(clickhouse: ClickHouse, folder: Path, part: Part, content: str) -> bool:
    """Make the segment of this part in the folder; whether it is there: not if the part has gone
    meanwhile, or lacks its order by person.

    Raises Retryable, and OSError if the disk does not take it; then nothing is left.
    """
    making = Path(tempfile.mkdtemp(prefix=_UNDONE, dir=folder))
    try:
        trips, producers = Numbered(), Numbered()
        people = by_person(clickhouse, part, trips)
        places = by_hour(clickhouse, part, producers)
        whole = _order(making, "person", people, part.rows, BY_PERSON, np.dtype("<u8"))
        whole = whole and _order(making, "hour", places, part.rows, BY_HOUR, np.dtype("<i8"))
        if not whole:
            return False
        texts = {"trips": trips.texts, "producers": producers.texts}
        with _synced(making / _TEXTS) as file:
            file.write(json.dumps(texts).encode())
        there = folder / folder_name(part, content)
        shutil.rmtree(there, ignore_errors=True)
        making.rename(there)
        _sync(folder)
        return True
    finally:
        shutil.rmtree(making, ignore_errors=True)


def mapped(folder: Path, part: Part, content: str) -> Segment | None:
    """The segment of this part; None if it is not there, or not to be read: then it is gone."""
    there = folder / folder_name(part, content)
    if not there.is_dir():
        return None
    try:
        texts = json.loads((there / _TEXTS).read_text())
        persons, of_person, scans = _mapped(there, "person")
        hours, of_hour, visits = _mapped(there, "hour")
        if not len(scans) == len(visits) == part.rows:
            raise ValueError(f"{len(scans)} and {len(visits)} rows, not {part.rows}")
        return Segment(
            part.partition, persons, of_person, scans, hours, of_hour, visits,
            texts["trips"], texts["producers"],
        )  # fmt: skip
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        shutil.rmtree(there, ignore_errors=True)
        return None
    except OSError:  # ours alone: no descriptor left, no room to map
        return None


def warm(segment: Segment) -> None:
    """Have all of a mapped segment's pages at hand, as far as there is memory for them.

    A trace among 100 million scans comes to a thousand pages, and one that this process has not
    touched before costs it microseconds, or a read of the disk. Takes as long as that read, and no
    memory of the process's own, though the system counts the pages as resident.
    """
    for column in (
        segment.persons, segment.of_person, segment.by_person,
        segment.hours, segment.of_hour, segment.by_hour,
    ):  # fmt: skip
        before = column.ctypes.data % mmap.PAGESIZE
        _MADVISE(column.ctypes.data - before, column.nbytes + before, _POPULATE_READ)


def drop_others(folder: Path, kept: Iterable[str], *, undone: bool) -> list[str]:
    """Take away all segments but these; which. `undone`: and what nobody will finish."""
    names = set(kept)
    gone = [
        there
        for there in folder.iterdir()
        if there.is_dir() and there.name not in names
        if undone or not there.name.startswith(_UNDONE)
    ]
    for there in gone:
        shutil.rmtree(there, ignore_errors=True)
    return [there.name for there in gone]


def _mapped(there: Path, name: str) -> list[npt.NDArray[Any]]:
    files = (f"{name}s.npy", f"of_{name}.npy", f"by_{name}.npy")
    # as plain arrays: each slice of a memmap takes a microsecond for being one
    return [np.load(there / file, mmap_mode="r").view(np.ndarray) for file in files]


def _order(
    there: Path,
    name: str,
    lots: Iterator[Lot],
    rows: int,
    kind: np.dtype[Any],
    key: np.dtype[Any],
) -> bool:
    """Write one order of a part's rows; whether all of them came, as they should."""
    keys, first = [np.empty(0, key)], [np.empty(0, np.int64)]
    written = 0
    last: Any = None
    with _synced(there / f"by_{name}.npy") as file:
        _head(file, kind, rows)
        for lot in lots:
            if not len(lot.key):
                continue
            new = changes(lot.key)
            new[0] = last is None or lot.key[0] != last
            if (last is not None and lot.key[0] < last) or (lot.key[1:] < lot.key[:-1]).any():
                return False
            at = np.flatnonzero(new)
            keys.append(lot.key[at].astype(key))
            first.append(at + written)
            written += len(lot.key)
            last = lot.key[-1]
            file.write(lot.rows.tobytes())
    if written != rows:
        return False
    first.append(np.array([rows]))
    for file_name, column in ((f"{name}s", keys), (f"of_{name}", first)):
        with _synced(there / f"{file_name}.npy") as file:
            np.save(file, np.concatenate(column))
    return True


def _head(file: IO[bytes], kind: np.dtype[Any], rows: int) -> None:
    descr = np.lib.format.dtype_to_descr(kind)
    np.lib.format.write_array_header_1_0(
        file, {"descr": descr, "fortran_order": False, "shape": (rows,)}
    )


@contextmanager
def _synced(path: Path) -> Iterator[IO[bytes]]:
    """A new file that is on disk when the block ends."""
    with path.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
