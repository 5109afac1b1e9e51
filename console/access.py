"""Who may do what, where: area × sector × right; what is not said here is denied."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Protocol

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from console.admission import Admission, Work
from console.api.errors import ApiError
from console.store.engine import Store
from console.store.keys import ApiKey, Role, find_key
from issuer.units import contains, ward_codes


class Right(StrEnum):
    """What can be done."""

    SCANS_PUBLISH = "scans.publish"
    SCANS_TRACK = "scans.track"
    REJECTS_READ = "rejects.read"
    CASES_REGISTER = "cases.register"
    CASES_READ = "cases.read"
    CASES_END = "cases.end"
    CONTACTS_READ = "contacts.read"
    PLACES_READ = "places.read"
    PLACES_EDIT = "places.edit"
    CODES_MANAGE = "codes.manage"
    CODES_VERIFY = "codes.verify"
    CARDS_MANAGE = "cards.manage"
    PRODUCERS_READ = "producers.read"
    SITES_IMPORT = "sites.import"
    COVERAGE_READ = "coverage.read"
    POSTERS_REPORT = "posters.report"
    REQUIRED_MANAGE = "required.manage"
    INSPECTIONS_READ = "inspections.read"
    INSPECTIONS_WORK = "inspections.work"
    INSPECTIONS_REPLY = "inspections.reply"
    INSPECTIONS_DECIDE = "inspections.decide"
    REMINDERS_SEND = "reminders.send"
    STAFF_DECLARE = "staff.declare"
    STAFF_READ = "staff.read"
    REPORTS_READ = "reports.read"
    LIST_READ = "list.read"
    LIST_WORK = "list.work"
    LIST_HAND_OVER = "list.hand_over"
    LIST_ASSIGN = "list.assign"
    LIST_CONVERT = "list.convert"
    LIST_EXPORT = "list.export"
    PERSONS_ERASE = "persons.erase"


RIGHTS: Final[dict[Role, frozenset[Right]]] = {
    Role.PRODUCER: frozenset({Right.SCANS_PUBLISH, Right.SCANS_TRACK, Right.REJECTS_READ}),
    Role.OWNER: frozenset(),
    Role.OFFICER: frozenset(
        {
            Right.PLACES_READ,
            Right.PLACES_EDIT,
            Right.CODES_MANAGE,
            Right.CODES_VERIFY,
            Right.CARDS_MANAGE,
            Right.PRODUCERS_READ,
            Right.SITES_IMPORT,
            Right.COVERAGE_READ,
            Right.POSTERS_REPORT,
            Right.REQUIRED_MANAGE,
            Right.INSPECTIONS_READ,
            Right.INSPECTIONS_WORK,
            Right.INSPECTIONS_REPLY,
            Right.INSPECTIONS_DECIDE,
            Right.REMINDERS_SEND,
            Right.STAFF_DECLARE,
            Right.STAFF_READ,
            Right.REPORTS_READ,
            Right.REJECTS_READ,
            Right.LIST_READ,
            Right.LIST_WORK,
            Right.LIST_HAND_OVER,
        }
    ),
    Role.DEPARTMENT: frozenset(
        {
            Right.PLACES_READ,
            Right.CODES_VERIFY,
            Right.COVERAGE_READ,
            Right.REQUIRED_MANAGE,
            Right.INSPECTIONS_READ,
            Right.INSPECTIONS_DECIDE,
            Right.STAFF_READ,
            Right.REPORTS_READ,
        }
    ),
    Role.EPIDEMIOLOGIST: frozenset(
        {
            Right.CASES_REGISTER,
            Right.CASES_READ,
            Right.CASES_END,
            Right.CONTACTS_READ,
            Right.COVERAGE_READ,
            Right.PLACES_READ,
            Right.CODES_VERIFY,
            Right.SCANS_TRACK,
            Right.REJECTS_READ,
            Right.LIST_READ,
            Right.LIST_WORK,
            Right.LIST_HAND_OVER,
            Right.LIST_ASSIGN,
            Right.LIST_CONVERT,
            Right.LIST_EXPORT,
        }
    ),
    Role.AUDITOR: frozenset(),
    Role.PRIVACY: frozenset({Right.PERSONS_ERASE}),
    Role.ADMIN: frozenset(
        {
            Right.PRODUCERS_READ,
            Right.REJECTS_READ,
            Right.SITES_IMPORT,
            Right.COVERAGE_READ,
            Right.POSTERS_REPORT,
            Right.REQUIRED_MANAGE,
            Right.INSPECTIONS_READ,
            Right.PLACES_READ,
            Right.PLACES_EDIT,
            Right.CODES_MANAGE,
            Right.CODES_VERIFY,
            Right.CARDS_MANAGE,
        }
    ),
}

# Which work a right is of, when there is too much (`console.admission`); the others are edits.
_OF_CASES: Final = frozenset(
    {
        Right.CASES_REGISTER,
        Right.CASES_READ,
        Right.CASES_END,
        Right.CONTACTS_READ,
        Right.LIST_READ,
        Right.LIST_WORK,
        Right.LIST_HAND_OVER,
        Right.LIST_ASSIGN,
        Right.LIST_CONVERT,
    }
)
_OF_READING: Final = frozenset(
    {
        Right.SCANS_TRACK,
        Right.REJECTS_READ,
        Right.PLACES_READ,
        Right.PRODUCERS_READ,
        Right.COVERAGE_READ,
        Right.INSPECTIONS_READ,
        Right.STAFF_READ,
        Right.REPORTS_READ,
        Right.LIST_EXPORT,
    }
)

_KNOWN_S: Final = 5.0  # a revoked key works for at most this long
_KNOWN_MOST: Final = 10_000
_BEARER = HTTPBearer(
    auto_error=False, bearerFormat="tv_…", description="An API key: `Authorization: Bearer tv_…`."
)


class OfSector(Protocol):
    """What lies in a ward and belongs to a sector."""

    @property
    def ward(self) -> str:
        """Its ward's code."""
        ...

    @property
    def sector(self) -> str:
        """Its department's sector."""
        ...


