"""Three brokers on loopback, hardened: TLS, SCRAM, ACLs, three copies.

They are started by `deploy/kafka/broker.sh` with the properties that the containers have; only
ports, folders and certificates are the test's. Each is a process, to be killed at will.
"""

import os
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from confluent_kafka import KafkaException
from confluent_kafka import admin as _admin

from deploy.embedded.kafka import KafkaHome, ensure
from deploy.embedded.kafka.java import LOG4J_PROPERTIES, java_command
from deploy.embedded.ports import PortRequest, choose
from deploy.embedded.probes import TcpReady
from deploy.embedded.service import leashed
from schemas.acls import Grant
from schemas.kafka import librdkafka
from schemas.settings import Settings
from tests.certificates import Issuer
from tests.system import wait_for

admin: Any = _admin  # whose stubs export nothing
KAFKA: Final = Path(__file__).parents[1] / "deploy" / "kafka"
ADMIN: Final = "admin"
HEAP: Final = "256m"
NUMBERS: Final = (1, 2, 3)
_COMMANDS: Final = {
    "kafka-storage.sh": "kafka.tools.StorageTool",
    "kafka-server-start.sh": "kafka.Kafka",
    "kafka-configs.sh": "kafka.admin.ConfigCommand",
    "kafka-acls.sh": "org.apache.kafka.tools.AclCommand",
}
_OPERATIONS: Final = {
    "Read": admin.AclOperation.READ,
    "Write": admin.AclOperation.WRITE,
    "Describe": admin.AclOperation.DESCRIBE,
    "Create": admin.AclOperation.CREATE,
    "DescribeConfigs": admin.AclOperation.DESCRIBE_CONFIGS,
}


class Broker:
    """One broker and controller, started by the script that the containers start by."""

    def __init__(
        self, number: int, folder: Path, ports: Sequence[int], env: dict[str, str]
    ) -> None:
        self.number, self.ports = number, ports
        self._env = env | {
            "NODE_ID": str(number),
            "PORTS": " ".join(map(str, ports)),
            "STATE": str(folder / "data"),
            "RUN": str(folder),
        }
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)

    def launch(self) -> None:
        """Start; `ready` says when it takes clients."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                leashed(("sh", str(KAFKA / "broker.sh"))),
                env=self._env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def ready(self) -> bool:
        """Whether it takes clients: KRaft opens the listener when the broker is unfenced."""
        assert self._process is not None
        assert self._process.poll() is None, f"{self._log}: {self._log.read_text()[-2000:]}"
        return TcpReady(self.ports[0])(1.0)

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(30)

    def stop(self) -> None:
        """SIGTERM, then SIGKILL after a while."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()


