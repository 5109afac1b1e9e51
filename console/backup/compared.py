"""What was put back, beside what the manifest says was there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from console.backup import relational
from console.backup.folder import Manifest, Part
from console.backup.pieces import Piece, Sums
from console.backup.take import TABLE, Told
from schemas.clickhouse import TTL_MARGIN_DAYS


@dataclass
class Restored:
    """What was put back and how it compares."""

    rows: dict[str, int] = field(default_factory=dict)
    aged: dict[str, int] = field(default_factory=dict)
    """Rows by table that retention took away since, or while they were put in."""
    moved: int = 0
    """Offsets by which new logs were brought to where the old ones ended."""
    lost: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By partition: records that are neither in the backup nor in Kafka any more, from and to."""
    newer: list[str] = field(default_factory=list)
    """Keys that were changed after the backup, as Kafka says."""
    wrong: list[str] = field(default_factory=list)
    """What does not compare; must be nothing."""


def compare_tables(
    restored: Restored, manifest: Manifest, sums: Sums, retention_days: int, told: Told
) -> None:
    """Each piece by its rows and its sum. Raises Retryable."""
    parts = [part for part in manifest.parts if part.of.startswith(TABLE)]
    done, total = 0, sum(part.rows for part in parts)
    for part in parts:
        told("comparing", done, total)
        piece = piece_of(part)
        rows, check = sums.of(piece)
        restored.rows[piece.table] = restored.rows.get(piece.table, 0) + rows
        if (rows, check) != (part.rows, part.check):
            if rows < part.rows and _past(piece, retention_days):
                aged = restored.aged
                aged[piece.table] = aged.get(piece.table, 0) + part.rows - rows
            else:
                restored.wrong.append(f"{part.name}: {rows} rows of {part.rows}")
        done += part.rows


def compare_relational(restored: Restored, manifest: Manifest, found: Mapping[str, int]) -> None:
    """Each table by its rows."""
    for what, rows in manifest.rows().items():
        name = what.removeprefix(relational.OF)
        if what.startswith(relational.OF):
            restored.rows[name] = found.get(name, 0)
            if restored.rows[name] != rows:
                restored.wrong.append(f"{name}: {restored.rows[name]} rows of {rows}")


def piece_of(part: Part) -> Piece:
    """The rows of a table that a part holds."""
    return Piece(part.of.removeprefix(TABLE), part.partition, part.where, part.rows)


def _past(piece: Piece, retention_days: int) -> bool:
    """Whether retention may have taken rows of the piece: its week began so long ago."""
    if not retention_days or not piece.partition.isdigit():
        return False
    begun = datetime.strptime(piece.partition, "%Y%m%d").replace(tzinfo=UTC)
    return datetime.now(UTC) - begun > timedelta(days=retention_days + TTL_MARGIN_DAYS)
