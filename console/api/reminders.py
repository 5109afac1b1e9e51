"""Routes of reminders: proposed, shown, released by the officer responsible, and what helped."""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, TypeVar

import structlog
from fastapi import APIRouter, Depends, Path, Query, Response

from console.access import Principal, Requires, Right
from console.api.coverage import Area, asked_of
from console.api.documented import answers
from console.api.errors import not_found
from console.api.reminders_schemas import (
    ProposeReminders,
    ReleaseReminders,
    ReminderBatch,
    ReminderBatches,
    ReminderBatchWhole,
    ReminderEffects,
    ReminderMessage,
    SayUndelivered,
    TextEffect,
    UrgingText,
)
from console.api.state import Console, console_of
from console.reminders.desk import Desk, Wanted, desk_of, fields_of, shown_of
from console.reminders.files import FileKind, file_of
from console.reminders.texts import urging
from console.store import reminder_ends, reminder_rows
from console.store import reminders as store_
from console.store.errors import NotFound
from console.store.reminder_rows import Batch
from console.worklist.areas import covers
from issuer.units import ward as unit

log = structlog.get_logger()
router = APIRouter(prefix="/v1/reminders", tags=["reminders"])

ConsoleOf = Annotated[Console, Depends(console_of)]
Sends = Annotated[Principal, Depends(Requires(Right.REMINDERS_SEND))]
BatchId = Annotated[int, Path(ge=1, lt=2**31)]
_T = TypeVar("_T")
_NONE: Final = (
    "Không có đợt nhắc này trong địa bàn của khoá.",
    "There are no such reminders in this key's area.",
)
_FILES: Final[dict[FileKind, str]] = {
    "csv": "text/csv; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The texts.",
        "content": {media: {"example": "UBND phường … kính gửi …"} for media in _FILES.values()},
    }
}


@router.post("", status_code=201, summary="Propose reminders", responses=answers(404, 409, 503))
def propose(body: ProposeReminders, principal: Sends, console: ConsoleOf) -> ReminderBatchWhole:
    """To all who are behind at a stage and were not told so already. Nothing is sent."""
    asked = asked_of(principal, body.area, body.sector, body.kind)
    wanted = Wanted(asked, body.reason, body.channel, body.lang, body.text, body.reply_by)
    made = _desk(console).propose(wanted, principal.by)
    log.info("reminders_proposed", batch=made.id, area=made.area, count=sum(made.messages.values()))
    return _whole(console, made)


@router.get("", summary="Reminders of the area")
def listed(
    principal: Sends,
    console: ConsoleOf,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[int | None, Query(ge=1, description="Numbers below this.")] = None,
) -> ReminderBatches:
    """Proposed, released and withdrawn, the newest first."""
    found = reminder_rows.batches(console.store, principal.area, limit=limit + 1, before=before)
    more, found = len(found) > limit, found[:limit]
    two = console.settings.reminders_two_above
    return ReminderBatches(
        batches=[ReminderBatch(**_shown(fields_of(one, two))) for one in found],
        before=found[-1].id if more else None,
    )


@router.get("/effect", summary="What helped", responses=answers(404, 503))
def effect(
    principal: Sends,
    console: ConsoleOf,
    area: Area = None,
    days: Annotated[int, Query(ge=1, le=60, description="Within which they caught up.")] = 7,
) -> ReminderEffects:
    """By reason, channel and text."""
    asked = asked_of(principal, area, None, None)
    found = _desk(console).effect(asked.area, days)
    effects = [TextEffect(**vars(one), share=one.share) for one in found]
    return ReminderEffects(area=asked.area, days=days, effects=effects)


