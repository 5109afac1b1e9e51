"""A photo without what the camera wrote into it: position, device, owner, time, thumbnails.

Taken apart by the file's own pieces and put together from those that a picture needs, so its
pixels are those that were sent and nothing is decoded. What stays of EXIF is the one number that
says which side is up, without which a photo taken upright lies on its side. What stands after the
picture's end, as phones append films, is left out. Pure.
"""

import struct
from collections.abc import Iterator
from typing import Final
from zlib import crc32

from console.inspections.photos import media_type

_UPRIGHT: Final = 1
_EXIF: Final = b"Exif\x00\x00"
# JPEG: markers without a length of their own, and those that a decoder needs
_BARE: Final = frozenset((0x01, *range(0xD0, 0xD8)))
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_APPS: Final = range(0xE0, 0xF0)
_COMMENT: Final = 0xFE
_PNG_KEPT: Final = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT")
)
_WEBP_KEPT: Final = frozenset((b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ICCP", b"ANIM", b"ANMF"))
_WEBP_EXIF, _WEBP_XMP = 0x08, 0x04


class Damaged(ValueError):
    """The file ends, or says something impossible, before its picture does."""


def bare(data: bytes) -> bytes:
    """The same picture with nothing else in its file. Raises Damaged."""
    try:
        match media_type(data):
            case "image/jpeg":
                return _jpeg(data)
            case "image/png":
                return _png(data)
            case "image/webp":
                return _webp(data)
    except (struct.error, IndexError):
        raise Damaged from None
    raise Damaged


def _jpeg(data: bytes) -> bytes:
    kept, way_up = [], _UPRIGHT
    for marker, piece in _segments(data):
        body = piece[4:]
        if marker == _APP1 and body.startswith(_EXIF):
            way_up = _orientation(body[len(_EXIF) :])
        elif marker == _APP0 and body.startswith(b"JFIF\x00"):
            kept.append(_segment(_APP0, body[:12] + b"\x00\x00"))  # without its thumbnail
        elif (
            (marker == _APP2 and body.startswith(b"ICC_PROFILE\x00"))
            or (marker == _APP14 and body.startswith(b"Adobe"))
            or (marker not in _APPS and marker != _COMMENT)
        ):
            kept.append(piece)
    first = [_segment(_APP1, _EXIF + _only(way_up))] if way_up != _UPRIGHT else []
    return b"".join([b"\xff\xd8", *first, *kept, b"\xff\xd9"])


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and bytes of each piece between the file's beginning and the picture's end; what is
    drawn after a start of scan belongs to it."""
    at = 2
    while True:
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1  # filling
        if data[at] != 0xFF:
            raise Damaged
        marker = data[at + 1]
        if marker == _EOI:
            return
        if marker in _BARE:
            end = at + 2
        else:
            (length,) = struct.unpack_from(">H", data, at + 2)
            end = at + 2 + length
            if length < 2 or end > len(data):
                raise Damaged
        if marker == _SOS:
            end = _drawn(data, end)
        yield marker, data[at:end]
        at = end


def _drawn(data: bytes, at: int) -> int:
    """Where the drawing that begins here ends: at the next marker that is not part of it."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise Damaged
        if data[at + 1] != 0 and data[at + 1] not in _BARE:
            return at
        at += 2


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _png(data: bytes) -> bytes:
    kept, at, name, way_up = [data[:8]], 8, b"", _UPRIGHT
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise Damaged
        if name == b"eXIf":
            way_up = _orientation(data[at + 8 : end - 4])
        elif name in _PNG_KEPT:
            kept.append(data[at:end])
        at = end
    if way_up != _UPRIGHT:
        chunk = b"eXIf" + _only(way_up)
        turned = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", crc32(chunk))
        kept.insert(2, turned)  # after the header, before the drawing
    return b"".join(kept)


def _webp(data: bytes) -> bytes:
    (size,) = struct.unpack_from("<I", data, 4)
    end, at, way_up = 8 + size, 12, _UPRIGHT
    if end > len(data):
        raise Damaged
    kept: list[tuple[bytes, bytes]] = []
    while at < end:
        name, length = struct.unpack_from("<4sI", data, at)
        body = data[at + 8 : at + 8 + length]
        if len(body) != length:
            raise Damaged
        if name == b"EXIF":
            way_up = _orientation(body.removeprefix(_EXIF))
        elif name in _WEBP_KEPT:
            kept.append((name, body))
        at += 8 + length + length % 2
    turned = way_up != _UPRIGHT and any(name == b"VP8X" for name, _ in kept)
    pieces = [_chunk(name, _told(body, turned) if name == b"VP8X" else body) for name, body in kept]
    if turned:
        pieces.append(_chunk(b"EXIF", _only(way_up)))
    whole = b"WEBP" + b"".join(pieces)
    return struct.pack("<4sI", b"RIFF", len(whole)) + whole


def _told(header: bytes, turned: bool) -> bytes:
    """The header of an extended file, which says whether EXIF and XMP follow."""
    flags = header[0] & ~(_WEBP_EXIF | _WEBP_XMP) | (_WEBP_EXIF if turned else 0)
    return bytes([flags]) + header[1:]


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", name, len(body)) + body + b"\x00" * (len(body) % 2)


def _orientation(exif: bytes) -> int:
    """Which side is up, 1 to 8, by the tag of the first directory; 1 where it cannot be read."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    try:
        if order is None:
            return _UPRIGHT
        (first,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, first)
        for n in range(count):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, first + 2 + 12 * n)
            if tag == 0x0112 and kind == 3:
                return value if 1 <= value <= 8 else _UPRIGHT
    except struct.error:
        pass
    return _UPRIGHT


def _only(way_up: int) -> bytes:
    """EXIF that says which side is up, and nothing else."""
    head = struct.pack(">2sHIH", b"MM", 42, 8, 1)
    return head + struct.pack(">HHIHHI", 0x0112, 3, 1, way_up, 0, 0)
