"""Dead letters: each refused record as it came, with where it was and why, on `scans.v1.dlq`.

The key is the original's topic, partition and offset: publishing one again changes nothing.
"""

from importlib.metadata import version

from schemas.topics import DLQ, SCANS_MAX_MESSAGE
from streams.batch import Verdicts
from streams.publish import Message

_VERSION = version("truyvet").encode()
# A batch that compresses well can hold more than its topic's limit. What does not fit the DLQ is
# cut there, under the header `truncated`; the row in `rejects` keeps all of it.
_MOST = SCANS_MAX_MESSAGE
_MOST_KEY = 16 * 1024


def dead_letters(topic: str, verdicts: Verdicts) -> list[Message]:
    """One message for each reject of the batch."""
    raw = verdicts.raw
    messages = []
    for reject in verdicts.rejected:
        offset = int(raw.offsets[reject.index])
        original_key = raw.keys[reject.index]
        headers = [
            ("topic", topic.encode()),
            ("partition", str(raw.partition).encode()),
            ("offset", str(offset).encode()),
            ("timestamp", str(int(raw.appended[reject.index])).encode()),
            ("reason", reject.reason.value.encode()),
            ("detail", reject.detail.encode()),
            ("version", _VERSION),
        ]
        if original_key is not None:
            headers.append(("key", original_key[:_MOST_KEY]))
        value = raw.values[reject.index] or b""
        if len(value) > _MOST:
            headers.append(("truncated", str(len(value)).encode()))
        key = f"{topic}/{raw.partition}/{offset}".encode()
        messages.append(Message(DLQ.name, key, value[:_MOST], tuple(headers)))
    return messages
