"""`python -m deploy.kubernetes.generate`: Strimzi's topics and users as `schemas` has them.

Writes `kafka-topics.yaml` and `kafka-users.yaml` beside this file; a test compares them.
"""

from pathlib import Path
from typing import Final

from schemas.acls import KafkaRole, grants
from schemas.topics import TOPICS

HERE: Final = Path(__file__).parent
PARTITIONS, COPIES, INSYNC, RETENTION_DAYS = 16, 3, 2, 21
_HEAD: Final = "# Written by deploy/kubernetes/generate.py from schemas/; changed there.\n"
_LABELS: Final = "  namespace: kafka\n  labels: {strimzi.io/cluster: truyvet}\n"


def topics() -> str:
    """A KafkaTopic for each topic."""
    return _HEAD + "---\n".join(
        "apiVersion: kafka.strimzi.io/v1beta2\n"
        "kind: KafkaTopic\n"
        f"metadata:\n  name: {topic.name}\n{_LABELS}"
        f"spec:\n  partitions: {topic.partitions or PARTITIONS}\n  replicas: {COPIES}\n  config:\n"
        + "".join(
            f'    {name}: "{value}"\n'
            for name, value in {
                **topic.config(RETENTION_DAYS),
                "min.insync.replicas": str(INSYNC),
            }.items()
        )
        for topic in TOPICS
    )


def users() -> str:
    """A KafkaUser for each process, and one for a producer to copy."""
    return _HEAD + "---\n".join(_user(role) for role in KafkaRole)


def _user(role: KafkaRole) -> str:
    named: dict[tuple[str, str], list[str]] = {}
    for grant in grants(role, "truyvet"):
        named.setdefault((grant.kind, grant.name), []).append(grant.operation)
    return (
        "apiVersion: kafka.strimzi.io/v1beta2\n"
        "kind: KafkaUser\n"
        f"metadata:\n  name: truyvet-{role}\n{_LABELS}"
        "spec:\n"
        "  authentication: {type: scram-sha-512}\n"
        "  authorization:\n    type: simple\n    acls:\n"
        + "".join(
            f"      - resource: {{type: {kind}, name: {name}, patternType: literal}}\n"
            f"        operations: [{', '.join(operations)}]\n"
            for (kind, name), operations in named.items()
        )
    )


if __name__ == "__main__":
    (HERE / "kafka-topics.yaml").write_text(topics(), "utf-8")
    (HERE / "kafka-users.yaml").write_text(users(), "utf-8")
