"""What must be known of a statement before the engine parses it: its verb, its format, its data.

The engine has the grammar. Here only an INSERT's text is parted from its data, because chdb cuts
binary data in a query text, and the format in effect is read, because it decides about streaming.
"""

import re
from dataclasses import dataclass

_SPACE = rb"(?:\s+|--[^\n]*|#[ !][^\n]*|/\*.*?\*/)"
_VERB = re.compile(rb"(?:" + _SPACE + rb"|\()*([A-Za-z_]+)", re.DOTALL)
_TOKEN = re.compile(
    _SPACE
    + rb"|'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.|``)*`|\"(?:[^\"\\]|\\.|\"\")*\""
    + rb"|[A-Za-z_]\w*|\d\w*|.",
    re.DOTALL,
)
_WORD = re.compile(rb"[A-Za-z_]\w*\Z")
_BLANK = re.compile(_SPACE + rb"\Z", re.DOTALL)
# ClickHouse takes spaces, then one line end, between the format's name and the data.
_BEFORE_DATA = re.compile(rb"[ \t\f]*\r?\n?")
_FORMAT_AT_END = re.compile(
    rb"\bFORMAT\s+([A-Za-z]\w*)\s*(?:SETTINGS\s[^;]*)?;?\s*\Z", re.IGNORECASE
)
_OUTFILE = re.compile(rb"\bINTO\s+OUTFILE\b", re.IGNORECASE)
_TAIL = 4096
HEAD = 256 << 10  # an INSERT's text, up to its data, is no longer than this


@dataclass(frozen=True)
class Insert:
    """An INSERT whose data follow its text, parted where FROM INFILE belongs."""

    target: bytes  # INSERT INTO table (columns)
    settings: bytes  # SETTINGS …, or nothing
    format: str
    data_at: int


def verb(text: bytes) -> str:
    found = _VERB.match(text)
    return found.group(1).decode().upper() if found else ""


def format_of(text: bytes) -> str | None:
    """The FORMAT at the end of a query, if there is one."""
    tail = text[-_TAIL:]
    found = _FORMAT_AT_END.search(tail)
    if found is None or b"--" in tail[tail.rfind(b"\n", 0, found.start()) + 1 : found.start()]:
        return None
    return found.group(1).decode()


def writes_outfile(text: bytes) -> bool:
    return _OUTFILE.search(text[-_TAIL:]) is not None


def reads_input(text: bytes) -> bool:
    """Whether an INSERT … SELECT reads its data with the table function input()."""
    words = [t for t in (m.group() for m in _TOKEN.finditer(text)) if not _BLANK.match(t)]
    return any(
        before.upper() in (b"FROM", b"JOIN", b",") and name.lower() == b"input" and after == b"("
        for before, name, after in zip(words, words[1:], words[2:], strict=False)
    )


def insert_with_data(head: bytes, default_format: str) -> Insert | None:
    """Parts an INSERT from its data; None for INSERT … SELECT and … VALUES, which are text."""
    depth = 0
    words: list[bytes] = []
    format_at = settings_at = -1
    for token in _TOKEN.finditer(head):
        text = token.group()
        if _BLANK.match(text):
            continue
        if text in (b"(", b"[", b"{"):
            depth += 1
        elif text in (b")", b"]", b"}"):
            depth -= 1
        is_word = depth == 0 and _WORD.match(text) is not None
        word = text.upper() if is_word else text
        is_name = bool(words) and words[-1] in (b"INTO", b"TABLE", b"FUNCTION", b".")
        if is_word and format_at >= 0:
            data = _BEFORE_DATA.match(head, token.end())
            data_at = data.end() if data else token.end()
            return _part(head[:format_at], settings_at, text.decode(), data_at)
        if is_word and not is_name:
            if word in (b"SELECT", b"VALUES", b"WITH", b"INFILE"):
                return None
            if word == b"SETTINGS" and settings_at < 0:
                settings_at = token.start()
            if word == b"FORMAT":
                format_at = token.start()
        words.append(word)
    return _part(head, settings_at, default_format, len(head))


def _part(text: bytes, settings_at: int, format_name: str, data_at: int) -> Insert:
    cut = len(text) if settings_at < 0 else settings_at
    return Insert(text[:cut], text[cut:], format_name, data_at)
