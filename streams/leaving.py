"""The end of a process that was asked to stop: within ten seconds, whatever still hangs.

What is cut off is what SIGKILL may cut off at any moment, and nothing acknowledged is lost to that.
"""

import os
import sys
import threading
from typing import Final

WITHIN_S: Final = 9.0


def leave_within(seconds: float, exit_code: int = 0) -> None:
    """If the process still lives then, a thread that waits for a server holds it: end it."""

    def end() -> None:
        sys.stderr.write("still waiting for a server after being asked to stop: leaving\n")
        sys.stderr.flush()
        os._exit(exit_code)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
