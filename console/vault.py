"""The way to names and phones. The identity vault comes later: until then nobody is in it.

Whatever needs a name or a phone is written against `IdentityVault`. Its answers go to a screen or
a file of somebody who may see them, never to a log, a topic or an address.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

NO_VAULT: Final = (
    "Kho định danh chưa có: cột họ tên và số điện thoại để trống.",
    "There is no identity vault yet: the columns of names and phones are empty.",
)
NO_PHONES: Final = (
    "Kho định danh chưa có: không so được số điện thoại, nên không gộp ai theo số điện thoại.",
    "There is no identity vault yet: phones cannot be compared, so nobody is merged by phone.",
)


@dataclass(frozen=True)
class Identity:
    """What the vault knows of a person; a phone is as it was verified, or unverified."""

    first_name: str
    last_name: str
    phone: str
    phone_verified: bool


class IdentityVault(Protocol):
    """Names and phones by person. Each look-up is for a case, which is its reason."""

    @property
    def note(self) -> tuple[str, str] | None:
        """What a reader of its answers must know, in both languages; None if nothing."""

    def lookup(self, case_id: str, persons: Sequence[str]) -> dict[str, Identity]:
        """Those it knows, by person; at most a page of them at once."""

    def same_phone(self, case_id: str, first: str, second: str) -> bool | None:
        """Whether both have the same verified phone; None if it cannot be said."""


class NoVault:
    """There is none yet: it knows nobody, and says so."""

    note: tuple[str, str] | None = NO_VAULT

    def lookup(self, case_id: str, persons: Sequence[str]) -> dict[str, Identity]:  # noqa: ARG002
        """Nobody."""
        return {}

    def same_phone(self, case_id: str, first: str, second: str) -> bool | None:  # noqa: ARG002
        """It cannot be said."""
        return None
