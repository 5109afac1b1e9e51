"""A single KRaft node on loopback: its properties, its format step, its command line."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.embedded.files import write_atomically
from deploy.embedded.kafka.fetch import KafkaHome
from deploy.embedded.kafka.java import LOG4J_PROPERTIES, java_command

BASE_PROPERTIES: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    # The broker's clock, never a producer's: DESIGN §4.
    "log.message.timestamp.type": "LogAppendTime",
    "auto.create.topics.enable": "false",
    # One node is all there is.
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # Nobody to wait for.
    "group.initial.rebalance.delay.ms": "0",
    # Faust asks for 6-10 s; a test may ask for less.
    "group.min.session.timeout.ms": "1000",
    # A killed broker may register again only when its old session has ended: at the default of
    # 9 s it is back after 12 s, with these after 3 s.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "400",
    "controlled.shutdown.max.retries": "1",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "num.recovery.threads.per.data.dir": "2",
    # Small segments of the metadata and offsets logs: a restart after SIGKILL reads one of each.
    "metadata.log.segment.bytes": str(16 * 1024 * 1024),
    "offsets.topic.segment.bytes": str(16 * 1024 * 1024),
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    # `scans.v1.dlq` admits larger messages; each topic sets its own limit.
    "message.max.bytes": str(8 * 1024 * 1024),
}


@dataclass(frozen=True)
class KafkaNode:
    """The files of one node under `folder`, made for the given ports."""

    home: KafkaHome
    folder: Path
    port: int
    controller_port: int
    overrides: Mapping[str, str] = field(default_factory=dict)

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def properties_path(self) -> Path:
        return self.folder / "server.properties"

    @property
    def log4j_path(self) -> Path:
        return self.folder / "log4j2.properties"

    @property
    def log_dir(self) -> Path:
        return self.folder / "data"

    def properties(self) -> dict[str, str]:
        listeners = f"PLAINTEXT://{self.bootstrap},CONTROLLER://127.0.0.1:{self.controller_port}"
        return {
            **BASE_PROPERTIES,
            "listeners": listeners,
            "advertised.listeners": listeners,
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self.controller_port}",
            "log.dirs": str(self.log_dir),
            **self.overrides,
        }

    def write(self) -> None:
        lines = (f"{key}={value}\n" for key, value in sorted(self.properties().items()))
        write_atomically(self.properties_path, "".join(lines))
        write_atomically(self.log4j_path, LOG4J_PROPERTIES)

    def formatted(self) -> bool:
        """`meta.properties` is what StorageTool writes last."""
        return (self.log_dir / "meta.properties").exists()

    def format_command(self) -> tuple[str, ...]:
        cluster_id = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        if cluster_id.startswith("-"):  # it would be read as an option
            cluster_id = f"A{cluster_id[1:]}"
        return java_command(
            self.home,
            self.log4j_path,
            "kafka.tools.StorageTool",
            "format",
            "--standalone",
            "--ignore-formatted",
            "--cluster-id",
            cluster_id,
            "--config",
            str(self.properties_path),
        )

    def command(self, *, train: Path | None = None) -> tuple[str, ...]:
        return java_command(
            self.home, self.log4j_path, "kafka.Kafka", str(self.properties_path), train=train
        )
