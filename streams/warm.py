"""`python -m streams.warm`: the compiled loops made ready, so that no scan waits for a compiler.

The first process of a machine compiles, in some seconds; those after it read what it kept.
"""

from typing import Final

import numpy as np

from schemas.ids import person_text
from schemas.places import Producer
from schemas.reasons import Reason
from schemas.scan import Direction, Method
from schemas.topics import SCANS
from streams.allowed import Allowed
from streams.batch import RawBatch
from streams.deadletters import dead_letters
from streams.decode import decode
from streams.deduplicate import content_hashes, misplaced
from streams.gathered import gathered
from streams.kernels import records
from streams.keys import Keys, origins
from streams.texts import Texts
from streams.window import Window

_PERSON: Final = person_text(0)
_LINE: Final = (
    '{"event_id":"00000000-0000-4000-8000-000000000000","person":"' + _PERSON + '",'
    f'"code":"{"0" * 18}","direction":"{Direction.IN.value}",'
    f'"scanned_at":"2021-01-01T00:00:00.000Z","method":"{Method.SELF.value}",'
    '"producer":"none","device":"none"}'
)


def warm() -> None:
    """Run every loop once."""
    one = np.zeros(1, dtype=np.int64)
    nothing = np.frombuffer(b"", dtype=np.uint8)
    records.walk(nothing, 0, 0, np.empty((records.LINES, 0), dtype=np.int64))
    records.head(nothing, np.empty((records.LINES, 1), dtype=np.int64))
    keys, values = Texts.of([_PERSON.encode()]), Texts.of([_LINE.encode()])
    verdicts = decode(RawBatch(0, one, one, keys, values))
    assert len(verdicts.scans) == 1, "the line is one that programs write"
    limited = Allowed([Producer(id="none", name="none", places=(1,))], {})
    limited.barred(np.ones(1, np.int32), np.zeros(1, np.uint32), np.zeros(1, np.int32))
    misplaced(verdicts, 1)
    content_hashes(verdicts.scans)
    verdicts.note(np.ones(1, dtype=bool), Reason.UNKNOWN_CODE, "none")
    dead_letters(SCANS.name, verdicts)
    gathered(values, verdicts.rejected.index)
    few = np.arange(3)
    some = few.astype(np.uint64)
    ids = Keys(some, some, some, some, origins(0, few))
    window = Window(ids=1, past=2, salt=0)
    window.written = 3
    for _ in range(2):  # the second time what the first has spilt is asked
        window.unsure(ids, few)
        window.add(ids, few)


if __name__ == "__main__":
    warm()
