"""A log whose head retention has cut, made in a moment: the topic then begins at any offset.

Kafka names a segment by its first offset and takes a log's start from its first segment. So an
empty segment that is renamed while the broker is down is a log whose earlier records are gone,
as after weeks of retention; rows of those offsets can then be filled into the tables.
"""

from pathlib import Path

from schemas.errors import UserError

_FIRST = "00000000000000000000"


def cut_head(kafka_dir: Path, topic: str, partitions: int, first: int) -> None:
    """Let each partition of an empty topic begin at `first`. The broker must be stopped.

    Raises UserError if the topic is not there or not empty.
    """
    for partition in range(partitions):
        folder = kafka_dir / "data" / f"{topic}-{partition}"
        segment = folder / f"{_FIRST}.log"
        if not segment.is_file() or segment.stat().st_size:
            raise UserError(
                f"{folder} không phải một phân vùng trống. / {folder} is not an empty partition."
            )
        for suffix in ("index", "timeindex", "snapshot", "txnindex"):
            (folder / f"{_FIRST}.{suffix}").unlink(missing_ok=True)
        segment.rename(folder / f"{first:020d}.log")
