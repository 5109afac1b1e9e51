"""API keys: shown once, kept only as their SHA-256."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, insert, select, update

from console.store import tables
from console.store.engine import Store, utc_now
from console.store.errors import NotFound
from console.store.producers import list_producers
from issuer.kinds import sectors
from issuer.units import EVERYWHERE, check_area, contains
from schemas.errors import UserError


class Role(StrEnum):
    """What a key's holder is. The city's accounts office comes later."""

    PRODUCER = "producer"
    OWNER = "owner"
    OFFICER = "officer"
    DEPARTMENT = "department"
    EPIDEMIOLOGIST = "epidemiologist"
    AUDITOR = "auditor"
    ADMIN = "admin"
    PRIVACY = "privacy"


KEY_PREFIX: Final = "tv_"
_SECRET: Final = re.compile(r"tv_[A-Za-z0-9_-]{43,}")


@dataclass(frozen=True)
class ApiKey:
    """Who a key stands for: a role, an area, for a department its sector, for a producer its id."""

    id: int
    name: str
    role: Role
    area: str
    producer: str | None
    created_at: datetime
    revoked_at: datetime | None = None
    sector: str | None = None


def create_key(
    store: Store,
    role: Role,
    area: str,
    *,
    producer: str | None = None,
    sector: str | None = None,
    name: str,
) -> str:
    """A new key; this is the only time it can be seen."""
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    ensure_key(store, secret, role, area, producer=producer, sector=sector, name=name)
    return secret


def ensure_key(
    store: Store,
    secret: str,
    role: Role,
    area: str,
    *,
    producer: str | None = None,
    sector: str | None = None,
    name: str,
) -> ApiKey:
    """The key with this secret; made if there is none. One that was revoked stays revoked.

    Raises UserError if the secret is not `tv_` and at least 43 characters (256 bits), if there
    is no such area, or if the key of a producer or a department does not say whose it is.
    """
    if not _SECRET.fullmatch(secret):
        raise UserError(
            "Khoá API phải là 'tv_' và ít nhất 43 ký tự ngẫu nhiên. / "
            "An API key is 'tv_' and at least 43 random characters."
        )
    try:
        check_area(area)
    except ValueError as error:
        raise UserError(f"Không có địa bàn này. / {error}.") from None
    if (role is Role.PRODUCER) != (producer is not None):
        raise UserError(
            "Khoá của nguồn gửi, và chỉ khoá đó, phải ghi mã nguồn gửi. / "
            "A producer's key, and no other, names the producer."
        )
    _check_sector(role, sector)
    if producer is not None and area != EVERYWHERE:
        _check_reach(store, producer, area)
    digest = _digest(secret)
    with store.write() as connection:
        k = tables.api_keys
        row = connection.execute(select(k).where(k.c.sha256 == digest)).first()
        if row is None:
            values = {
                "sha256": digest,
                "name": name,
                "role": role.value,
                "area": area,
                "producer": producer,
                "sector": sector,
                "created_at": utc_now(),
            }
            row = connection.execute(insert(k).values(values).returning(k)).one()
    return _key(row)


def _check_sector(role: Role, sector: str | None) -> None:
    if (role is Role.DEPARTMENT) != (sector is not None):
        raise UserError(
            "Khoá của sở, ngành, và chỉ khoá đó, phải ghi ngành. / "
            "A department's key, and no other, names its sector."
        )
    if sector is not None and sector not in sectors():
        there = ", ".join(sectors())
        raise UserError(
            f"Không có ngành {sector!r}: {there}. / There is no sector {sector!r}: {there}."
        )


def _check_reach(store: Store, producer: str, area: str) -> None:
    """A producer reports what its record allows (the workers judge each place by it), so a key
    for less than everywhere needs a record for no more than the key's area."""
    record = next((p for p in list_producers(store) if p.id == producer), None)
    wards = record.wards if record is not None else None
    if not wards or not all(contains(area, ward) for ward in wards):
        raise UserError(
            f"Nguồn gửi {producer} chưa được giới hạn trong địa bàn {area}: đặt các xã, phường cho "
            f"nó trước (`truyvet producers put`). / Producer {producer} is not limited to {area}: "
            "give it its wards first (`truyvet producers put`)."
        )


def find_key(store: Store, secret: str) -> ApiKey | None:
    """The key with this secret, unless there is none or it is revoked."""
    if not _SECRET.fullmatch(secret):
        return None
    k = tables.api_keys
    query = select(k).where(k.c.sha256 == _digest(secret), k.c.revoked_at.is_(None))
    with store.read() as connection:
        row = connection.execute(query).first()
    return _key(row) if row else None


def revoke_key(store: Store, key_id: int) -> None:
    """Refuse it from now on. Raises NotFound if there is none."""
    k = tables.api_keys
    change = update(k).where(k.c.id == key_id, k.c.revoked_at.is_(None))
    with store.write() as connection:
        if connection.scalar(select(k.c.id).where(k.c.id == key_id)) is None:
            raise NotFound(f"Không có khoá {key_id}. / There is no key {key_id}.")
        connection.execute(change.values(revoked_at=utc_now()))


def key_by_id(store: Store, key_id: int) -> ApiKey | None:
    """The key with this number, also one that is revoked; None if there is none."""
    k = tables.api_keys
    with store.read() as connection:
        row = connection.execute(select(k).where(k.c.id == key_id)).first()
    return _key(row) if row else None


def list_keys(store: Store) -> list[ApiKey]:
    """All keys, by id; never their secrets."""
    with store.read() as connection:
        rows = connection.execute(select(tables.api_keys).order_by(tables.api_keys.c.id)).all()
    return [_key(row) for row in rows]


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        row.id,
        row.name,
        Role(row.role),
        row.area,
        row.producer,
        row.created_at,
        row.revoked_at,
        row.sector,
    )
