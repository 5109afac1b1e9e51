"""The others beside the trace: the same scans and cases, and answers that must be the same."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.environments import FOLDER, environment, variables
from bench.peers.answers import digest
from bench.postgres import running_postgres
from bench.processes import speak
from bench.trace_cases import percentiles
from schemas.errors import Retryable, UserError

Say = Callable[[str], None]
DUCKDB: Final = "duckdb"
POSTGRES: Final = "postgresql"
PEERS: Final = (DUCKDB, POSTGRES)
NAIVE: Final = "naive_clickhouse"
WARM_UP: Final = 5
_TIMEOUT_S: Final = 3_600


@dataclass(frozen=True)
class Asked:
    """A case as the others are asked it, what truyvet answered, and how long that took."""

    person: int
    begin: int  # of its window, milliseconds since 1970 UTC
    end: int
    digest: str
    seconds: float


@dataclass
class Beside:
    """One other: its p50 and p99 over `cases`, truyvet's p50 over the same ones; or why not."""

    name: str
    cases: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    truyvet_p50_ms: float | None = None
    truyvet_is_times: float | None = None
    same_answers: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    failure: str = ""


def compared(
    name: str,
    asked: Sequence[Asked],
    seconds: Sequence[float],
    digests: Sequence[str],
    facts: Mapping[str, Any],
) -> Beside:
    """The figures of one other. Raises UserError when any answer is not truyvet's."""
    answered = asked[: len(digests)]
    other = [a.person for a, theirs in zip(answered, digests, strict=True) if a.digest != theirs]
    if other or not digests:
        raise UserError(
            f"{name}: {len(other)} trong {len(digests)} câu trả lời khác của truyvet (đầu tiên là "
            f"của {other[0] if other else None}). / "
            f"{name}: {len(other)} of {len(digests)} answers are not truyvet's (the first is of "
            f"person {other[0] if other else None})."
        )
    p50, p99, _ = percentiles(seconds)
    ours, _, _ = percentiles([a.seconds for a in answered])
    return Beside(
        name,
        cases=len(digests),
        p50_ms=p50,
        p99_ms=p99,
        truyvet_p50_ms=ours,
        truyvet_is_times=round(p50 / ours, 2),
        same_answers=len(digests),
        facts=facts,
    )


def naive(asked: Sequence[Asked], ask: Callable[[Asked], tuple[float, Any]]) -> Beside:
    """The self-join in the same engine; `ask` gives seconds and rows.

    A reason if the engine refuses it. Raises UserError when an answer is not truyvet's.
    """
    try:
        answers = [ask(case) for case in asked]
    except Retryable as error:
        return Beside(NAIVE, failure=str(error))
    seconds = [took for took, _ in answers]
    return compared(NAIVE, asked, seconds, [digest(rows) for _, rows in answers], {})


def beside(
    name: str, files: Path, asked: Sequence[Asked], limit_s: float, folder: Path, say: Say
) -> Beside:
    """One of `PEERS`: loaded, indexed and asked in a process of its own; a reason if it cannot.

    Raises UserError when an answer is not truyvet's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        spoken = _spoken(name, files, asked, limit_s, folder, say)
    except UserError as error:
        return Beside(name, failure=str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    facts = {key: spoken[key] for key in ("version", "loaded_s", "bytes")}
    return compared(name, asked[WARM_UP:], spoken["seconds"], spoken["digests"], facts)


def _spoken(
    name: str, files: Path, asked: Sequence[Asked], limit_s: float, folder: Path, say: Say
) -> Mapping[str, Any]:
    questions = folder / "questions.json"
    cases = [{"person": a.person, "from": a.begin, "to": a.end} for a in asked]
    questions.write_text(json.dumps({"cases": cases, "warm_up": WARM_UP, "limit_s": limit_s}))
    with ExitStack() as stack:
        package = "psycopg" if name == POSTGRES else name
        python = environment(package, say)
        where = (
            stack.enter_context(running_postgres(say))
            if name == POSTGRES
            else folder / "peer.duckdb"
        )
        command = [str(python), str(FOLDER / f"run_{package}.py"), str(where), str(files)]
        return speak([*command, str(questions)], name, _TIMEOUT_S, variables(1))
