"""Apache Kafka itself on a machine with nothing but Python: fetched once, one KRaft node."""

from deploy.embedded.kafka.fetch import KafkaFetchError, KafkaHome, ensure, verify
from deploy.embedded.kafka.node import KafkaNode

__all__ = ["KafkaFetchError", "KafkaHome", "KafkaNode", "ensure", "verify"]
