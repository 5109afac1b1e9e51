"""`--map person=COL,place=COL,time=COL[,…]`: which column says what."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.errors import UserError

REQUIRED: Final = ("person", "place", "time")
OPTIONAL: Final = ("direction", "enclosed", "small")
FIELDS: Final = REQUIRED + OPTIONAL


@dataclass(frozen=True)
class Columns:
    """Field to column, in the order of `FIELDS`; what is not mapped is not there."""

    by_field: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns to read, each once."""
        return tuple(dict.fromkeys(self.by_field.values()))


def parse_columns(text: str) -> Columns:
    """Raises UserError that names what is wrong. A comma in a column's name is written `\\,`."""
    found: dict[str, str] = {}
    for entry in _split(text):
        field, equals, column = entry.partition("=")
        field, column = field.strip(), column.strip()
        if not equals or not column:
            raise UserError(
                f"--map: {entry.strip()!r} viết sai. / "
                f"--map: {entry.strip()!r} is not written field=COLUMN."
            )
        if field not in FIELDS:
            raise UserError(
                f"--map: không có trường {field!r}. / "
                f"--map: there is no field {field!r}; there are {', '.join(FIELDS)}."
            )
        if field in found:
            raise UserError(f"--map: {field} lặp lại. / --map: {field} is there twice.")
        found[field] = column
    missing = [field for field in REQUIRED if field not in found]
    if missing:
        raise UserError(
            f"--map: thiếu {', '.join(missing)}. / "
            f"--map: {', '.join(missing)} is missing; write person=COL,place=COL,time=COL."
        )
    return Columns({field: found[field] for field in FIELDS if field in found})


def _split(text: str) -> list[str]:
    entries, part = [], ""
    escaped = False
    for character in text:
        if escaped or character not in "\\,":
            part += character
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            entries.append(part)
            part = ""
    return [entry for entry in (*entries, part) if entry.strip()]
