"""Which pieces of a set are done: a line of JSON each, written after the file is whole.

The set's folder belongs to one run at a time. A line that was cut short, and a file that is not
what its line says, count for nothing: that piece is made again.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import orjson

from issuer.printing.work import HIDDEN_SUFFIX, Done
from schemas.errors import UserError

FILE: Final = "manifest.jsonl"
_LOCK: Final = "lock"


class Manifest:
    """The folder's manifest, for one order; made by `opened`."""

    def __init__(self, folder: Path, file: IO[bytes], done: dict[str, Done], placing: bool) -> None:
        self.folder = folder
        self.placing = placing  # whether finished files began to be put in their places
        self._file = file
        self._done = done

    def done(self, name: str) -> Done | None:
        """The piece of this name if its file is there as it was written."""
        found = self._done.get(name)
        path = self.folder / name
        if found is None or not path.exists() or path.stat().st_size != found.size:
            return None
        with path.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == found.sha256
        return found if same else None

    def add(self, done: Done) -> None:
        """This piece is done, also after a power cut."""
        self._append(vars(done))
        self._done[done.name] = done

    def begin_placing(self) -> None:
        """From here on a finished file may be in its place already."""
        self._append({"placing": True})
        self.placing = True

    def _append(self, record: dict[str, Any]) -> None:
        self._file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        self._file.flush()
        os.fsync(self._file.fileno())


@contextmanager
def opened(folder: Path, order: str) -> Iterator[Manifest]:
    """The manifest of a folder for the order with this fingerprint.

    What another order left there is removed. Raises UserError if another run is at it, or if the
    folder holds something that is none of ours.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / _LOCK).exists():
        raise UserError(
            f"{folder} không phải của một lần in; hãy dời nó đi. / "
            f"{folder} is not of a print run; move it away."
        )
    with (folder / _LOCK).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"Đang có một lần in khác vào chỗ này ({folder}). / "
                f"Another run is printing to the same place ({folder})."
            ) from None
        lines = _lines(folder / FILE)
        if not lines or lines[0].get("order") != order:
            _empty(folder)
            lines = []
        done = {d["name"]: Done(**d) for d in lines[1:] if "name" in d}
        for left in folder.glob(f".*{HIDDEN_SUFFIX}"):  # of processes that were killed
            left.unlink()
        with (folder / FILE).open("wb") as file:  # written anew: a line may have been cut short
            manifest = Manifest(folder, file, {}, False)
            manifest._append({"order": order})
            for one in done.values():
                manifest._append(vars(one))
            manifest._done = done
            if any("placing" in line for line in lines):
                manifest.begin_placing()
            yield manifest


def remove(folder: Path) -> None:
    """The folder of a set whose files are in their places."""
    shutil.rmtree(folder)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != _LOCK:
            path.unlink()


def _lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a manifest."""
    if not path.exists():
        return []
    found = []
    for line in path.read_bytes().splitlines():
        try:
            found.append(orjson.loads(line))
        except orjson.JSONDecodeError:
            break
    return found
