"""ClickHouse's exception text, as a value with a code and an HTTP status."""

import re
from http import HTTPStatus

_TEXT = re.compile(r"Code: (\d+)\. DB::Exception: ")
_HEADS = re.compile(r"\A(?:Code: \d+\. DB::Exception: )+")
_NAMES = re.compile(r"(?:\s*\((?P<last>[A-Z][A-Z0-9_]+)\)(?: \(version [^)]*\))?\.?)+\s*\Z")

# ClickHouse's own table (src/Server/HTTP/exceptionCodeToHTTPStatus.cpp), by name; the rest is 500.
_BAD_REQUEST = """BAD_ARGUMENTS CANNOT_COMPILE_REGEXP CANNOT_PARSE_TEXT CANNOT_PARSE_ESCAPE_SEQUENCE
CANNOT_PARSE_QUOTED_STRING CANNOT_PARSE_DATE CANNOT_PARSE_DATETIME CANNOT_PARSE_NUMBER
CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING CANNOT_PARSE_IPV4 CANNOT_PARSE_IPV6 CANNOT_PARSE_UUID
CANNOT_PARSE_INPUT_ASSERTION_FAILED DUPLICATE_COLUMN ILLEGAL_COLUMN UNKNOWN_ELEMENT_IN_AST
UNKNOWN_TYPE_OF_AST_NODE THERE_IS_NO_COLUMN TOO_DEEP_AST TOO_BIG_AST UNEXPECTED_AST_STRUCTURE
SYNTAX_ERROR INCORRECT_DATA TYPE_MISMATCH VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE"""
_NOT_FOUND = """UNKNOWN_TABLE UNKNOWN_FUNCTION UNKNOWN_IDENTIFIER UNKNOWN_TYPE UNKNOWN_STORAGE
UNKNOWN_DATABASE UNKNOWN_SETTING UNKNOWN_DIRECTION_OF_SORTING UNKNOWN_AGGREGATE_FUNCTION
UNKNOWN_FORMAT UNKNOWN_DATABASE_ENGINE UNKNOWN_TYPE_OF_QUERY UNKNOWN_ROLE"""
_STATUS: dict[str, int] = {
    **dict.fromkeys(_BAD_REQUEST.split(), HTTPStatus.BAD_REQUEST),
    **dict.fromkeys(_NOT_FOUND.split(), HTTPStatus.NOT_FOUND),
    "REQUIRED_PASSWORD": HTTPStatus.UNAUTHORIZED,
    "UNKNOWN_USER": HTTPStatus.FORBIDDEN,
    "WRONG_PASSWORD": HTTPStatus.FORBIDDEN,
    "AUTHENTICATION_FAILED": HTTPStatus.FORBIDDEN,
    "ACCESS_DENIED": HTTPStatus.FORBIDDEN,
    "QUERY_IS_TOO_LARGE": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "NOT_IMPLEMENTED": HTTPStatus.NOT_IMPLEMENTED,
    "SOCKET_TIMEOUT": HTTPStatus.SERVICE_UNAVAILABLE,
    "CANNOT_OPEN_FILE": HTTPStatus.SERVICE_UNAVAILABLE,
    "CANNOT_SCHEDULE_TASK": HTTPStatus.SERVICE_UNAVAILABLE,
    "HTTP_LENGTH_REQUIRED": HTTPStatus.LENGTH_REQUIRED,
    "TIMEOUT_EXCEEDED": HTTPStatus.REQUEST_TIMEOUT,
    # Not ClickHouse's (it says 500): a full queue executed nothing, so a client may simply retry.
    "TOO_MANY_SIMULTANEOUS_QUERIES": HTTPStatus.SERVICE_UNAVAILABLE,
}


class EngineError(Exception):
    """What the client sees as a ClickHouse exception."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.name = name
        self.text = f"Code: {code}. DB::Exception: {message} ({name})"

    @classmethod
    def parse(cls, text: str) -> "EngineError":
        """From the text that chdb raises. A text without a code is an error of the binding."""
        head = _TEXT.match(text)
        if head is None:
            return cls(49, "LOGICAL_ERROR", text)
        # An error inside INFILE comes wrapped: "Code: 33. DB::Exception: Code: 33. … (X) (version
        # 26.9.2.1). (X)". The outer code counts, the inner sentence says what happened.
        sentence = _HEADS.sub("", text)
        names = _NAMES.search(sentence)
        if names:
            return cls(int(head.group(1)), names.group("last"), sentence[: names.start()])
        return cls(int(head.group(1)), "UNKNOWN_EXCEPTION", sentence)

    @property
    def status(self) -> int:
        return _STATUS.get(self.name, HTTPStatus.INTERNAL_SERVER_ERROR)


class ClientGone(Exception):
    """The client closed its connection or sent less than it announced: nobody to answer."""


def bad_argument(message: str) -> EngineError:
    return EngineError(36, "BAD_ARGUMENTS", message)


def not_implemented(message: str) -> EngineError:
    return EngineError(48, "NOT_IMPLEMENTED", f"{message} (embedded engine)")


def cancelled() -> EngineError:
    return EngineError(394, "QUERY_WAS_CANCELLED", "Query was cancelled.")


def too_late(where: str) -> EngineError:
    return EngineError(
        159, "TIMEOUT_EXCEEDED", f"Timeout exceeded {where}: the query was not executed."
    )


def overloaded(message: str) -> EngineError:
    return EngineError(202, "TOO_MANY_SIMULTANEOUS_QUERIES", message)


def disk_full() -> EngineError:
    return EngineError(243, "NOT_ENOUGH_SPACE", "No space left on the engine's disk.")
