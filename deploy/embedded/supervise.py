"""The process behind `start_detached`: `python -m deploy.embedded.supervise --data-dir DIR`.

With `--detach` it locks the data directory, plans the ports, and only then leaves its parent, so
that whoever started it hears in one sentence why it could not.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from deploy.embedded import kafka, layout
from deploy.embedded.files import AlreadyRunning, DataDirLock
from deploy.embedded.kafka import KafkaFetchError
from deploy.embedded.layout import StackOptions
from deploy.embedded.logs import log_path
from deploy.embedded.ports import PortTaken
from deploy.embedded.supervisor import Supervisor


def encode(options: StackOptions) -> str:
    """Without `env`: that is the environment of the process itself."""
    return json.dumps(
        {
            "workers": options.workers,
            "kafka_port": options.kafka_port,
            "engine_port": options.engine_port,
            "console_port": options.console_port,
            "services": sorted(options.services),
            "kafka_overrides": dict(options.kafka_overrides),
        }
    )


def decode(data_dir: Path, text: str) -> StackOptions:
    stored = json.loads(text)
    return StackOptions(
        data_dir,
        **(stored | {"services": frozenset(stored.get("services", layout.ROLES))}),
    )


def _leave_parent(data_dir: Path, lock: DataDirLock) -> None:
    """Fork, while there is one thread; the lock belongs to the open file, so it stays held."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork() != 0:
        os._exit(0)
    os.setsid()
    lock.sign()
    path = log_path(data_dir, "supervisor")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as log, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded.supervise")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--options", default="{}", help="StackOptions as JSON")
    parser.add_argument("--detach", action="store_true")
    arguments = parser.parse_args(argv)

    options = decode(arguments.data_dir, arguments.options)
    lock = DataDirLock(options.data_dir)
    try:
        home = kafka.ensure() if "kafka" in options.services else None
        lock.acquire()
        planned = layout.plan(options, home)
    except (AlreadyRunning, PortTaken, KafkaFetchError) as error:
        print(error, file=sys.stderr)
        return 1
    if arguments.detach:
        _leave_parent(options.data_dir, lock)
    supervisor = Supervisor(options.data_dir, planned.services)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.request_stop())
    supervisor.run()
    return 0  # the kernel releases the lock at the very end: who waits for it waits for all of this


if __name__ == "__main__":
    sys.exit(main())
