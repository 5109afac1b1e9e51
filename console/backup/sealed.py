"""A file that only a passphrase opens: scrypt makes a key of it, AES-256-GCM seals the text.

One line says how it was made and is sealed with the rest, so that nobody can change it:

    truyvet-sealed 1 scrypt <log2 N> <r> <p> <salt> <nonce>

and the lines after it are what was sealed, all in base64 (docs/backup.md opens one without
truyvet).
"""

import base64
import os
import textwrap
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from schemas.errors import UserError

_MARK: Final = b"truyvet-sealed "
_VERSION: Final = b"1"
# OWASP's Password Storage Cheat Sheet of 2025: 128 MiB and some half a second for each try
LOG2_N: Final = 17
_R, _P = 8, 1
_MOST_LOG2_N: Final = 20  # 1 GiB: a header that asks for more is none of ours
_SALT, _NONCE, _KEY = 16, 12, 32
SHORTEST: Final = 12
_LONGEST: Final = 4096


def passphrase_in(file: Path) -> str:
    """The passphrase in a file: its first line. Raises UserError if there is none worth having."""
    try:
        with file.open(encoding="utf-8") as opened:
            found = opened.readline(_LONGEST).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(
            f"Không đọc được tệp mật khẩu {file}. / The passphrase file {file} cannot be read "
            f"({why})."
        ) from None
    if len(found) < SHORTEST:
        raise UserError(
            f"Dòng đầu của {file} phải có ít nhất {SHORTEST} ký tự. / The first line of {file} "
            f"must be a passphrase of at least {SHORTEST} characters: six words chosen by dice are "
            "a good one."
        )
    return found


def is_sealed(data: bytes) -> bool:
    """Whether these are a sealed file's bytes."""
    return data.startswith(_MARK)


def seal(text: bytes, passphrase: str, log2_n: int = LOG2_N) -> bytes:
    """A sealed file's bytes, other ones each time."""
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    fields = (str(log2_n), str(_R), str(_P), _text(salt), _text(nonce))
    header = _MARK + _VERSION + b" scrypt " + " ".join(fields).encode()
    sealed = AESGCM(_key(passphrase, salt, log2_n, _R, _P)).encrypt(nonce, text, header)
    return header + b"\n" + "\n".join(textwrap.wrap(_text(sealed), 76)).encode() + b"\n"


def unseal(data: bytes, passphrase: str, name: str) -> bytes:
    """What was sealed. Raises UserError, calling the file `name`, if this does not open it."""
    header, _, body = data.partition(b"\n")
    fields = header.split()
    if len(fields) > 1 and fields[1] != _VERSION:
        raise UserError(
            f"{name} do phiên bản truyvet mới hơn tạo ra: hãy cài phiên bản đó. / {name} was made "
            f"by a newer truyvet (form {fields[1].decode('ascii', 'replace')}): install that one."
        )
    try:
        log2_n, r, p = (int(field) for field in fields[3:6])
        salt, nonce = (base64.b64decode(field, validate=True) for field in fields[6:8])
        sealed = base64.b64decode(b"".join(body.split()), validate=True)
        if not (1 <= log2_n <= _MOST_LOG2_N and (r, p) == (_R, _P) and len(nonce) == _NONCE):
            raise ValueError("parameters that no version writes")
        key = _key(passphrase, salt, log2_n, r, p)
    except (ValueError, IndexError):
        raise UserError(
            f"Tệp {name} đã bị hỏng: hãy dùng bản khác. / {name} is damaged: use another copy."
        ) from None
    try:
        return AESGCM(key).decrypt(nonce, sealed, header)
    except InvalidTag:
        raise UserError(
            f"Mật khẩu không mở được {name} (hoặc tệp đã bị sửa). / This passphrase does not open "
            f"{name}: it is another one, or the file was changed. Nothing was done."
        ) from None


def _key(passphrase: str, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    kdf = Scrypt(salt=salt, length=_KEY, n=2**log2_n, r=r, p=p)
    return kdf.derive(passphrase.encode())


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
