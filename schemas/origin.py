"""The origin of the codes' URLs: what the smallest symbols have room for (DESIGN §6)."""

import re
from typing import Final

MAX_ORIGIN: Final = 32

# ISO/IEC 18004, table 5: the alphanumeric set, without the characters a URL's start cannot hold.
_ORIGIN = re.compile(r"HTTPS?://[0-9A-Z.-]+(:[0-9]+)?/([0-9A-Z$*+.:/-]*/)?", re.ASCII)


def check_origin(origin: str) -> str:
    """The origin as given. Raises ValueError that says what is wrong with it."""
    if len(origin) > MAX_ORIGIN:
        raise ValueError(
            f"the code origin {origin!r} has {len(origin)} characters; "
            f"at most {MAX_ORIGIN} fit the symbol"
        )
    if not _ORIGIN.fullmatch(origin):
        raise ValueError(
            f"the code origin {origin!r} must be like HTTPS://HOST/C/: upper case, "
            "digits and $*+-.:/ only, with a slash at its end"
        )
    return origin
