"""An HTTP request, parsed at the edge into a `Call`: parameters, settings, credentials, forms."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from email.message import Message
from email.parser import HeaderParser
from urllib.parse import parse_qsl, urlsplit

from deploy.embedded.engine.errors import EngineError, bad_argument, not_implemented

# Parameters of the interface itself; any other key is a setting (ClickHouse's HTTPHandler).
_RESERVED_NAMES = """query query_id database default_format user password quota_key role
stacktrace compress decompress buffer_size wait_end_of_query client_protocol_version session_id
session_timeout session_check close_session"""
_RESERVED = frozenset(_RESERVED_NAMES.split())
_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\Z")
_NAME = re.compile(r"[A-Za-z_]\w*\Z")
_EXTERNAL = re.compile(r"(\w+)_(format|structure|types)\Z")


@dataclass
class External:
    """A table that comes with the query (clickhouse-connect's ExternalData)."""

    structure: str
    format: str
    data: bytes


@dataclass
class Call:
    method: str
    path: str
    query: str = ""
    query_id: str = ""
    database: str = ""
    session_id: str = ""
    user: str = "default"
    password: str = ""
    default_format: str = "TabSeparated"
    wait_end_of_query: bool = False
    parameters: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    external: dict[str, External] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def seconds(self, setting: str) -> float:
        """A setting of seconds; 0 is none."""
        try:
            return max(0.0, float(self.settings.get(setting, "0") or "0"))
        except ValueError as error:
            raise bad_argument(f"{setting} is not a number of seconds") from error

    @property
    def accept_encoding(self) -> str:
        wanted = self.settings.get("enable_http_compression", "0").lower() in ("1", "true")
        return self.headers.get("accept-encoding", "") if wanted else ""


def parse(method: str, target: str, headers: Message) -> Call:
    parts = urlsplit(target)
    call = Call(method=method, path=parts.path)
    call.headers = {name.lower(): value for name, value in headers.items()}
    pairs = parse_qsl(parts.query, keep_blank_values=True, errors="surrogateescape")
    _take(call, pairs)
    _credentials(call)
    for header, attribute in (("database", "database"), ("format", "default_format")):
        value = call.headers.get(f"x-clickhouse-{header}")
        if value:
            setattr(call, attribute, value)
    return call


def _take(call: Call, pairs: list[tuple[str, str]]) -> None:
    multipart = call.headers.get("content-type", "").startswith("multipart/form-data")
    for key, value in pairs:
        if key.startswith("param_"):
            if not _NAME.match(key):
                raise bad_argument(f"Bad name of a query parameter: {key!r}")
            call.parameters[key.removeprefix("param_")] = value
        elif key in ("compress", "decompress"):
            if value not in ("", "0", "false"):
                raise not_implemented(f"{key}=1, ClickHouse's block compression: use HTTP's")
        elif key == "wait_end_of_query":
            call.wait_end_of_query = value in ("1", "true")
        elif key in _RESERVED:
            if hasattr(call, key) and value:
                setattr(call, key, value)
        elif multipart and _EXTERNAL.match(key):
            call.headers[f"external {key}"] = value
        elif _SETTING.match(key):
            call.settings[key] = value
        else:
            raise EngineError(115, "UNKNOWN_SETTING", f"Setting {key!r} is not a name")


def _credentials(call: Call) -> None:
    headers = call.headers
    if "x-clickhouse-user" in headers:
        call.user = headers["x-clickhouse-user"]
        call.password = headers.get("x-clickhouse-key", "")
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(secret, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise EngineError(516, "AUTHENTICATION_FAILED", "Bad Authorization header") from error
        call.user, call.password = user, password


def take_form(call: Call, body: bytes) -> None:
    """Fields of a multipart form: `query`, `param_*`, and files, which are external tables."""
    head = HeaderParser().parsestr(f"Content-Type: {call.headers['content-type']}\n\n")
    boundary = head.get_boundary()
    if not boundary:
        raise bad_argument("multipart/form-data without a boundary")
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1"))
    if len(parts) < 3 or not parts[-1].startswith(b"--"):
        raise bad_argument("The multipart body is not complete")
    for part in parts[1:-1]:
        raw, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        field_head = HeaderParser().parsestr(raw.decode("utf-8", "replace"))
        name = field_head.get_param("name", header="content-disposition")
        if not isinstance(name, str):
            raise bad_argument("A form field without a name")
        if field_head.get_filename() is None:
            _take(call, [(name, data.decode("utf-8", "surrogateescape"))])
        else:
            call.external[name] = _external(call, name, data)


def _external(call: Call, name: str, data: bytes) -> External:
    if not _NAME.match(name):
        raise bad_argument(f"Bad name of an external table: {name!r}")
    structure = call.headers.get(f"external {name}_structure", "")
    types = call.headers.get(f"external {name}_types", "")
    if not structure and types:
        structure = ", ".join(f"_{n} {kind}" for n, kind in enumerate(types.split(","), 1))
    if not structure:
        raise bad_argument(f"External table {name} has neither structure nor types")
    return External(structure, call.headers.get(f"external {name}_format", "TabSeparated"), data)
