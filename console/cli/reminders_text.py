"""Reminders as the command line shows them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from console.cli.out import line, note, number
from console.cli.session import Session
from schemas.clock import local_text

if TYPE_CHECKING:
    from console.reminders.effect import Effect
    from console.store.reminder_rows import Batch, Message

_STATES: Final = {
    "proposed": ("chờ duyệt", "waits for release"),
    "released": ("đã duyệt", "released"),
    "withdrawn": ("đã rút", "withdrawn"),
}
_CHANNELS: Final = {
    "zalo": ("Zalo", "Zalo"),
    "loudspeaker": ("loa truyền thanh", "loudspeaker"),
    "email": ("thư điện tử", "e-mail"),
    "webhook": ("webhook", "webhook"),
}
_SENT: Final = {
    "proposed": ("đề xuất", "proposed"),
    "dropped": ("bỏ, không còn cần", "dropped, not needed any more"),
    "handed_out": ("đã giao lời nhắn", "handed out"),
    "pending": ("đang gửi", "being sent"),
    "sent": ("đã gửi", "sent"),
    "failed": ("gửi không được", "not taken"),
    "undelivered": ("không đến nơi", "reached nobody"),
}


def show_line(session: Session, batch: "Batch") -> None:
    """A batch in a line."""
    from issuer.units import area_name

    state = session.words(*_STATES[batch.state])
    count = sum(batch.messages.values())
    channel = session.words(*_CHANNELS[batch.frame.channel])
    line(
        f"#{batch.id:<5} {local_text(batch.proposed_at)}  {area_name(batch.area)}  "
        f"«{_stage(session, batch.frame.reason)}»  {channel}  {number(count)}  {state}"
    )


def _stage(session: Session, reason: str) -> str:
    from console.coverage.stages import NAMES, Stage

    return session.words(*NAMES[Stage(reason)])


def show_batch(
    session: Session, batch: "Batch", messages: "Sequence[Message]", two_above: int
) -> None:
    """A batch: the rule it was found by, how far it is, its words."""
    frame, rule, words = batch.frame, batch.rule, session.words
    count = sum(batch.messages.values())
    show_line(session, batch)
    behind, told, new = (number(rule[name]) for name in ("behind", "told", "too_new"))
    as_of = local_text(frame.as_of)
    line(
        "  "
        + words(
            f"chưa đạt lúc {as_of}: {behind} điểm; đã nhắc trước đây: {told}; mã còn mới: {new}",
            f"behind on {as_of}: {behind} places; told before: {told}; code too new: {new}",
        )
    )
    for state, many in batch.messages.items():
        line(f"  {number(many)} {words(*_SENT[state])}")
    for message in messages:
        line()
        line(f"[{message.id}] {message.to}  ({words(*_SENT[message.state])})")
        for text in filter(None, (message.title, message.body, message.note)):
            line(text)
    if batch.state == "proposed":
        if len(messages) < count:
            left = number(count - len(messages))
            note(words(f"… và {left} tin nữa", f"… and {left} messages more"))
        note(_next(session, batch, count, two_above))


def _next(session: Session, batch: "Batch", count: int, two_above: int) -> str:
    command = f"truyvet reminders release {batch.id} --count {count}"
    if batch.confirmed_by:
        vi = f"Đã có {batch.confirmed_by} duyệt lần một; cần người khác duyệt lần hai: {command}"
        en = f"{batch.confirmed_by} has released it once; another must, too: {command}"
    elif count > two_above:
        vi = f"Chưa gửi gì. Trên {two_above} tin: cần hai người duyệt: {command}"
        en = f"Nothing is sent. Above {two_above} messages two people release: {command}"
    else:
        vi, en = f"Chưa gửi gì. Duyệt: {command}", f"Nothing is sent. To release: {command}"
    return session.lines(vi, en)


def show_effects(session: Session, found: "Sequence[Effect]", days: int) -> None:
    """A line for each text of each stage."""
    words = session.words
    if not found:
        note(words("Chưa nhắc ai.", "Nobody was told."))
        return
    for one in found:
        share = "–" if one.share is None else f"{100 * one.share:.0f} %"
        vi = (
            f"{one.told} điểm: {one.in_time} làm trong {days} ngày, {one.later} muộn hơn, "
            f"{one.not_yet} chưa làm, {one.open} chưa hết hạn, {one.closed} đã đóng, "
            f"{one.undelivered} không đến nơi"
        )
        en = (
            f"{one.told} places: {one.in_time} within {days} days, {one.later} later, "
            f"{one.not_yet} not, {one.open} still have time, {one.closed} closed, "
            f"{one.undelivered} not reached"
        )
        stage = _stage(session, one.reason)
        line(f"{stage:<20} {one.text:<12} {one.lang}  {share:>5}  {words(vi, en)}")
    note(
        session.lines(
            "Đây là việc xảy ra sau khi nhắc, chưa chắc là vì lời nhắc.",
            "This is what happened afterwards; the reminder need not be why.",
        )
    )
