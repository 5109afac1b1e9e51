"""When a certificate ends: the one date in it that we need, read by hand.

A whole library of cryptography for one date is a lot; RFC 5280 (section 4.1) says where it is.
"""

import ssl
from datetime import UTC, datetime
from typing import Final

_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"
_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18


def not_after(pem: str) -> datetime:
    """The earliest end of the certificates in a PEM file. Raises ValueError if there is none, or
    if one is not a certificate."""
    blocks = [_BEGIN + rest.partition(_END)[0] + _END for rest in pem.split(_BEGIN)[1:]]
    if not blocks:
        raise ValueError("no certificate")
    return min(_not_after(ssl.PEM_cert_to_DER_cert(block)) for block in blocks)


def _not_after(der: bytes) -> datetime:
    """Certificate { tbs { [version], serial, algorithm, issuer, validity { from, to } … } … }."""
    certificate, _ = _value(der, _SEQUENCE)
    inside, _ = _value(certificate, _SEQUENCE)
    if inside[:1] == bytes([_VERSION]):
        _, inside = _value(inside)
    for _ in ("serial", "algorithm", "issuer"):
        _, inside = _value(inside)
    validity, _ = _value(inside, _SEQUENCE)
    _, ends = _value(validity)
    text, _ = _value(ends)
    if ends[0] not in (_UTC_TIME, _GENERALIZED_TIME):
        raise ValueError("no date where a certificate has one")
    return _moment(text.decode("ascii"), short=ends[0] == _UTC_TIME)


def _moment(text: str, *, short: bool) -> datetime:
    if short:  # two digits of the year; 50 and more are of the last century
        text = ("20" if text[:2] < "50" else "19") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _value(der: bytes, tag: int | None = None) -> tuple[bytes, bytes]:
    """The content of the first element, and what follows it."""
    if len(der) < 2 or (tag is not None and der[0] != tag):
        raise ValueError("not a certificate")
    length, begin = der[1], 2
    if length & 0x80:
        begin += length & 0x7F
        length = int.from_bytes(der[2:begin])
    if len(der) < begin + length:
        raise ValueError("not a whole certificate")
    return der[begin : begin + length], der[begin + length :]
