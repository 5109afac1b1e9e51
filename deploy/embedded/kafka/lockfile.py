"""`kafka.lock`: the exact jars of the broker, by coordinate, SHA-256 and size.

`python -m deploy.embedded.kafka.relock` resolves them anew and rewrites the file. It holds no
address: where a Maven repository is, is the machine's affair (jgo's own configuration).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

KAFKA_VERSION = "4.3.1"
LOG4J_VERSION = "2.25.4"
LOCK_PATH = Path(__file__).with_name("kafka.lock")

# The trailing "!" keeps jgo from taking that POM's managed versions for everyone's: log4j's would
# bring kafka-clients 3.9.1 beside a 4.3.1 broker.
ROOTS = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}",
    f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J_VERSION}!",
)
# Kafka Connect and its web server are a third of what kafka-tools asks for; a broker needs none.
EXCLUDED = (
    ("org.apache.kafka", "connect-runtime"),
    ("org.apache.kafka", "connect-api"),
    ("org.apache.kafka", "connect-json"),
    ("org.apache.kafka", "connect-transforms"),
    ("com.fasterxml.jackson.jakarta.rs", "jackson-jakarta-rs-json-provider"),
)


@dataclass(frozen=True)
class LockedJar:
    group: str
    artifact: str
    version: str
    sha256: str
    size: int

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def parse(text: str) -> tuple[LockedJar, ...]:
    """Raise ValueError, naming the line, when the lock is not what this module writes."""
    jars = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            coordinate, sha256, size = line.split()
            group, artifact, version = coordinate.split(":")
            jar = LockedJar(group, artifact, version, sha256, int(size))
        except ValueError as error:
            raise ValueError(f"kafka.lock line {number} is not `g:a:v sha256 size`") from error
        if len(sha256) != 64:
            raise ValueError(f"kafka.lock line {number}: {sha256!r} is not a SHA-256")
        jars.append(jar)
    return tuple(jars)


def locked_jars() -> tuple[LockedJar, ...]:
    return parse(LOCK_PATH.read_text(encoding="ascii"))


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def render(jars: tuple[LockedJar, ...]) -> str:
    head = (
        "# Written by `python -m deploy.embedded.kafka.relock`; do not edit.\n"
        "# group:artifact:version sha256 bytes\n"
    )
    return head + "".join(
        f"{jar.group}:{jar.artifact}:{jar.version} {jar.sha256} {jar.size}\n" for jar in jars
    )