@router.get("/texts", summary="Ready words to urge people to scan", responses=answers(404))
def texts(
    principal: Sends,
    ward: Annotated[str, Query(max_length=8, description="Whose words.")],
    channel: Annotated[Literal["loudspeaker", "zalo", "poster"], Query()],
    lang: Literal["vi", "en"] = "vi",
) -> UrgingText:
    """A loudspeaker's are read in 30 to 60 seconds."""
    if not principal.reaches(ward):
        vi, en = "Không có phường này trong địa bàn.", "There is no such ward in this area."
        raise not_found(vi, en)
    words = urging(channel, unit(ward).code, lang)
    return UrgingText(ward=ward, channel=channel, lang=lang, text=words)


@router.get("/{batch_id}", summary="A batch of reminders", responses=answers(404))
def one(batch_id: BatchId, principal: Sends, console: ConsoleOf) -> ReminderBatchWhole:
    """Of a proposal the first few messages; of what was released all of them."""
    return _whole(console, _within(console, principal, batch_id))


@router.get(
    "/{batch_id}/texts",
    summary="Released texts as a file",
    response_class=Response,
    responses=_ANSWERS | answers(404, 409),
)
def file(
    batch_id: BatchId,
    principal: Sends,
    console: ConsoleOf,
    format_: Annotated[FileKind, Query(alias="format")] = "csv",
) -> Response:
    """To copy or to send: one row or one paragraph a message."""
    batch = _within(console, principal, batch_id)
    content = file_of(console.store, batch, format_)
    name = f"truyvet-reminders-{batch_id}.{format_}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=_FILES[format_], headers=headers)


@router.post("/{batch_id}/release", summary="Release", responses=answers(404, 409, 503))
def release(
    batch_id: BatchId, body: ReleaseReminders, principal: Sends, console: ConsoleOf
) -> ReminderBatchWhole:
    """What has caught up since is dropped. Above the setting's number the first release confirms,
    and another key must release it, too."""
    guard = _guard(principal)
    made = _found(lambda: _desk(console).release(batch_id, body.count, principal.by, guard))
    console.relay.wake()
    log.info("reminders_released", batch=made.id, state=made.state, by=principal.by)
    return _whole(console, made)


@router.post("/{batch_id}/withdraw", summary="Withdraw a proposal", responses=answers(404, 409))
def withdraw(batch_id: BatchId, principal: Sends, console: ConsoleOf) -> ReminderBatchWhole:
    """Nothing was sent."""
    guard = _guard(principal)
    made = _found(lambda: store_.withdraw(console.store, batch_id, principal.by, guard))
    return _whole(console, made)


@router.post(
    "/messages/{message_id}/undelivered",
    summary="It reached nobody",
    responses=answers(404, 409),
)
def undelivered(
    message_id: BatchId, body: SayUndelivered, principal: Sends, console: ConsoleOf
) -> ReminderMessage:
    """Then the same can be said another way."""
    guard = _guard(principal)
    return ReminderMessage.of(
        _found(lambda: reminder_ends.undelivered(console.store, message_id, body.reason, guard))
    )


def _desk(console: Console) -> Desk:
    return desk_of(console.settings, console.store, console.reading)


def _whole(console: Console, batch: Batch) -> ReminderBatchWhole:
    fields = fields_of(batch, console.settings.reminders_two_above)
    shown = [ReminderMessage.of(message) for message in shown_of(console.store, batch)]
    return ReminderBatchWhole(**_shown(fields), shown=shown)


def _shown(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in ReminderBatch.model_fields}


def _within(console: Console, principal: Principal, batch_id: int) -> Batch:
    batch = _found(lambda: reminder_rows.batch(console.store, batch_id))
    _guard(principal)(batch.area)
    return batch


def _guard(principal: Principal) -> Callable[[str], None]:
    def guard(area: str) -> None:
        if not covers(principal.area, area):
            raise not_found(*_NONE)

    return guard


def _found(look: Callable[[], _T]) -> _T:
    """What it answers; what is not there is answered as what is outside the area."""
    try:
        return look()
    except NotFound:
        raise not_found(*_NONE) from None
