"""Whose turn it is on a machine that does everything: whoever is waited for comes first.

Linux gives each session a share of the processors of its own (`sched_autogroup`), whatever the
niceness of its threads: they share that. So sessions are weighed instead: those that take scans in,
which may be a second late, stand behind the console and behind whatever else somebody waits for.
With two processors fully taken they have a tenth of what one who does not stand back has; with
nobody else there, all. Elsewhere (systemd, containers) the shares of groups say so.
"""

import os
from contextlib import suppress
from typing import Final

_NICE: Final = 10  # of a session: a weight of 110 for 1,024


def stand_behind(pid: int) -> bool:
    """Let the session that this process leads stand behind others. False: to be tried again, since
    the kernel takes one such wish in a tenth of a second. Where there are no such shares, nothing.
    """
    with suppress(OSError):
        file = os.open(f"/proc/{pid}/autogroup", os.O_WRONLY)
        try:
            os.write(file, str(_NICE).encode())
        except BlockingIOError:
            return False
        finally:
            os.close(file)
    return True
