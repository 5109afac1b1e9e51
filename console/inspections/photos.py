"""What a photo is: a picture file of bounded size, known by the hash of its bytes as sent."""

from hashlib import sha256
from typing import Final

MOST_BYTES: Final = 1024 * 1024

JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
WEBP: Final = "image/webp"


def media_type(data: bytes) -> str | None:
    """What kind of picture the file begins as, by its first bytes; None for anything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    return None


def digest(data: bytes) -> str:
    """The name of a photo: its SHA-256, as 64 hexadecimal digits."""
    return sha256(data).hexdigest()