@dataclass(frozen=True)
class Principal:
    """Who asks. `sector`: of a department, which sees what belongs to it in its area."""

    key_id: int
    role: Role
    area: str
    producer: str | None
    sector: str | None = None

    @property
    def by(self) -> str:
        """How records name them: never a person's name."""
        return f"key/{self.key_id}"

    def may(self, right: Right) -> bool:
        """Whether their role has the right."""
        return right in RIGHTS[self.role]

    def reaches(self, ward: str) -> bool:
        """Whether the ward is in their area."""
        return contains(self.area, ward)

    def wards(self, only: str | None = None) -> list[str] | None:
        """The wards that a list is of: `only` this one, none if it is outside; None: all."""
        if only is not None:
            return [only] if self.reaches(only) else []
        return ward_codes(self.area)

    def has(self, record: "OfSector") -> bool:
        """Whether a site, a place or what is like one is in their area and of their sector."""
        return self.reaches(record.ward) and self.sector in (None, record.sector)


class KeyRoom:
    """Looks keys up, and remembers those it found for a few seconds."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: OrderedDict[str, tuple[float, ApiKey]] = OrderedDict()

    async def find(self, secret: str) -> ApiKey | None:
        """The key with this secret; None if there is none or it is revoked."""
        now = time.monotonic()
        found = self._known.get(secret)
        if found and found[0] > now:
            return found[1]
        key = await asyncio.to_thread(find_key, self._store, secret)
        if key is None:
            self._known.pop(secret, None)
            return None
        self._known[secret] = (now + _KNOWN_S, key)
        self._known.move_to_end(secret)
        if len(self._known) > _KNOWN_MOST:
            self._known.popitem(last=False)
        return key


class Requires:
    """A route's access declaration, and what holds it: `Depends(Requires(…))`."""

    def __init__(self, right: Right) -> None:
        self.right = right
        self.work = work_of(right)

    async def __call__(
        self,
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    ) -> Principal:
        """The one who asks. 401 without a good key, 403 without the right, 503 without room."""
        if credentials is None:
            raise _unknown(
                "Thiếu khoá API: hãy gửi 'Authorization: Bearer tv_…'.",
                "The API key is missing: send 'Authorization: Bearer tv_…'.",
            )
        keys: KeyRoom = request.app.state.console.keys
        key = await keys.find(credentials.credentials)
        if key is None:
            raise _unknown(
                "Khoá API không đúng hoặc đã bị thu hồi.", "The API key is wrong or revoked."
            )
        principal = Principal(key.id, key.role, key.area, key.producer, key.sector)
        structlog.contextvars.bind_contextvars(key=key.id)
        if not principal.may(self.right):
            raise forbidden(
                f"Vai trò '{principal.role}' không có quyền '{self.right}'.",
                f"The role '{principal.role}' does not have the right '{self.right}'.",
            )
        admission: Admission = request.app.state.console.admission
        await admission.enter(request.scope, self.work)
        return principal


def work_of(right: Right) -> Work:
    """What is done with it, as far as it matters who goes first."""
    if right is Right.SCANS_PUBLISH:
        return Work.SCANS
    if right in _OF_CASES:
        return Work.CASES
    return Work.READING if right in _OF_READING else Work.EDITS


def forbidden(vi: str, en: str) -> ApiError:
    """403: known, but not allowed."""
    return ApiError(403, "forbidden", vi, en)


def _unknown(vi: str, en: str) -> ApiError:
    return ApiError(401, "unauthorized", vi, en, headers={"WWW-Authenticate": "Bearer"})
