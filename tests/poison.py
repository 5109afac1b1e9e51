"""Records that should hurt, by name: `docs/poison.md` says what becomes of each.

Each is a valid scan changed in one way; `number` makes its event id, so that none is another's
duplicate. A value of None is a tombstone.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from schemas.scan import MAX_SCAN_BYTES

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "poison.md"
_ROW: Final = re.compile(r"^\| `([a-z0-9_]+)` \|.*\| `([a-z_]+)` \|[^|]*\|$", re.MULTILINE)

# makes a valid scan with some fields changed; `...` leaves a field out
Scan = Callable[..., bytes]


def documented() -> dict[str, str]:
    """Case → outcome, as the tables of the document say: a table's name or a reason."""
    rows = _ROW.findall(DOCUMENT.read_text("utf-8"))
    assert len(rows) == len(dict(rows)), "a case has one row"
    return dict(rows)


def cases(scan: Scan) -> dict[str, bytes | None]:
    """Every single record of the document's first table."""
    made: dict[str, bytes | None] = {}
    for number, (name, make) in enumerate(_CASES.items(), start=1):
        made[name] = make(_Maker(scan, f"0193f6d0-7c1f-7000-9000-{number:012x}"))
    return made


class _Maker:
    """A valid scan with its own event id, and ways to spoil it."""

    def __init__(self, scan: Scan, event_id: str) -> None:
        self._scan, self.event_id = scan, event_id

    def __call__(self, **changes: Any) -> bytes:
        return self._scan(**({"event_id": self.event_id} | changes))

    def raw(self, field: str, text: bytes) -> bytes:
        """With this JSON text, as it is, for the field's value (the field comes last)."""
        return self(**{field: ...})[:-1] + b',"' + field.encode() + b'":' + text + b"}"

    def padded(self, size: int) -> bytes:
        """With an unknown field that makes the record exactly so many bytes."""
        return self(pad="x" * (size - len(self(pad=""))))


def _nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


_CASES: Final[dict[str, Callable[[_Maker], bytes | None]]] = {
    # nothing, or not an object
    "tombstone": lambda s: None,
    "empty_value": lambda s: b"",
    "only_spaces": lambda s: b" \t\r\n",
    "json_null": lambda s: b"null",
    "json_array": lambda s: b"[" + s() + b"]",
    "json_string": lambda s: json.dumps(s().decode()).encode(),
    "random_bytes": lambda s: bytes(range(256)),
    # encodings
    "invalid_utf8": lambda s: s.raw("device", b'"\xff\xfe"'),
    "invalid_utf8_unknown_field": lambda s: s.raw("note", b'"\xc3\x28"'),
    "byte_order_mark": lambda s: b"\xef\xbb\xbf" + s(),
    "utf16": lambda s: s().decode().encode("utf-16"),
    "nul_byte_after": lambda s: s() + b"\x00",
    # lines and objects
    "truncated": lambda s: s()[:-20],
    "two_objects": lambda s: s() + s(),
    "two_lines": lambda s: s() + b"\n" + s(),
    "newline_in_text": lambda s: s.raw("device", b'"d\n1"'),
    "newlines_between_fields": lambda s: json.dumps(json.loads(s()), indent=2).encode() + b"\n",
    "trailing_comma": lambda s: s()[:-1] + b",}",
    "single_quotes": lambda s: s().replace(b'"', b"'"),
    # nulls and missing fields
    "null_device": lambda s: s(device=None),
    "null_person": lambda s: s(person=None),
    "null_optional": lambda s: s(trip=None, seat=None, companions=None, recorded_at=None),
    "missing_person": lambda s: s(person=...),
    "empty_object": lambda s: b"{}",
    "wrong_case_names": lambda s: s().replace(b'"person"', b'"Person"'),
    # the same key twice
    "duplicate_key_same": lambda s: s.raw("device", b'"d-2"')[:-1] + b',"device":"d-2"}',
    "duplicate_key_last_wins": lambda s: s.raw("device", b'"a b"')[:-1] + b',"device":"d-2"}',
    "duplicate_key_bad_last": lambda s: s.raw("device", b'"d-2"')[:-1] + b',"device":"a b"}',
    # types
    "number_as_text": lambda s: s(companions="2"),
    "text_as_number": lambda s: s(device=7),
    "person_as_number": lambda s: s(person=123456789),
    "boolean_for_number": lambda s: s(companions=True),
    "boolean_for_text": lambda s: s(device=False),
    "object_for_text": lambda s: s(device={"id": "d-1"}),
    "list_for_text": lambda s: s(device=["d-1"]),
    # numbers
    "nan": lambda s: s.raw("companions", b"NaN"),
    "infinity": lambda s: s.raw("companions", b"-Infinity"),
    "nan_unknown_field": lambda s: s.raw("temperature", b"NaN"),
    "float_whole": lambda s: s.raw("companions", b"2.0"),
    "float_exponent": lambda s: s.raw("companions", b"1e1"),
    "huge_integer": lambda s: s.raw("companions", b"9" * 400),
    "huge_integer_unknown_field": lambda s: s.raw("count", b"9" * 400),
    "huge_exponent_unknown_field": lambda s: s.raw("count", b"1e999"),
    "negative_number": lambda s: s(companions=-1),
    "leading_zero": lambda s: s.raw("companions", b"02"),
    # nesting
    "deep_unknown_field": lambda s: s.raw("deep", _nested(20)),
    "deeper_than_the_parser": lambda s: s.raw("deep", _nested(1000)),
    "deep_and_open": lambda s: b"[" * 3000,
    # escapes
    "escaped_ascii": lambda s: s.raw("device", b'"d\\u002d1"'),
    "lone_surrogate": lambda s: s.raw("device", b'"\\ud800"'),
    "lone_surrogate_unknown_field": lambda s: s.raw("note", b'"\\udc00"'),
    "surrogate_pair": lambda s: s.raw("device", b'"\\ud83d\\ude37"'),
    "escaped_nul": lambda s: s.raw("device", b'"d\\u0000"'),
    "vietnamese_text": lambda s: s.raw("device", '"điện thoại"'.encode()),
    # sizes, unknown fields
    "unknown_field": lambda s: s(mask="yes"),
    "at_four_kib": lambda s: s.padded(MAX_SCAN_BYTES),
    "over_four_kib": lambda s: s.padded(MAX_SCAN_BYTES + 1),
    # times
    "time_without_milliseconds": lambda s: s(scanned_at="2021-12-01T08:00:00Z"),
    "time_with_offset": lambda s: s(scanned_at="2021-12-01T15:00:00.000+07:00"),
    "leap_second": lambda s: s(scanned_at="2021-12-01T07:59:60.000Z"),
    "no_such_day": lambda s: s(scanned_at="2021-11-31T08:00:00.000Z"),
    "time_as_number": lambda s: s(scanned_at=1638345600000),
    # ids
    "person_lower_case": lambda s: s(person="0123456789abc"),
    "person_too_big": lambda s: s(person="G000000000000"),
    "event_id_without_hyphens": lambda s: s(event_id=s.event_id.replace("-", "")),
    "event_id_nil": lambda s: s(event_id="00000000-0000-0000-0000-000000000000"),
}
