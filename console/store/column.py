"""Columns as the tables have them: not null, times with their zone, wide ids."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Column, DateTime, Dialect, Integer, TypeDecorator
from sqlalchemy.types import BigInteger

BigId: Final = BigInteger().with_variant(Integer, "sqlite")


class Moment(TypeDecorator[datetime]):
    """A time with its zone, UTC: SQLite keeps none, so it is taken off and put back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        """UTC on the way in; a time without a zone is a mistake of the caller."""
        if value is None:
            return None
        assert value.utcoffset() is not None, "a time needs a time zone"
        return value.astimezone(UTC)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        """UTC on the way out."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def column(name: str, kind: Any, *also: Any, **options: Any) -> Column[Any]:
    """A column that is never null, unless said otherwise."""
    return Column(name, kind, *also, nullable=options.pop("nullable", False), **options)
