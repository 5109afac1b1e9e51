"""Photos of inspections: kept beside the steps that name them, few and small, as bare pictures."""

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import func, insert, select, update

from console.inspections.photos import MOST_BYTES, digest, media_type
from console.inspections.pictures import Damaged, bare
from console.store import tables
from console.store.engine import Store, utc_now
from console.store.errors import Conflict, NotFound
from console.store.sites import locked_places
from schemas.errors import UserError

MOST_OF_ONE: Final = 12  # of an inspection, from its first check to its last


@dataclass(frozen=True)
class Photo:
    """One picture, without what the camera wrote into its file."""

    media_type: str
    data: bytes


def keep_photo(store: Store, inspection: str, name: str, data: bytes, *, by: str) -> str:
    """Keep the picture under the hash of the file as it was sent; its media type. Kept before,
    nothing changes.

    Raises UserError for what is no picture, too large or not what its name says; NotFound without
    the inspection; Conflict when it has `MOST_OF_ONE` already.
    """
    kind, picture = checked(name, data)
    i, f = tables.inspections.c, tables.inspection_photos.c
    with store.write() as connection:
        place = connection.scalar(select(i.place).where(i.id == inspection))
        if place is None:
            raise NotFound(
                f"Không có đợt kiểm tra {inspection}: gửi bước kiểm tra trước ảnh. / "
                f"There is no inspection {inspection}: send its check before the photo."
            )
        locked_places(connection, [place])
        of_it = f.inspection == inspection
        if connection.scalar(select(f.by).where(of_it, f.sha256 == name)) is not None:
            return kind
        count = connection.scalar(select(func.count()).where(of_it)) or 0
        if count >= MOST_OF_ONE:
            raise Conflict(
                f"Mỗi đợt kiểm tra giữ tối đa {MOST_OF_ONE} ảnh. / "
                f"An inspection keeps at most {MOST_OF_ONE} photos."
            )
        row = {
            "inspection": inspection,
            "sha256": name,
            "media_type": kind,
            "data": picture,
            "recorded_at": utc_now(),
            "by": by,
        }
        connection.execute(insert(tables.inspection_photos), [row])
    return kind


def photo(store: Store, inspection: str, name: str) -> Photo | None:
    """One file, or None."""
    f = tables.inspection_photos.c
    query = select(f.media_type, f.data).where(f.inspection == inspection, f.sha256 == name)
    with store.read() as connection:
        row = connection.execute(query).first()
    return Photo(row.media_type, bytes(row.data)) if row else None


def photos_of(store: Store, inspection: str) -> set[str]:
    """The hashes of the files that have arrived, as they were sent."""
    f = tables.inspection_photos.c
    with store.read() as connection:
        query = select(f.sha256).where(f.inspection == inspection)
        return set(connection.execute(query).scalars())


@dataclass
class Bared:
    """Photos looked at, those that lost something, and (inspection, sha256) of what is damaged."""

    looked: int = 0
    changed: int = 0
    damaged: list[tuple[str, str]] = field(default_factory=list)


def bare_all(store: Store) -> Bared:
    """Every photo kept as `keep_photo` keeps it now: those stored before it took off what cameras
    write lose it. One at a time; broken off, call it again. A damaged one stays as it is."""
    f = tables.inspection_photos.c
    with store.read() as connection:
        query = select(f.inspection, f.sha256).order_by(f.inspection, f.sha256)
        names = [(row.inspection, row.sha256) for row in connection.execute(query)]
    done = Bared()
    for inspection, name in names:
        this = (f.inspection == inspection) & (f.sha256 == name)
        with store.write() as connection:
            data = connection.scalar(select(f.data).where(this))
            if data is None:
                continue
            done.looked += 1
            try:
                picture = bare(bytes(data))
            except Damaged:
                done.damaged.append((inspection, name))
                continue
            if picture != bytes(data):
                connection.execute(
                    update(tables.inspection_photos).where(this).values(data=picture)
                )
                done.changed += 1
    return done


def checked(name: str, data: bytes) -> tuple[str, bytes]:
    """The file's media type, and its picture alone. Raises UserError."""
    if len(data) > MOST_BYTES:
        raise UserError(
            f"Ảnh tối đa {MOST_BYTES >> 20} MiB, tệp này {len(data) / 2**20:.1f}: hãy thu nhỏ. / "
            f"A photo has at most {MOST_BYTES >> 20} MiB, this file {len(data) / 2**20:.1f}: "
            "make it smaller."
        )
    kind = media_type(data)
    if kind is None:
        raise UserError("Chỉ nhận ảnh JPEG, PNG hoặc WebP. / Only JPEG, PNG or WebP pictures.")
    if digest(data) != name:
        raise UserError(
            "Nội dung ảnh không khớp mã SHA-256: hãy gửi lại. / "
            "The bytes are not those of this SHA-256: send it again."
        )
    try:
        return kind, bare(data)
    except Damaged:
        raise UserError(
            "Tệp ảnh hỏng hoặc chưa gửi đủ: hãy gửi lại. / "
            "The picture's file is damaged or not whole: send it again."
        ) from None
