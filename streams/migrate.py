"""Topics and ClickHouse tables as `schemas` says they are. Safe twice, and from two processes.

Every statement is idempotent and numbers only grow, so two that run at once do the same work.
"""

import asyncio
from collections.abc import Iterator

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from schemas.clickhouse import migrations
from schemas.errors import Fatal, Retryable, UserError
from schemas.kafka import connection
from schemas.settings import Settings
from schemas.topics import TOPICS
from streams.clickhouse import ClickHouse
from streams.copies import MIN_INSYNC, check_copies

log = structlog.get_logger()

_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number UInt32, name String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY number
"""


def migrate(settings: Settings) -> list[str]:
    """Create what is missing; what was done, one line each. Raises UserError if it cannot."""
    try:
        return [*make_topics(settings), *migrate_tables(settings)]
    except (KafkaError, OSError) as error:
        raise UserError(
            f"Không kết nối được Kafka tại {settings.kafka_bootstrap} ({error}). Kafka đã chạy "
            "chưa? Xem `truyvet doctor`. / "
            f"Kafka at {settings.kafka_bootstrap} cannot be reached ({error}). Is it running? See "
            "`truyvet doctor`."
        ) from None
    except (Retryable, Fatal) as error:
        raise UserError(
            f"Không cập nhật được ClickHouse tại {settings.clickhouse_url} ({error}). Xem `truyvet "
            "doctor`. / "
            f"ClickHouse at {settings.clickhouse_url} cannot be migrated ({error}). See `truyvet "
            "doctor`."
        ) from None


def make_topics(settings: Settings) -> list[str]:
    """The topics only; what was done, one line each. Raises KafkaError, OSError, UserError."""
    return asyncio.run(_topics(settings))


async def _topics(settings: Settings) -> list[str]:
    admin = AIOKafkaAdminClient(**connection(settings), request_timeout_ms=20_000)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        await check_copies(admin, settings, [t.name for t in TOPICS if t.name in existing])
        wanted = [
            NewTopic(
                topic.name,
                num_partitions=topic.partitions or settings.scan_partitions,
                replication_factor=settings.replication_factor,
                topic_configs={
                    **topic.config(settings.retention_days),
                    MIN_INSYNC: str(settings.insync_replicas),
                },
            )
            for topic in TOPICS
            if topic.name not in existing
        ]
        if not wanted:
            return []
        answer = await admin.create_topics(wanted, timeout_ms=20_000)
        for name, code, *words in answer.topic_errors:
            error = for_code(code)
            if code != 0 and error is not TopicAlreadyExistsError:
                raise KafkaError(f"topic {name}: {error.__name__} {words}")
        return [f"topic {topic.name}" for topic in wanted]
    finally:
        await admin.close()


def migrate_tables(settings: Settings) -> Iterator[str]:
    """The tables only; what was done, one line each. Raises Retryable or Fatal."""
    clickhouse = ClickHouse(settings, timeout_s=60)
    try:
        shape = clickhouse.shape
        for statement in shape.statements(_LEDGER.strip()):
            clickhouse.command(statement)
        done = {number for (number,) in clickhouse.rows("SELECT number FROM schema_migrations")}
        for migration in migrations(settings.retention_days):
            if migration.number in done:
                continue
            for written in migration.statements:
                for statement in shape.statements(written):
                    clickhouse.command(statement)
            clickhouse.command(
                "INSERT INTO schema_migrations (number, name) "  # noqa: S608 (our own files' names)
                f"VALUES ({migration.number}, '{migration.name}')"
            )
            yield f"table migration {migration.number:04d} {migration.name}"
    finally:
        clickhouse.close()
