"""Who may do what on Kafka: the least that each process needs, by role.

Brokers hold these with `StandardAuthorizer`, everything else refused. A producer that publishes
straight to the topic has a user of its own, named as it is registered, and may only write scans;
the console, the workers and `truyvet migrate` have one each. Brokers check who writes, not what:
that a scan's `producer` is the user who sent it is the operator's word (docs/security.md).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from schemas.topics import (
    ALERTS,
    CASES,
    COVERAGE,
    DLQ,
    ERASURES,
    INSPECTIONS,
    NOTICES,
    PRODUCERS,
    SCANS,
    SITES,
    TOPICS,
    TRACES,
)  # fmt: skip


class KafkaRole(StrEnum):
    """A kind of Kafka user."""

    MIGRATE = "migrate"
    WORKER = "worker"
    CONSOLE = "console"
    PRODUCER = "producer"


@dataclass(frozen=True)
class Grant:
    """One operation (Kafka's name) allowed on one topic, or on the workers' group."""

    operation: Literal["Read", "Write", "Describe", "Create", "DescribeConfigs"]
    kind: Literal["topic", "group"]
    name: str


def _topics(operation: Literal["Read", "Write"], *names: str) -> tuple[Grant, ...]:
    return tuple(Grant(operation, "topic", name) for name in names)


def grants(role: KafkaRole, group: str) -> tuple[Grant, ...]:
    """What a role's user is allowed; `group` is the workers' consumer group."""
    on_group = tuple(Grant(operation, "group", group) for operation in _ON_GROUP[role])
    return _ON_TOPICS[role] + on_group


def lines(role: KafkaRole, group: str) -> list[str]:
    """The same for `deploy/kafka/users.sh`: user, operation, kind, names."""
    named: dict[tuple[str, str], list[str]] = {}
    for grant in grants(role, group):
        named.setdefault((grant.operation, grant.kind), []).append(grant.name)
    return [
        f"{role} {operation} {kind} {' '.join(names)}" for (operation, kind), names in named.items()
    ]


_ON_GROUP: Final[dict[KafkaRole, tuple[Literal["Read", "Describe"], ...]]] = {
    KafkaRole.MIGRATE: (),
    KafkaRole.WORKER: ("Read",),
    KafkaRole.CONSOLE: ("Describe",),
    KafkaRole.PRODUCER: (),
}
# Read and Write allow Describe; an idempotent producer needs no more than Write on its topic.
_ON_TOPICS: Final[dict[KafkaRole, tuple[Grant, ...]]] = {
    KafkaRole.MIGRATE: tuple(
        grant for topic in TOPICS for grant in (
            Grant("Create", "topic", topic.name),
            Grant("Describe", "topic", topic.name),
            Grant("DescribeConfigs", "topic", topic.name),
        )
    ),
    KafkaRole.WORKER: (
        *_topics(
            "Read", SCANS.name, SITES.name, PRODUCERS.name, CASES.name, TRACES.name, ERASURES.name
        ),
        *_topics("Write", DLQ.name, ALERTS.name, TRACES.name),
    ),
    KafkaRole.CONSOLE: (
        *_topics(
            "Write", SCANS.name, SITES.name, COVERAGE.name, PRODUCERS.name, CASES.name,
            NOTICES.name, INSPECTIONS.name, ERASURES.name,
        ),
        *_topics(
            "Read", SCANS.name, SITES.name, COVERAGE.name, CASES.name, DLQ.name, ALERTS.name,
            ERASURES.name,
        ),
    ),
    KafkaRole.PRODUCER: _topics("Write", SCANS.name),
}  # fmt: skip
