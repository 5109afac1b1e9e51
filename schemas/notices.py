"""What was released to somebody, as it goes out on `notices.v1`; so far reminders about coverage.

Never about a case: such a notice is an epidemiologist's to release and will be a kind of its own.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from schemas.coverage import PlaceId
from schemas.places import Record
from schemas.scan import Timestamp


class Reminder(Record):
    """A reminder that the responsible officer released. It names no person and no telephone.

    `to`: `site/<id>`, `required/<list>/<entry>` for an establishment that is not registered, or
    `ward/<code>` for what a loudspeaker says to all. `reason`: the stage of coverage it is behind
    at. `places`: which of its places are.
    """

    id: Annotated[int, Field(ge=1)]
    kind: Literal["reminder"] = "reminder"
    to: str
    ward: str
    reason: Literal["registered", "duty", "printed", "posted", "scanned"]
    channel: Literal["zalo", "loudspeaker", "email", "webhook"]
    lang: Literal["vi", "en"]
    title: str | None = None
    body: str
    places: tuple[PlaceId, ...] = ()
    reply_by: date
    released_at: Timestamp
    released_by: str
