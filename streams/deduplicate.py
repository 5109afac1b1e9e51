"""Step 4, deduplicate: the same (person, event id) counts once.

The same offset again is a re-read, not a duplicate; the same key with other content is
refused. A scan that may have come before all that the window holds whole, and one that lies in a
partition that is not its person's, is looked up in ClickHouse by person.
"""

from collections.abc import Callable

import numpy as np

from schemas.reasons import Reason
from schemas.topics import DAY_MS
from streams import columns
from streams.batch import Duplicate, Scans, Verdicts
from streams.columns import U64, Mask
from streams.kernels import hashes
from streams.keys import Keys, origin_offset, origin_partition, origins
from streams.resolve import Resolved
from streams.window import Table, Window

# The rows that are in ClickHouse of these persons' events, scanned by a time (ms, UTC).
LookUp = Callable[[Keys, int], Keys]


def content_hashes(scans: Scans) -> U64:
    """A stable hash of what a retry repeats: everything but the producer that passed it on."""
    h = scans.event_lo ^ scans.person
    hashes.fold_scans(
        h, scans.event_hi, scans.code, scans.direction, scans.method, scans.companions,
        scans.scanned, scans.recorded,
    )  # fmt: skip
    for text in (scans.device, scans.trip, scans.seat):
        hashes.fold_texts(h, *columns.text_buffers(text))
    return h


def misplaced(verdicts: Verdicts, partitions: int) -> Mask:
    """Which scans' keys are not their person, or lie where murmur2 would not put them."""
    raw, scans = verdicts.raw, verdicts.scans
    keys = raw.keys
    right = hashes.is_key(keys.data, keys.begins, keys.lengths, scans.index, scans.key)
    here: Mask = hashes.partitions(scans.key, partitions) == raw.partition
    return ~(right & here)


def deduplicate(
    verdicts: Verdicts, resolved: Resolved, window: Window, partitions: int, look_up: LookUp
) -> tuple[Resolved, U64, int]:
    """Take out duplicates and reused ids.

    Returns the places of what is left, its content hashes, and how many were misplaced.
    """
    scans = verdicts.scans
    n = len(scans)
    own = origins(verdicts.raw.partition, verdicts.raw.offsets[scans.index])
    keys = Keys(scans.event_hi, scans.event_lo, scans.person, content_hashes(scans), own)
    seen = np.zeros(n, dtype=bool)
    first = own.copy()
    content = keys.content.copy()

    def enter(rows: columns.I64, answer: tuple[Mask, U64, U64]) -> None:
        new, origin, what = answer
        known = ~new & (origin != own[rows])
        seen[rows[known]] = True
        first[rows[known]] = origin[known]
        content[rows[known]] = what[known]

    strays = misplaced(verdicts, partitions)
    if (elsewhere := strays | window.unsure(keys, scans.scanned)).any():
        rows = np.flatnonzero(elsewhere)
        asked = keys.take(rows)
        table = Table(window.salt)
        # at any time: the same id may come again with another
        table.add(look_up(asked, int(verdicts.raw.appended.max()) + DAY_MS))
        enter(rows, table.add(asked))
    rows = np.flatnonzero(~seen)
    enter(rows, window.add(keys if len(rows) == n else keys.take(rows), scans.scanned[rows]))
    _note(verdicts, seen, first, content == keys.content)
    kept = ~seen
    verdicts.scans = scans.keep(kept)
    return (
        Resolved(resolved.place[kept], resolved.version[kept]),
        keys.content[kept],
        int(strays.sum()),
    )


def _note(verdicts: Verdicts, seen: Mask, first: U64, same: Mask) -> None:
    scans = verdicts.scans
    for row in np.flatnonzero(seen & same):
        origin = int(first[row])
        verdicts.duplicates.append(
            Duplicate(
                int(scans.index[row]),
                (int(scans.event_hi[row]), int(scans.event_lo[row])),
                int(scans.person[row]),
                scans.producers[scans.producer[row]],
                origin_partition(origin),
                origin_offset(origin),
            )
        )
    verdicts.note(
        seen & ~same,
        Reason.ID_REUSED,
        "this person and event id came before with other content",
    )
