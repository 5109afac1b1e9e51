"""A check-in as a scan: pseudonym, event id, the record on `scans.v1`."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from console.importer.rows import CheckIn
from console.importer.times import moment_of
from schemas.errors import UserError
from schemas.ids import partition_of, person_text
from schemas.scan import Method, format_timestamp

PRODUCER: Final = "import"
DEVICE: Final = "import"
METHOD: Final = Method.TYPED
_PERSONS_KEPT: Final = 1 << 20


class Pseudonyms:
    """Source ids to pseudonyms, by a keyed hash: without the key nobody finds the way back."""

    def __init__(self, key_hex: str) -> None:
        try:
            key = bytes.fromhex(key_hex)
        except ValueError:
            key = b""
        if not 16 <= len(key) <= hashlib.blake2b.MAX_KEY_SIZE:
            raise UserError(
                "TRUYVET_PERSON_KEY chưa có hoặc sai; `truyvet up` tạo ra nó. / "
                "TRUYVET_PERSON_KEY is not set, or not 16 to 64 bytes in hexadecimal; "
                "`truyvet up` makes it, in truyvet.env of the data directory."
            )
        self._key = key

    def person(self, source_id: str) -> str:
        """The 13 characters of a source's person."""
        digest = hashlib.blake2b(
            source_id.encode(), digest_size=8, key=self._key, person=b"truyvet/import"
        )
        return person_text(int.from_bytes(digest.digest()))

    def event_id(self, person: str, place: int, time_ms: int, direction: str) -> str:
        """A UUID of version 8 made from the row: an identical row has an identical one.

        Keyed: who knows the scans cannot try out source ids against it.
        """
        row = f"{person}/{place}/{time_ms}/{direction}".encode()
        digest = hashlib.blake2b(row, digest_size=16, key=self._key, person=b"truyvet/event")
        bits = int.from_bytes(digest.digest())
        bits = bits & ~(0xF << 76) | (8 << 76)  # version 8 (RFC 9562)
        bits = bits & ~(3 << 62) | (2 << 62)  # its variant
        text = f"{bits:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class ScanMaker:
    """From check-ins to (partition, key, value). `places` and their codes are registered."""

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        places: Mapping[str, tuple[int, str]],
        shift_ms: int,
        partitions: int,
    ) -> None:
        self._pseudonyms = pseudonyms
        self._places = places
        self._shift_ms = shift_ms

        @lru_cache(_PERSONS_KEPT)
        def person_of(source_id: str) -> tuple[str, bytes, int]:
            person = pseudonyms.person(source_id)
            key = person.encode()
            return person, key, partition_of(key, partitions)

        self._person_of = person_of

    def make(self, row: CheckIn) -> tuple[int, bytes, bytes]:
        """One record. Raises UserError for a place that the first pass did not see."""
        found = self._places.get(row.place)
        if found is None:
            raise UserError(
                "Tệp đã thay đổi trong khi đang đọc: hãy nhập lại. / "
                "The file changed while it was being read: import it again."
            )
        place, token = found
        person, key, partition = self._person_of(row.person)
        time_ms = row.time_ms + self._shift_ms
        event_id = self._pseudonyms.event_id(person, place, time_ms, row.direction)
        value = (
            f'{{"event_id":"{event_id}","person":"{person}","code":"{token}",'
            f'"direction":"{row.direction}","scanned_at":"{format_timestamp(moment_of(time_ms))}",'
            f'"method":"{METHOD}","producer":"{PRODUCER}","device":"{DEVICE}"}}'
        )
        return partition, key, value.encode()
