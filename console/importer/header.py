"""Whether a file has the columns that were mapped."""

from collections.abc import Sequence
from pathlib import Path

from schemas.errors import UserError


def check_known(names: Sequence[str], found: Sequence[str], path: Path) -> None:
    """Raises UserError that names the column which is missing, or there twice."""
    for name in names:
        if name not in found:
            raise UserError(
                f"Tệp {path} không có cột {name!r}. / "
                f"{path} has no column {name!r}; it has {_shown(found)}."
            )
        if found.count(name) > 1:
            raise UserError(
                f"{path} có {found.count(name)} cột cùng tên {name!r}: hãy đổi tên để chỉ còn một. "
                "/ "
                f"{path} has the column {name!r} {found.count(name)} times: rename all but one."
            )


def _shown(names: Sequence[str]) -> str:
    """Column names that are safe on a terminal, not too many."""
    safe = [ascii(name)[1:-1] if not name.isprintable() else name for name in names[:30]]
    text = ", ".join(safe) + (", …" if len(names) > 30 else "")
    return text if len(text) <= 400 else text[:399] + "…"
