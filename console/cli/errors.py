"""From an exception to one sentence: what was wrong, where, what to do. Never a traceback.

A fault of the program itself is one sentence too, and a log file. `TRUYVET_DEBUG=1` shows the
trace of either.
"""

import errno
import os
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from console.cli.out import note
from console.cli.session import Session

USAGE: Final = 2
FAILED: Final = 1
INTERRUPTED: Final = 130
FAULT: Final = 70
_DEBUG: Final = "TRUYVET_DEBUG"
_FILES: Final[dict[type[OSError], str]] = {
    FileNotFoundError: "không có tệp hay thư mục này",
    FileExistsError: "đã có tệp này",
    IsADirectoryError: "đây là thư mục, không phải tệp",
    NotADirectoryError: "đây không phải thư mục",
    PermissionError: "không có quyền",
}
_UP: Final = (
    "Hệ thống đã chạy chưa? `truyvet status` / Is it running? `truyvet status`, `truyvet up`"
)


def report(error: BaseException, session: Session) -> int:
    """Say it on stderr; the exit code."""
    if os.environ.get(_DEBUG, "") not in ("", "0"):
        traceback.print_exception(error)
    if isinstance(error, KeyboardInterrupt):
        note(session.words("Đã dừng.", "Interrupted."))
        return INTERRUPTED
    sentence = sentence_of(error, session)
    if sentence is not None:
        note(f"truyvet: {sentence}")
        return FAILED
    note(_fault(error, session))
    return FAULT


def sentence_of(error: BaseException, session: Session) -> str | None:
    """The sentence for what a person can mend; None if the program is at fault.

    By the names of the classes, so that nothing is imported to say that nothing could be done.
    """
    names = {f"{c.__module__}.{c.__qualname__}" for c in type(error).__mro__}
    words = " ".join(str(error).split())
    if "schemas.errors.UserError" in names or "deploy.embedded.starting.StackError" in names:
        return session.sentence(str(error).strip())
    if names & {"schemas.errors.Retryable", "schemas.errors.Fatal"}:
        return f"{_short(session.sentence(words))} — {session.sentence(_UP)}"
    if "aiokafka.errors.KafkaError" in names:
        return f"Kafka: {_short(words) or type(error).__name__} — {session.sentence(_UP)}"
    if "sqlalchemy.exc.DBAPIError" in names:
        return session.words(
            f"Cơ sở dữ liệu trong {session.data_dir} chưa dùng được: hãy chạy `truyvet migrate`.",
            f"The database of {session.data_dir} cannot be used ({_cause(error)}): "
            "run `truyvet migrate`.",
        )
    if "httpx.HTTPError" in names or isinstance(error, ConnectionError):
        return f"{_short(words) or type(error).__name__} — {session.sentence(_UP)}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return session.words(
            f"Thiếu gói {error.name}: hãy chạy `pip install 'truyvet[embedded]'`.",
            f"The package {error.name} is not installed: `pip install 'truyvet[embedded]'`.",
        )
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        vi = next((said for kind, said in _FILES.items() if isinstance(error, kind)), None)
        vi = "hết chỗ trên đĩa" if error.errno == errno.ENOSPC else vi
        return where + (session.words(vi, error.strerror) if vi else error.strerror)
    return None


def _short(words: str) -> str:
    return words if len(words) <= 300 else words[:299] + "…"


def _cause(error: BaseException) -> str:
    return _short(" ".join(str(getattr(error, "orig", error)).split()))


def _fault(error: BaseException, session: Session) -> str:
    """One sentence and a file that holds the trace."""
    kind = type(error).__name__
    path = _written(error, session.data_dir / "logs")
    where = str(path) if path else f"{_DEBUG}=1"
    return "truyvet: " + session.words(
        f"Lỗi của chương trình ({kind}); chi tiết: {where}",
        f"A fault of the program ({kind}); its trace: {where}",
    )


def _written(error: BaseException, directory: Path) -> Path | None:
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    for place in (directory, Path.cwd()):
        path = place / f"truyvet-fault-{stamp}-{os.getpid()}.log"
        try:
            place.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        except OSError:
            continue
        return path
    return None


def quiet_pipe() -> None:
    """Whoever read us has gone: nothing more is to be said, not even at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
