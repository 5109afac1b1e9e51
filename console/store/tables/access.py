"""Who may publish, and who may ask."""

from typing import Final

from sqlalchemy import JSON, Boolean, Integer, String, Table, Text

from console.store.column import Moment, column
from console.store.tables.base import metadata

producers: Final = Table(
    "producers",
    metadata,
    column("id", String(32), primary_key=True),
    column("version", Integer),
    column("name", Text),
    column("active", Boolean),
    column("methods", JSON(none_as_null=True), nullable=True),
    column("places", JSON(none_as_null=True), nullable=True),
    column("wards", JSON(none_as_null=True), nullable=True),
)

# A key is 256 random bits, so its plain SHA-256 cannot be guessed back; the key is kept nowhere.
api_keys: Final = Table(
    "api_keys",
    metadata,
    column("id", Integer, primary_key=True),
    column("sha256", String(64), unique=True),
    column("name", Text),
    column("role", String(32)),
    column("area", String(64)),
    column("sector", String(64), nullable=True),
    column("producer", String(32), nullable=True),
    column("created_at", Moment),
    column("revoked_at", Moment, nullable=True),
)