class Brokers:
    """The cluster. Every user but the administrator comes with a password, the same one here."""

    def __init__(self, folder: Path, home: KafkaHome, password: str) -> None:
        self.folder, self.password = folder, password
        issuer = Issuer(folder / "certificates")
        self._admin_files = issuer.issue(ADMIN)
        self.bin = _scripts(folder / "bin", home, folder / "log4j2.properties")
        kinds = [f"{kind}{n}" for n in NUMBERS for kind in ("clients", "internal", "controller")]
        ports = choose(tuple(PortRequest(kind) for kind in kinds), {})
        self.env = {
            **os.environ,
            "CONFIG": str(KAFKA),
            "BIN": str(self.bin),
            "CERTIFICATES": str(folder / "certificates"),
            "HOST": "127.0.0.1",
            "LISTEN": "127.0.0.1",
            "COPIES": "3",
            "SECURITY": "hardened",
            "VOTERS": ",".join(f"{n}@127.0.0.1:{ports[f'controller{n}']}" for n in NUMBERS),
        }
        for n in NUMBERS:
            own = issuer.issue(f"kafka-{n}")
            keystore = folder / "certificates" / f"kafka-{n}.keystore.pem"
            keystore.write_bytes(own.key.read_bytes() + own.certificate.read_bytes())
        self.brokers = [
            Broker(
                n,
                folder / f"broker-{n}",
                [ports[f"clients{n}"], ports[f"internal{n}"], ports[f"controller{n}"]],
                self.env,
            )
            for n in NUMBERS
        ]
        self._client: Any = None

    def start(self) -> None:
        """Until all three take clients."""
        for broker in self.brokers:
            broker.launch()
        for broker in self.brokers:
            wait_for(broker.ready, 120, f"broker {broker.number}")

    def stop(self) -> None:
        """End all that run."""
        for broker in self.brokers:
            broker.stop()

    def variables(self, user: str = ADMIN) -> dict[str, Any]:
        """Settings of a client: the administrator's certificate, or a user's password."""
        own = self._admin_files if user == ADMIN else None
        port = 0 if own is None else 1
        return {
            "kafka_bootstrap": ",".join(f"127.0.0.1:{b.ports[port]}" for b in self.brokers),
            "kafka_security": "SASL_SSL" if own is None else "SSL",
            "kafka_user": user if own is None else "",
            "kafka_password": self.password if own is None else "",
            "kafka_ca_file": str(self._admin_files.ca),
            "kafka_certificate_file": "" if own is None else str(own.certificate),
            "kafka_key_file": "" if own is None else str(own.key),
            "replication_factor": len(self.brokers),
        }

    def settings(self, user: str = ADMIN, base: Settings | None = None) -> Settings:
        """`base` (or the defaults) as this user."""
        given = base.model_dump() if base is not None else {}
        return Settings(**given | self.variables(user))

    @property
    def client(self) -> Any:
        """The administrator's client."""
        if self._client is None:
            self._client = admin.AdminClient(librdkafka(self.settings()) | {"log_level": 2})
        return self._client

    def add_user(self, user: str, *allowed: Grant) -> None:
        """A SCRAM user and what it may do."""
        credentials = admin.ScramCredentialInfo(admin.ScramMechanism.SCRAM_SHA_512, 4096)
        made = admin.UserScramCredentialUpsertion(user, credentials, self.password.encode())
        for answer in self.client.alter_user_scram_credentials([made]).values():
            answer.result(30)
        if allowed:
            for answer in self.client.create_acls([_binding(user, g) for g in allowed]).values():
                answer.result(30)

    def short(self) -> list[str]:
        """Partitions that lack a copy in sync now, as topic/partition; all if nobody answers."""
        try:
            topics = self.client.list_topics(timeout=5).topics
        except KafkaException:
            return ["*"]
        return [
            f"{name}/{number}"
            for name, topic in topics.items()
            for number, partition in topic.partitions.items()
            if len(partition.isrs) < len(partition.replicas) or partition.leader < 0
        ]

    def leads(self, topic: str) -> dict[int, int]:
        """How many partitions of a topic each broker leads."""
        found = self.client.list_topics(topic, timeout=10).topics[topic].partitions.values()
        return {b.number: sum(p.leader == b.number for p in found) for b in self.brokers}


def _scripts(folder: Path, home: KafkaHome, log4j: Path) -> Path:
    """Kafka's own commands, by their names in its distribution, run from the jars."""
    folder.mkdir(parents=True)
    log4j.write_text(LOG4J_PROPERTIES)
    for name, main in _COMMANDS.items():
        command = shlex.join(java_command(home, log4j, main, heap=HEAP))
        (folder / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (folder / name).chmod(0o755)
    return folder


def _binding(user: str, grant: Grant) -> Any:
    kinds = {"topic": admin.ResourceType.TOPIC, "group": admin.ResourceType.GROUP}
    return admin.AclBinding(
        kinds[grant.kind],
        grant.name,
        admin.ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        _OPERATIONS[grant.operation],
        admin.AclPermissionType.ALLOW,
    )


@contextmanager
def running_brokers(folder: Path, password: str = "only-for-tests") -> Iterator[Brokers]:
    """Three brokers under `folder`, ready; they end with the block."""
    cluster = Brokers(folder, ensure(), password)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
