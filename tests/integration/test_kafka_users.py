"""`deploy/kafka/users.sh` against three brokers with Kafka's own commands, twice."""

import subprocess
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException

from schemas.acls import KafkaRole, grants
from schemas.kafka import librdkafka
from schemas.topics import SCANS
from streams.migrate import make_topics
from tests.brokers import KAFKA, admin, running_brokers
from tests.integration.test_three_brokers import send


@pytest.mark.timeout(900)
def test_users_and_acls_are_made_and_again_is_nothing(tmp_path: Path) -> None:
    for role in KafkaRole:
        (tmp_path / f"kafka_{role}").write_text("only-for-tests")
    with running_brokers(tmp_path / "brokers") as brokers:
        own = brokers.folder / "certificates"
        (own / "kafka-admin.keystore.pem").write_bytes(
            (own / "admin.key").read_bytes() + (own / "admin.pem").read_bytes()
        )
        properties = (KAFKA / "admin.properties").read_text("utf-8")
        (tmp_path / "admin.properties").write_text(properties.replace("/run/secrets", str(own)))
        env = brokers.env | {
            "SERVER": f"127.0.0.1:{brokers.brokers[0].ports[1]}",
            "ADMIN": str(tmp_path / "admin.properties"),
            "SECRETS": str(tmp_path),
            "RUN": str(tmp_path),
        }
        for _ in range(2):
            subprocess.run(["sh", KAFKA / "users.sh"], env=env, check=True, timeout=280)
        everything = admin.AclBindingFilter(
            admin.ResourceType.ANY, None, admin.ResourcePatternType.ANY, None, None,
            admin.AclOperation.ANY, admin.AclPermissionType.ANY,
        )  # fmt: skip
        found = brokers.client.describe_acls(everything).result(30)
        assert len(found) == sum(len(grants(role, "truyvet")) for role in KafkaRole)
        assert make_topics(brokers.settings("migrate"))
        send(librdkafka(brokers.settings("producer")), SCANS.name)
        with pytest.raises(KafkaException) as refused:
            send(librdkafka(brokers.settings("worker")), SCANS.name)
        assert refused.value.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
