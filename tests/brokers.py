"""Three brokers on loopback as a hardened cluster has them: TLS, SCRAM, ACLs, three copies.

Clients come over SASL_SSL with SCRAM-SHA-512; brokers and controllers speak mutual TLS among
themselves. Whatever no ACL allows is refused. Each is a process of its own, to be killed at will.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from deploy.embedded.kafka import KafkaHome, KafkaNode, ensure
from deploy.embedded.kafka.java import java_command
from deploy.embedded.ports import PortRequest, choose
from deploy.embedded.probes import TcpReady
from deploy.embedded.service import leashed
from schemas.acls import Grant
from schemas.kafka import librdkafka
from schemas.settings import Settings
from tests.certificates import Issued, Issuer
from tests.system import wait_for

ADMIN: Final = "admin"
HEAP: Final = "256m"
_CLUSTER: Final = "dHJ1eXZldC10ZXN0cy0wMQ"
_OPERATIONS: Final = {
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "Describe": AclOperation.DESCRIBE,
    "Create": AclOperation.CREATE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
}


class Broker:
    """One broker and controller of the cluster."""

    def __init__(self, node: KafkaNode, number: int) -> None:
        self.number = number
        self._node = node
        self._log = node.folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return self._node.bootstrap

    def format(self, password: str) -> None:
        """The storage's first state, with the one user that can make others."""
        self._node.folder.mkdir(parents=True)
        self._node.write()
        credentials = f"SCRAM-SHA-512=[name={ADMIN},password={password}]"
        what = ("--cluster-id", _CLUSTER, "--config", str(self._node.properties_path))
        self._run("kafka.tools.StorageTool", "format", *what, "--add-scram", credentials)
        assert self._process is not None
        assert self._process.wait(60) == 0, self._log.read_text()[-2000:]

    def launch(self) -> None:
        """Start; `ready` says when it takes clients."""
        self._run("kafka.Kafka", str(self._node.properties_path))

    def _run(self, *main: str) -> None:
        command = java_command(self._node.home, self._node.log4j_path, *main, heap=HEAP)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                leashed(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def ready(self) -> bool:
        """Whether it takes clients: KRaft opens the listener when the broker is unfenced."""
        assert self._process is not None
        assert self._process.poll() is None, f"{self._log}: {self._log.read_text()[-2000:]}"
        return TcpReady(self._node.port)(1.0)

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
    """The cluster; `variables(user)` are the settings of one who is allowed in."""

    def __init__(self, folder: Path, password: str) -> None:
        self._ca = folder / "certificates" / "ca.pem"
        self._password = password
        self.brokers = _brokers(folder, ensure())
        self._admin: AdminClient | None = None

    def start(self) -> None:
        """Format, start, and wait until all three take clients."""
        for broker in self.brokers:
            broker.format(self._password)
            broker.launch()
        for broker in self.brokers:
            wait_for(broker.ready, 60, f"broker {broker.number}")

    def stop(self) -> None:
        """End all that run."""
        for broker in self.brokers:
            broker.stop()

    def variables(self, user: str = ADMIN) -> dict[str, Any]:
        """Settings of a client of this user (each has the same password here)."""
        return {
            "kafka_bootstrap": ",".join(broker.address for broker in self.brokers),
            "kafka_security": "SASL_SSL",
            "kafka_user": user,
            "kafka_password": self._password,
            "kafka_ca_file": str(self._ca),
            "replication_factor": len(self.brokers),
        }

    def settings(self, user: str = ADMIN) -> Settings:
        """The same, as Settings."""
        return Settings(**self.variables(user))

    @property
    def admin(self) -> AdminClient:
        """The administrator's client."""
        if self._admin is None:
            self._admin = AdminClient(librdkafka(self.settings()) | {"log_level": 2})
        return self._admin

    def add_user(self, user: str, *allowed: Grant) -> None:
        """A SCRAM user and what it may do."""
        credentials = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        made = UserScramCredentialUpsertion(user, credentials, self._password.encode())
        for answer in self.admin.alter_user_scram_credentials([made]).values():
            answer.result(30)
        if allowed:
            for answer in self.admin.create_acls([_binding(user, g) for g in allowed]).values():
                answer.result(30)

    def short(self) -> list[str]:
        """Partitions that lack a copy in sync now, as topic/partition; all if nobody answers."""
        try:
            topics = self.admin.list_topics(timeout=5).topics
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
        found = self.admin.list_topics(topic, timeout=10).topics[topic].partitions.values()
        return {b.number: sum(p.leader == b.number for p in found) for b in self.brokers}


def _brokers(folder: Path, home: KafkaHome) -> list[Broker]:
    issuer = Issuer(folder / "certificates")
    numbers = (1, 2, 3)
    asked = tuple(
        PortRequest(f"{kind}{n}") for n in numbers for kind in ("clients", "internal", "c")
    )
    ports = choose(asked, {})
    voters = ",".join(f"{n}@127.0.0.1:{ports[f'c{n}']}" for n in numbers)
    made = []
    for n in numbers:
        own = issuer.issue(f"broker-{n}")
        properties = {
            "node.id": str(n),
            "controller.quorum.voters": voters,
            **_listeners(ports[f"clients{n}"], ports[f"internal{n}"], ports[f"c{n}"]),
            **_security(own, folder / f"broker-{n}.keystore"),
            **_COPIES,
        }
        node = KafkaNode(
            home, folder / f"broker-{n}", ports[f"clients{n}"], ports[f"c{n}"], properties
        )
        made.append(Broker(node, n))
    return made


_COPIES: Final = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
    "leader.imbalance.check.interval.seconds": "5",
}


def _listeners(clients: int, internal: int, controller: int) -> dict[str, str]:
    listeners = ",".join(
        f"{name}://127.0.0.1:{port}"
        for name, port in (("CLIENTS", clients), ("INTERNAL", internal), ("CONTROLLER", controller))
    )
    return {
        "listeners": listeners,
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "CLIENTS:SASL_SSL,INTERNAL:SSL,CONTROLLER:SSL",
        "inter.broker.listener.name": "INTERNAL",
    }


def _security(own: Issued, keystore: Path) -> dict[str, str]:
    keystore.write_bytes(own.key.read_bytes() + own.certificate.read_bytes())
    supers = (*(f"broker-{n}" for n in (1, 2, 3)), ADMIN)
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(keystore),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(own.ca),
        "listener.name.internal.ssl.client.auth": "required",
        "listener.name.controller.ssl.client.auth": "required",
        "ssl.principal.mapping.rules": "RULE:^CN=(.*?)(,.*)?$/$1/",
        "listener.name.clients.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.clients.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": ";".join(f"User:{name}" for name in supers),
    }


def _binding(user: str, grant: Grant) -> AclBinding:
    kinds = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP}
    return AclBinding(
        kinds[grant.kind],
        grant.name,
        ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        _OPERATIONS[grant.operation],
        AclPermissionType.ALLOW,
    )


@contextmanager
def running_brokers(folder: Path, password: str = "only-for-tests") -> Iterator[Brokers]:
    """Three brokers under `folder`, ready; they end with the block."""
    cluster = Brokers(folder, password)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
