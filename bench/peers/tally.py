"""Counts what has come out of a peer, and ends its process when it is enough.

Stream processors of this kind run for ever; a benchmark does not.
"""

import json
import os
import sys
import time


class Tally:
    """From the first record that came in to the last one that was counted."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._begin = self._cpu = 0.0
        self._seen = self._kept = 0

    def first(self) -> None:
        """A record, or a batch of them, has come in."""
        if not self._begin:
            self._begin, self._cpu = time.perf_counter(), time.process_time()

    def add(self, seen: int, kept: int) -> None:
        """`seen` records are through, of which `kept` were valid and new."""
        self._seen += seen
        self._kept += kept
        if self._seen >= self._expected:
            cpu_s = time.process_time() - self._cpu
            self.say(self._seen, self._kept, time.perf_counter() - self._begin, cpu_s)

    @staticmethod
    def say(records: int, kept: int, seconds: float, cpu_s: float) -> None:
        """The answer, and the end of the process."""
        answer = {"records": records, "kept": kept, "seconds": seconds, "cpu_s": cpu_s}
        print("\n" + json.dumps(answer), flush=True)
        sys.stdout.flush()
        os._exit(0)
