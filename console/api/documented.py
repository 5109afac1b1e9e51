"""The answers other than success, as OpenAPI shows them."""

from typing import Any, Final

from console.api.schemas import CASE_EXAMPLE, Problem

_MEANING: Final = {
    400: "The request was cut off.",
    401: "The API key is missing, wrong or revoked.",
    403: "The key's role or area does not admit this.",
    404: "There is none, or it is outside the key's area.",
    408: "The body came too slowly.",
    409: "The record's state, or another use of the Idempotency-Key, does not admit this.",
    413: "Too large; nothing was taken.",
    415: "Another content type, or compressed.",
    422: "Not valid; each field is named, in both languages.",
    429: "The key's rate is used up: send the same again after `Retry-After`.",
    503: "Too much to do, or a neighbour is away: send the same again after `Retry-After`.",
}


def answers(*codes: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route, for these status codes."""
    return {code: {"model": Problem, "description": _MEANING[code]} for code in codes}


ALWAYS: Final = answers(401, 403, 422, 503)


def a_case(status: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route whose success is a case, with its example."""
    content = {"application/json": {"example": CASE_EXAMPLE}}
    return {status: {"description": "The case as it stands.", "content": content}}
