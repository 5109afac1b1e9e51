"""Train the JVM once on a start of the broker, so that every later start is twice as fast.

An AOT cache (JEP 483, 514) holds Kafka's classes loaded and linked; it belongs to one Java and
one class path, so it lies beside the jars with Java's version in its name. It is a convenience:
without it, or when making it fails, the broker starts as it always did.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from deploy.embedded import ports
from deploy.embedded.files import exclusive
from deploy.embedded.kafka import fetch
from deploy.embedded.kafka.fetch import KafkaHome
from deploy.embedded.kafka.java import aot_cache
from deploy.embedded.kafka.node import KafkaNode
from deploy.embedded.ports import PortRequest
from deploy.embedded.probes import KafkaReady
from deploy.embedded.progress import OnProgress, Progress, silent
from deploy.embedded.service import leashed

START_S = 120.0
DUMP_S = 120.0


def ready_home(on_progress: OnProgress = silent, cache: Path | None = None) -> KafkaHome:
    """The jars fetched and the JVM trained; the first time takes half a minute, then nothing.

    TRUYVET_KAFKA_TRAINING=off leaves the training out.
    """
    home = fetch.ensure(cache, on_progress)
    made = aot_cache(home)
    failed = made.with_suffix(".failed")
    if os.environ.get("TRUYVET_KAFKA_TRAINING") == "off" or made.exists() or failed.exists():
        return home
    with exclusive(home.path.with_name(f"{home.path.name}.lock")):
        if not made.exists() and not failed.exists():
            on_progress(Progress("prepare", "java", "training", 0, 1))
            if not _train(home, made):
                failed.touch()
            on_progress(Progress("prepare", "java", "done", 1, 1))
    return home


def _train(home: KafkaHome, made: Path) -> bool:
    """Format, start, wait until ready, end; the JVM writes the cache on its way out."""
    chosen = ports.choose((PortRequest("kafka"), PortRequest("controller")), {})
    with tempfile.TemporaryDirectory(prefix=f".{home.path.name}.", dir=home.path.parent) as folder:
        work = Path(folder)
        node = KafkaNode(home, work, chosen["kafka"], chosen["controller"])
        node.write()
        output = work / made.name
        with (work / "log").open("wb") as log:
            formatted = subprocess.run(
                leashed(node.format_command()), stdout=log, stderr=log, check=False, timeout=START_S
            )
            if formatted.returncode != 0:
                return False
            broker = subprocess.Popen(
                leashed(node.command(train=output)),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
            try:
                ready = KafkaReady(node.port)
                deadline = time.monotonic() + START_S
                while not ready(1.0):
                    if broker.poll() is not None or time.monotonic() > deadline:
                        return False
                    time.sleep(0.1)
                broker.send_signal(signal.SIGTERM)
                broker.wait(DUMP_S)
            except subprocess.TimeoutExpired:
                return False
            finally:
                if broker.poll() is None:
                    broker.kill()
                    broker.wait()
        if not output.exists():
            return False
        output.replace(made)
        return True
