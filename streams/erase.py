"""Step 3, erase: what persons who asked to be erased had reported before they asked.

A scan counts by the earlier of when it was scanned and when it was appended, so a dead letter that
is published again, an old file and the log read from its begin all give the same verdict.
"""

import numpy as np

from streams.batch import Verdicts
from streams.erasures import Erasures


def erase(verdicts: Verdicts, erasures: Erasures) -> None:
    """Move these records, also refused ones, to `verdicts.erased`."""
    if not len(erasures):
        return
    raw, scans = verdicts.raw, verdicts.scans
    gone = erasures.among(scans.person, np.minimum(scans.scanned, raw.appended[scans.index]))
    verdicts.erased += scans.index[gone].tolist()
    verdicts.scans = scans.keep(~gone)
    rejected, kept = verdicts.rejected, []
    for row, index in enumerate(rejected.index.tolist()):
        texts = (raw.keys[index], raw.values[index])
        if erasures.in_text(texts, int(raw.appended[index])):
            verdicts.erased.append(index)
        else:
            kept.append(row)
    verdicts.rejected = rejected.take(np.array(kept, dtype=np.intp))
