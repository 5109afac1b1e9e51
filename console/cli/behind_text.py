"""Who is behind, and the entries of lists of who must have codes, as a terminal shows them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from console.cli.out import json_line, line, note
from console.cli.session import Session
from console.coverage.funnel import By
from console.coverage.named import BehindNamed
from console.coverage.names import name_of
from console.coverage.stages import NAMES, Stage
from console.store.required_reading import GONE, Standing
from schemas.clock import LOCAL, local_text

_FEW_DAYS: Final = 3


def show_behind(
    session: Session,
    stage: Stage,
    at: datetime,
    rows: Sequence[BehindNamed],
    limit: int,
    *,
    as_json: bool,
) -> None:
    """Each with what is known of it."""
    more, rows = len(rows) > limit, rows[:limit]
    if as_json:
        json_line({"at": at, "stage": stage, "places": [vars(one) for one in rows], "more": more})
        return
    vi, en = NAMES[stage]
    line(f"{session.words(f'Chưa đạt «{vi}»', f'Behind at “{en}”')}, {local_text(at)}")
    ward = None
    for row in rows:
        if row.ward != ward:
            ward = row.ward
            line(f"\n{name_of(By.WARD, ward)} ({ward})")
        name = " · ".join(dict.fromkeys(filter(None, (row.site_name, row.place_name))))
        line(f"  #{row.place:<7} {name}{_known(session, stage, row)}")
    if not rows:
        line(session.words("Không còn điểm nào.", "There is none."))
    _more(session, more)


def _known(session: Session, stage: Stage, row: BehindNamed) -> str:
    said = []
    if row.last_scan:
        at = f"{row.last_scan.astimezone(LOCAL):%d/%m}"
        said.append(session.words(f"quét lần cuối {at}", f"last scan {at}"))
    if stage is Stage.SCANNED and row.opening_days < _FEW_DAYS:
        days = row.opening_days
        said.append(
            session.words(f"ngày mở cửa từ khi có mã: {days}", f"days open since its code: {days}")
        )
    if not row.posted and stage in (Stage.DUTY, Stage.INSPECTED, Stage.SCANNED):
        said.append(session.words("chưa báo dán", "not said to be posted"))
    return f"  ({'; '.join(said)})" if said else ""


def show_unregistered(
    session: Session, entries: Sequence[Standing], limit: int, *, as_json: bool
) -> None:
    """Required establishments without a site."""
    more, entries = len(entries) > limit, entries[:limit]
    if as_json:
        json_line({"entries": [vars(one) for one in entries], "more": more})
        return
    line(session.words("Phải có mã, chưa đăng ký", "Required and not registered"))
    for one in _by_ward(entries):
        line(f"  {one.name}, {one.address or '?'}  [{one.list} {one.entry[:8]}]")
    if not entries:
        line(session.words("Không còn cơ sở nào.", "There is none."))
    _more(session, more)


def show_entries(
    session: Session, entries: Sequence[Standing], limit: int, *, as_json: bool
) -> None:
    """Entries of one list, each with its site, or why it needs none."""
    more, entries = len(entries) > limit, entries[:limit]
    after = entries[-1].entry if more else None
    if as_json:
        json_line({"entries": [vars(one) for one in entries], "after": after})
        return
    for one in _by_ward(entries):
        line(
            f"  {one.entry[:8]:<8}  {one.name}, {one.address or '?'}: {standing_text(session, one)}"
        )
    if not entries:
        line(session.words("Không có mục nào.", "There is none."))
    if after:
        note(session.words(f"Còn nữa: --after {after}", f"There are more: --after {after}"))


def standing_text(session: Session, one: Standing) -> str:
    """Where an entry stands, in a few words."""
    if one.exempt_reason is not None:
        why = one.exempt_reason
        if why == GONE:
            why = session.words("không còn trong danh sách", GONE)
        return session.words(f"không cần mã ({why})", f"exempt ({why})")
    if one.site is not None:
        return session.words(f"cơ sở #{one.site}", f"site #{one.site}")
    return session.words("chưa đăng ký", "not registered")


def _by_ward(entries: Sequence[Standing]) -> Iterator[Standing]:
    """By ward and name, with a heading before each ward."""
    ward = None
    for one in sorted(entries, key=lambda one: (one.ward, one.name)):
        if one.ward != ward:
            ward = one.ward
            line(f"\n{name_of(By.WARD, ward)} ({ward})")
        yield one


def _more(session: Session, more: bool) -> None:
    if more:
        note(session.words("Còn nữa: tăng --limit.", "There are more: raise --limit."))
