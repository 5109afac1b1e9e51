"""The separate producer process: started, watched, ended. It is a program like anyone else's."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, Final

from schemas.errors import UserError

_STOP_S: Final = 20.0


def publish(arguments: Sequence[str], on_progress: Callable[[float], None]) -> dict[str, Any]:
    """Run `python -m sim.publish …`; its summary. Raises UserError with its own sentence."""
    import orjson

    last: dict[str, Any] = {}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(  # noqa: S603 (our own module)
            [sys.executable, "-m", "sim.publish", *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                last = orjson.loads(line)
                on_progress(last["published"])
            code = process.wait()
        finally:
            _end(process)
        if code != 0 or "expected" not in last:
            errors.seek(0)
            said = errors.read().strip().splitlines()
            why = said[-1] if said else f"exit code {code}"
            raise UserError(f"Nguồn gửi đã dừng ({why}). / The producer stopped ({why}).")
    return last


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
