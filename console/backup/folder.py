"""A backup's directory: parts, each whole or not there, and the manifest that makes it a backup.

It is made under `NAME.partial` and gets its name when all of it is there, so a directory that has
the name is a whole backup. What was finished before a stop is noted and not made again.
"""

import gzip
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from schemas.errors import UserError

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
_BEGUN: Final = "begun.json"
_DONE: Final = "done.jsonl"
_LEVEL: Final = 1  # of gzip: rows of random ids hardly get smaller with more work
_PIECE: Final = 1024 * 1024


@dataclass(frozen=True)
class Part:
    """One file: `name` in the directory, `of` what it holds, rows, and what a reader checks.

    `partition` and `where` say for a piece of a table which rows it has, `check` is a sum over
    their contents.
    """

    name: str
    of: str
    rows: int
    bytes: int
    sha256: str
    partition: str = ""
    where: str = ""
    check: int = 0


@dataclass(frozen=True)
class Manifest:
    """What a backup is: when it began, what was true then, and its parts."""

    id: str
    begun_at: str
    facts: dict[str, Any]
    parts: list[Part] = field(default_factory=list)

    def of(self, what: str) -> list[Part]:
        """The parts that hold this."""
        return [part for part in self.parts if part.of == what]

    def rows(self) -> dict[str, int]:
        """Rows by what they are of."""
        counted: dict[str, int] = {}
        for part in self.parts:
            counted[part.of] = counted.get(part.of, 0) + part.rows
        return counted


class Folder:
    """A backup that is being made. Raises UserError where `target` is taken."""

    def __init__(self, target: Path) -> None:
        if target.exists():
            raise UserError(
                f"Đã có {target}: hãy chọn tên khác. / {target} exists already: name another one."
            )
        self.target = target
        self.path = target.with_name(target.name + ".partial")
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._done = {part.name: part for part in _noted(self.path / _DONE)}

    def begun(self, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What was fixed when this backup began: `make`'s answer the first time, kept since."""
        return self.kept(_BEGUN, make)

    def kept(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """A document that is made once, however often the backup is taken up again."""
        file = self.path / name
        if not file.exists():
            write_whole(file, orjson.dumps(make(), option=orjson.OPT_INDENT_2))
        found: dict[str, Any] = orjson.loads(file.read_bytes())
        return found

    def forget(self, name: str) -> None:
        """Make this document anew."""
        (self.path / name).unlink(missing_ok=True)

    def part(self, name: str) -> Part | None:
        """The part, if it is there already."""
        return self._done.get(name)

    def parts(self) -> list[Part]:
        """Every part that is there."""
        return list(self._done.values())

    def put(
        self, name: str, of: str, pieces: Iterable[bytes], rows: Callable[[], int], **also: Any
    ) -> Part:
        """Write one part, compressed; `rows` is asked when all pieces were taken, and by raising
        it makes that nothing was written."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(file.name + ".partial")
        with partial.open("wb") as raw:
            with gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as packed:
                for piece in pieces:
                    packed.write(piece)
            raw.flush()
            os.fsync(raw.fileno())
        part = Part(name, of, rows(), partial.stat().st_size, sha256(partial), **also)
        partial.rename(file)
        with (self.path / _DONE).open("ab") as journal:
            journal.write(orjson.dumps(asdict(part)) + b"\n")
            journal.flush()
            os.fsync(journal.fileno())
        self._done[name] = part
        return part

    def finish(self, manifest: Manifest) -> None:
        """The manifest, then the name."""
        write_whole(
            self.path / MANIFEST,
            orjson.dumps({"format": FORMAT, **asdict(manifest)}, option=orjson.OPT_INDENT_2),
        )
        for file in (*self.path.glob("*.json"), self.path / _DONE):
            if file.name != MANIFEST:
                file.unlink(missing_ok=True)
        self.path.rename(self.target)


def read_manifest(path: Path) -> Manifest:
    """The manifest of a backup. Raises UserError if it is none, or of a newer form."""
    try:
        found = orjson.loads((path / MANIFEST).read_bytes())
    except (OSError, ValueError):
        raise UserError(
            f"{path} không phải bản sao lưu đầy đủ (thiếu {MANIFEST}). / {path} is not a whole "
            f"backup: it has no {MANIFEST}. One that was stopped is called NAME.partial; the same "
            "`truyvet backup` goes on with it."
        ) from None
    if found.pop("format", None) != FORMAT:
        raise UserError(
            f"Bản sao lưu {path} do phiên bản khác tạo ra. / The backup {path} was made by another "
            "version of truyvet: restore it with that one."
        )
    return Manifest(**found | {"parts": [Part(**part) for part in found["parts"]]})


def check_part(path: Path, part: Part) -> None:
    """Raises UserError if the file is not what was written."""
    file = path / part.name
    if not file.is_file() or file.stat().st_size != part.bytes or sha256(file) != part.sha256:
        raise UserError(
            f"Tệp {file} đã bị hỏng hoặc thiếu: hãy dùng bản sao lưu khác. / {file} is damaged or "
            "missing (its checksum is not the manifest's): use another copy of this backup."
        )


def unpacked(path: Path, part: Part) -> Iterator[bytes]:
    """A part's contents, a mebibyte at a time."""
    with gzip.open(path / part.name, "rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def lines(path: Path, part: Part) -> Iterator[Any]:
    """A part that is a JSON value a line."""
    with gzip.open(path / part.name, "rb") as file:
        for line in file:
            yield orjson.loads(line)


def sha256(file: Path) -> str:
    """Of a file, in hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def write_whole(file: Path, data: bytes, mode: int = 0o600) -> None:
    """All of it under its name, or nothing."""
    partial = file.with_name(file.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())
    partial.rename(file)


def _noted(journal: Path) -> Iterator[Part]:
    if journal.exists():
        for line in journal.read_bytes().splitlines():
            try:
                yield Part(**orjson.loads(line))
            except (ValueError, TypeError):
                return  # cut off in the middle of its last line
