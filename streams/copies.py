"""Whether the topics that are there keep as many copies as the settings promise."""

from collections.abc import Sequence
from typing import Any, Final

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.errors import UserError
from schemas.settings import Settings

MIN_INSYNC: Final = "min.insync.replicas"


async def check_copies(admin: Any, settings: Settings, topics: Sequence[str]) -> None:
    """Raises UserError that names the topics with fewer, and the command that mends them.

    More copies than asked for are nobody's harm. Nothing is changed here: moving copies about is
    the cluster's owner's to time.
    """
    if not topics:
        return
    few = []
    for topic in await admin.describe_topics(list(topics)):
        copies = min((len(p["replicas"]) for p in topic["partitions"]), default=0)
        if copies < settings.replication_factor:
            few.append(f"{topic['topic']} ({copies})")
    if few:
        copies = settings.replication_factor
        names = ", ".join(few)
        raise UserError(
            f"Các chủ đề này có ít bản sao hơn TRUYVET_REPLICATION_FACTOR = {copies}: {names}. "
            "Hãy dùng kafka-reassign-partitions, hoặc sửa cài đặt. / "
            f"These topics have fewer copies than TRUYVET_REPLICATION_FACTOR = {copies}: {names}. "
            "Give them more with kafka-reassign-partitions, or change the setting."
        )
    least = settings.insync_replicas
    low = [f"{name} ({found})" for name, found in await _least(admin, topics) if found < least]
    if low:
        names = ", ".join(low)
        raise UserError(
            f"Các chủ đề này có {MIN_INSYNC} dưới {least}: {names}. "
            f"Hãy dùng `kafka-configs --alter --add-config {MIN_INSYNC}={least}`. / "
            f"These topics have {MIN_INSYNC} below {least}: {names}. "
            f"Raise it with `kafka-configs --alter --add-config {MIN_INSYNC}={least}`."
        )


async def _least(admin: Any, topics: Sequence[str]) -> list[tuple[str, int]]:
    asked = [
        ConfigResource(ConfigResourceType.TOPIC, name, configs={MIN_INSYNC: None})
        for name in topics
    ]
    return [
        (name, int(entry[1]))
        for answer in await admin.describe_configs(asked)
        for _code, _words, _kind, name, entries in answer.resources
        for entry in entries
        if entry[0] == MIN_INSYNC
    ]
