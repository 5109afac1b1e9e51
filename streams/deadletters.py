"""Dead letters: each refused record as it came, with where it was and why, on `scans.v1.dlq`.

The key is the original's topic, partition and offset: publishing one again changes nothing.
"""

from importlib.metadata import version

from schemas.topics import DLQ
from streams.batch import Verdicts
from streams.publish import Message

_VERSION = version("truyvet").encode()


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
            headers.append(("key", original_key))
        messages.append(
            Message(
                DLQ.name,
                f"{topic}/{raw.partition}/{offset}".encode(),
                raw.values[reject.index] or b"",
                tuple(headers),
            )
        )
    return messages
