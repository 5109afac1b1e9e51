"""What the API answers when it does not do what was asked: a sentence in both languages."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from console.api.schemas import FieldProblem, Problem, Sentence
from console.store.errors import Conflict, NotFound
from console.wordings import problem_said
from schemas.errors import Fatal, Retryable, UserError

_STATUS: Final[dict[int, tuple[str, str, str]]] = {
    404: ("not_found", "Không có địa chỉ này.", "There is no such address."),
    405: ("method_not_allowed", "Địa chỉ này không nhận cách gọi đó.", "Method not allowed here."),
}
_PERSON: Final = (
    "Mã người gồm 13 ký tự Crockford base32 viết hoa (không có I, L, O, U), ký tự đầu 0–F.",
    "A person is 13 Crockford base32 characters, upper case (no I, L, O, U), the first 0-F.",
)


class ApiError(Exception):
    """An answer other than success."""

    def __init__(
        self,
        status: int,
        code: str,
        vi: str,
        en: str,
        *,
        errors: tuple[FieldProblem, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(en)
        self.status = status
        self.problem = Problem(code=code, sentence=Sentence(vi=vi, en=en), errors=errors)
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """As it goes out."""
        return JSONResponse(self.problem.model_dump(mode="json"), self.status, self.headers)


def field_problem(field: str, code: str, vi: str, en: str) -> FieldProblem:
    """What is wrong with one field."""
    return FieldProblem(field=field, code=code, sentence=Sentence(vi=vi, en=en))


def invalid(*errors: FieldProblem) -> ApiError:
    """422, naming the fields."""
    return ApiError(
        422,
        "invalid",
        "Yêu cầu không hợp lệ: " + " ".join(f"{e.field}: {e.sentence.vi}" for e in errors),
        "The request is not valid. " + " ".join(f"{e.field}: {e.sentence.en}" for e in errors),
        errors=errors,
    )


def not_found(vi: str, en: str) -> ApiError:
    """404; also for what is outside the asker's area, which must not show that it is there."""
    return ApiError(404, "not_found", vi, en)


def unavailable(vi: str, en: str, retry_after_s: int = 2) -> ApiError:
    """503: try the same again."""
    return ApiError(503, "unavailable", vi, en, headers={"Retry-After": str(retry_after_s)})


def install(app: FastAPI) -> None:
    """Answer these exceptions, wherever they are raised."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(UserError, _user)
    app.add_exception_handler(Retryable, _away)
    app.add_exception_handler(Fatal, _away)


async def _api_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    return error.response()


async def _validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return invalid(*(_of_pydantic(problem) for problem in error.errors())).response()


def _of_pydantic(problem: dict[str, Any]) -> FieldProblem:
    """Never with the value: it could be somebody's."""
    where = [str(part) for part in problem["loc"] if part not in ("body", "query", "path")]
    field, code = ".".join(where) or "body", str(problem["type"])
    if code == "missing" and not where:
        return field_problem(field, code, "Thiếu nội dung yêu cầu.", "The body is missing.")
    if code == "json_invalid":  # where says how far it was read
        field = "body"
    if field == "person" and code not in ("missing", "extra_forbidden"):
        return field_problem(field, "malformed_id", *_PERSON)
    return field_problem(field, code, *problem_said(problem))


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    default = ("refused", "Yêu cầu bị từ chối.", str(error.detail))
    code, vi, en = _STATUS.get(error.status_code, default)
    return ApiError(error.status_code, code, vi, en, headers=error.headers).response()


async def _user(_: Request, error: Exception) -> JSONResponse:
    """A refusal of the store: its sentence is `vi / en`."""
    vi, _slash, en = str(error).partition(" / ")
    status = 404 if isinstance(error, NotFound) else 409 if isinstance(error, Conflict) else 422
    code = {404: "not_found", 409: "conflict"}.get(status, "invalid")
    return ApiError(status, code, vi, en or vi).response()


async def _away(_: Request, __: Exception) -> JSONResponse:
    """Without the neighbour's words: they can hold what was asked for."""
    return unavailable(
        "Hệ thống phía sau chưa trả lời; hãy gửi lại sau.",
        "A system behind this one does not answer; send the same again later.",
    ).response()
