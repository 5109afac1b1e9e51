"""How every Kafka client of truyvet connects: one place, from the settings.

Names of options are the client libraries' own. Servers' certificates and names are always
verified; producers wait for every copy that is in sync (`acks=all`).
"""

import ssl
from typing import Any

from schemas.settings import Settings


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """The context of a TLS connection to the brokers; None when the line is plain."""
    if not settings.kafka_security.endswith("SSL"):
        return None
    context = ssl.create_default_context(cafile=settings.kafka_ca_file or None)
    if settings.kafka_certificate_file:
        context.load_cert_chain(settings.kafka_certificate_file, settings.kafka_key_file)
    return context


def connection(settings: Settings) -> dict[str, Any]:
    """What aiokafka's consumers, producers and admin clients are given."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap,
        "security_protocol": settings.kafka_security,
        "ssl_context": tls_context(settings),
    }
    if settings.kafka_security.startswith("SASL"):
        options |= {
            "sasl_mechanism": settings.kafka_mechanism,
            "sasl_plain_username": settings.kafka_user,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    return options


def of_no_group(settings: Settings) -> dict[str, Any]:
    """What aiokafka's consumers are given that read whole topics and keep their own account of how
    far: without a group they are assigned all partitions."""
    return connection(settings) | {
        "group_id": None,
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        "max_partition_fetch_bytes": 4 * 1024 * 1024,
    }


def librdkafka(settings: Settings) -> dict[str, Any]:
    """The same for confluent-kafka."""
    options = {
        "bootstrap.servers": settings.kafka_bootstrap,
        "security.protocol": settings.kafka_security,
    }
    if settings.kafka_security.startswith("SASL"):
        options |= {
            "sasl.mechanism": settings.kafka_mechanism,
            "sasl.username": settings.kafka_user,
            "sasl.password": settings.kafka_password.get_secret_value(),
        }
    files = {
        "ssl.ca.location": settings.kafka_ca_file,
        "ssl.certificate.location": settings.kafka_certificate_file,
        "ssl.key.location": settings.kafka_key_file,
    }
    return options | {name: path for name, path in files.items() if path}
