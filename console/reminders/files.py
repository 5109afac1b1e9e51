"""Released texts as a file that an officer copies from or sends with."""

import csv
import io
from collections.abc import Sequence
from typing import Final, Literal

from console.exports.cells import defused
from console.store import reminder_rows
from console.store.engine import Store
from console.store.errors import Conflict
from console.store.reminder_ends import OUT
from console.store.reminder_rows import Batch, Message, State
from console.store.reminder_words import names_of

FileKind = Literal["csv", "txt"]
_HEAD: Final = ("message", "to", "name", "ward", "title", "text")
_RULE: Final = "─" * 40


def file_of(store: Store, batch: Batch, kind: FileKind) -> bytes:
    """The texts of a batch. Telephone numbers and addresses to send to are not known here: the
    officer has them. Raises Conflict before the release: nothing leaves unreleased.
    """
    if batch.state is not State.RELEASED:
        raise Conflict("Đợt nhắc chưa được duyệt. / These reminders are not released.")
    messages = [m for m in reminder_rows.messages(store, batch.id) if m.state in OUT]
    with store.read() as connection:
        names = names_of(connection, [m.to for m in messages])
    return _csv(messages, names) if kind == "csv" else _text(messages)


def _csv(messages: Sequence[Message], names: dict[str, str]) -> bytes:
    """With a byte order mark, so that spreadsheets read the accents."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_HEAD)
    for m in messages:
        cells = (m.to, names.get(m.to, ""), m.ward, m.title or "", m.body or "")
        writer.writerow([m.id, *map(defused, cells)])
    return file.getvalue().encode("utf-8-sig")


def _text(messages: Sequence[Message]) -> bytes:
    parts = ["\n\n".join(filter(None, (m.title, m.body))) for m in messages]
    return (f"\n\n{_RULE}\n\n".join(parts) + "\n").encode()
