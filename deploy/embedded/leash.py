"""Run a command that dies with its parent: `python -I -S leash.py PARENT_PID COMMAND…`.

The kernel sends SIGKILL when the parent goes, however it went (PR_SET_PDEATHSIG, which survives
exec). A file of its own, run by path and importing almost nothing: between fork and exec of a
process with threads, Python code may hang, and a supervisor must not.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> int:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it went before the kernel knew
        return 1
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        print(f"{command[0]} does not start: {error}", file=sys.stderr)
        return 127


if __name__ == "__main__":
    sys.exit(main())
