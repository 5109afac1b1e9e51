"""How the cases of a list stand, said where one is not open: nobody is to be called for nothing."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from rich.markup import escape

from console.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

_AT_ONCE: Final = 200
ENDED: Final = {
    "closed": ("ca đã đóng: không theo dõi lượt quét mới", "closed: new scans are not watched"),
    "voided": (
        "ca đã huỷ, đăng ký nhầm: không còn ai là người tiếp xúc của ca",
        "voided, registered in error: nobody is a contact of it any more",
    ),
}


def statuses_of(api: Any, case_ids: Iterable[str]) -> dict[str, str]:
    """By case; of those that the key's lists have."""
    found: dict[str, str] = {}
    ids = list(dict.fromkeys(case_ids))
    for begin in range(0, len(ids), _AT_ONCE):
        found |= api.get("/v1/list-status", case=ids[begin : begin + _AT_ONCE])["cases"]
    return found


def show_ended(statuses: dict[str, str], session: Session, console: "Console") -> None:
    """A line for each case that is closed or voided."""
    for case_id, status in statuses.items():
        if words := ENDED.get(status):
            console.print(f"[yellow]{escape(case_id)}: {session.lines(*words)}[/]")
