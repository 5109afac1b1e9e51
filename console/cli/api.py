"""The console's HTTP API, as the command line asks it."""

from collections.abc import Callable
from typing import IO, Any, Final

import httpx

from schemas.errors import UserError
from schemas.settings import Settings

_TIMEOUT_S: Final = 30.0


class Api:
    """Answers as JSON; whatever is not a success is a UserError with the API's own sentence."""

    def __init__(self, settings: Settings) -> None:
        secret = settings.admin_key.get_secret_value()
        if not secret:
            raise UserError(
                "Chưa có TRUYVET_ADMIN_KEY; `truyvet up` tạo ra nó. / TRUYVET_ADMIN_KEY is not "
                f"set and {settings.data_dir}/truyvet.env has none: `truyvet up` makes it, or "
                "name the data directory with --data-dir."
            )
        self._url = settings.console
        self._client = httpx.Client(
            base_url=self._url,
            headers={"Authorization": f"Bearer {secret}"},
            timeout=_TIMEOUT_S,
            trust_env=False,
        )

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **parameters: Any) -> Any:
        """The body of a success."""
        return self._ask("GET", path, params=parameters)

    def post(self, path: str, body: dict[str, Any], request_key: str) -> Any:
        """The body of a success; the same `request_key` again does nothing twice."""
        return self._ask("POST", path, json=body, headers={"Idempotency-Key": request_key})

    def send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """The body of a success; for what changes nothing when it is asked twice."""
        return self._ask(method, path, json=body)

    def download(
        self,
        path: str,
        file: IO[bytes],
        on_piece: Callable[[bytes], object] = lambda _: None,
        **parameters: Any,
    ) -> httpx.Headers:
        """Write the body of a success to `file`, piece by piece; the answer's headers.

        Raises UserError, also when the body ends before its end: then `file` is not to be used.
        """
        try:
            with self._client.stream("GET", path, params=parameters, timeout=None) as answer:
                if answer.is_success:
                    for piece in answer.iter_bytes():
                        file.write(piece)
                        on_piece(piece)
                    return answer.headers
                answer.read()
        except httpx.RemoteProtocolError:
            raise UserError(
                "Tệp bị ngắt giữa chừng, không giữ lại gì: hãy lấy lại. / The file was cut off on "
                "the way and nothing of it is kept: ask again."
            ) from None
        except httpx.HTTPError as error:
            raise self._away(error) from None
        raise UserError(_sentence(answer))

    def _away(self, error: httpx.HTTPError) -> UserError:
        why = str(error) or type(error).__name__
        return UserError(
            f"Không gọi được console tại {self._url}; hãy chạy `truyvet up`. / The console at "
            f"{self._url} does not answer ({why}): is it running? `truyvet status`."
        )

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise self._away(error) from None
        if answer.is_success:
            return answer.json()
        raise UserError(_sentence(answer))


def _sentence(answer: httpx.Response) -> str:
    try:
        sentence = answer.json()["sentence"]
        return f"{sentence['vi']} / {sentence['en']} ({answer.status_code})"
    except (ValueError, KeyError, TypeError):
        said = f"{answer.status_code} {answer.reason_phrase}"
        return f"Console trả lời {said}. / The console answered {said}."
