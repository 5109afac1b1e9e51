"""`python -m deploy.embedded.engine --path DIR --port N`: serves until SIGTERM or SIGINT."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from deploy.embedded.engine.node import Node, PathInUse
from deploy.embedded.engine.server import Credentials, Server

EXIT_IN_USE = 3
EXIT_CANNOT_START = 4
_STOP = {signal.SIGTERM, signal.SIGINT}


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded.engine", description=__doc__)
    parser.add_argument("--path", type=Path, required=True, help="the engine's directory")
    parser.add_argument("--port", type=int, default=8123, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--pool", type=int, default=4, help="queries that run at once")
    parser.add_argument("--max-queue", type=int, default=64, help="queries that may wait")
    parser.add_argument("--max-threads", type=int, default=2, help="threads of one query")
    parser.add_argument("--merge-threads", type=int, default=4, help="background merges at once")
    parser.add_argument("--max-memory-mb", type=int, default=3072, help="of the engine, merges too")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds for queries at the stop")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)
    # Blocked in every thread, the engine's too, and taken by sigwait below: a handler that sets an
    # Event may interrupt that very Event's wait, holding its lock.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
    user = os.environ.get("TRUYVET_ENGINE_USER")
    password = os.environ.get("TRUYVET_ENGINE_PASSWORD", "")
    try:
        node = Node(
            arguments.path,
            max_threads=arguments.max_threads,
            max_memory=arguments.max_memory_mb << 20,
            merge_threads=arguments.merge_threads,
        )
        # chdb asks for the working directory with every query: one that can be removed meanwhile,
        # as whoever started this might do with theirs, would end all of them
        os.chdir(node.spool.parent)
        credentials = Credentials(user, password) if user else None
        server = Server(arguments.port, node, arguments.pool, arguments.max_queue, credentials)
    except PathInUse as error:
        print(f"engine: {error}", file=sys.stderr)
        return EXIT_IN_USE
    except (OSError, RuntimeError) as error:
        print(f"engine: cannot start: {error}", file=sys.stderr)
        return EXIT_CANNOT_START

    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    print(f"engine ready on 127.0.0.1:{server.server_address[1]}", flush=True)
    signal.sigwait(_STOP)
    server.shutdown()
    server.end(arguments.grace)
    return 0


if __name__ == "__main__":
    sys.exit(main())
