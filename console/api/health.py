"""Routes for those who run the console: live, ready, metrics."""

import asyncio
import ssl
from collections.abc import Awaitable
from typing import Annotated, Final

import httpx
from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import text

from console.api.schemas import Live, Missing, Readiness, Sentence
from console.api.state import Console, console_of
from console.store.engine import Store
from schemas.errors import Retryable

router = APIRouter(tags=["operations"])
ConsoleOf = Annotated[Console, Depends(console_of)]

_TIMEOUT_S: Final = 2.0
_WORDS: Final = {
    "database": ("Cơ sở dữ liệu không trả lời.", "The relational database does not answer."),
    "kafka": ("Không gọi được Kafka.", "Kafka does not answer."),
    "clickhouse": ("Không gọi được ClickHouse.", "ClickHouse does not answer."),
}


@router.get("/live", summary="The process runs")
async def live() -> Live:
    """Nothing else is asked: a neighbour that is away is no reason for a restart."""
    return Live()


@router.get(
    "/ready",
    summary="The neighbours answer",
    responses={503: {"model": Readiness, "description": "Which ones do not."}},
)
async def ready(console: ConsoleOf, response: Response) -> Readiness:
    """The database, Kafka and ClickHouse, each within two seconds."""
    checks = {
        "database": asyncio.to_thread(_database, console.store),
        "kafka": console.publisher.check(),
        "clickhouse": _clickhouse(console),
    }
    answers = await asyncio.gather(*(_answers(check) for check in checks.values()))
    missing = [
        Missing.model_validate(
            {"name": name, "sentence": Sentence(vi=_WORDS[name][0], en=_WORDS[name][1])}
        )
        for name, answered in zip(checks, answers, strict=True)
        if not answered
    ]
    response.status_code = 503 if missing else 200
    return Readiness(ready=not missing, missing=missing)


@router.get("/metrics", summary="For Prometheus", response_class=Response)
async def metrics(request: Request) -> Response:
    """The closed list of `schemas.metrics`; as OpenMetrics, with exemplars, if accepted."""
    body, media_type = console_of(request).metrics.page(request.headers.get("Accept"))
    return Response(body, media_type=media_type)


async def _answers(check: Awaitable[None]) -> bool:
    try:
        await asyncio.wait_for(check, _TIMEOUT_S)
    except Exception:  # noqa: BLE001 (whatever it is, the neighbour does not answer)
        return False
    return True


def _database(store: Store) -> None:
    with store.read() as connection:
        connection.execute(text("SELECT 1"))


async def _clickhouse(console: Console) -> None:
    url, issuer = console.settings.clickhouse_url, console.settings.clickhouse_ca_file
    verify = ssl.create_default_context(cafile=issuer or None)
    async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False, verify=verify) as client:
        answer = await client.get(url.rstrip("/") + "/ping")
    if answer.status_code != 200:
        raise Retryable("ClickHouse answered otherwise")
