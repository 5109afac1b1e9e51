"""What officers entered of a case, in words, for a terminal: `case show` and `case history`."""

from collections.abc import Sequence
from typing import Any, Final

from console.cli.case_text import day, local
from console.cli.session import Session
from console.worklist.axes import RELATIONS

SOURCES: Final = {
    "interview": ("phỏng vấn", "interview"),
    "camera": ("camera", "camera"),
    "roster": ("danh sách", "roster"),
}
EXCLUSIONS: Final = {
    "not_there": ("không có mặt", "was not there"),
    "protected": ("có phòng hộ", "was protected"),
    "same_person": ("cùng một người", "the same person"),
    "other": ("lý do khác", "another reason"),
}
_MOST: Final = 5


def listed(
    name: str, entries: Sequence[dict[str, Any]], session: Session, most: int = _MOST
) -> str:
    """One entry a line, of many the first and how many more. `name`: of the list."""
    lines = [entry_text(name, entry, session) for entry in entries[:most]]
    if (left := len(entries) - most) > 0:
        lines.append(session.words(f"và {left} mục nữa", f"and {left} more"))
    return "\n".join(lines)


def differences(
    name: str,
    before: Sequence[dict[str, Any]],
    after: Sequence[dict[str, Any]],
    session: Session,
) -> str:
    """What was taken out, then what was put in."""
    gone = [entry for entry in before if entry not in after]
    new = [entry for entry in after if entry not in before]
    signs = (("−", gone), ("+", new))
    return "\n".join(
        f"{sign} {text}"
        for sign, some in signs
        if some
        for text in listed(name, some, session).split("\n")
    )


def entry_text(name: str, entry: dict[str, Any], session: Session) -> str:
    """One entry of a list of the case."""
    match name:
        case "points":
            return f"#{entry['place']} {_span(entry)} ({session.word(SOURCES, entry['source'])})"
        case "answers":
            return f"{entry['person']}: #{entry['place']} {_span(entry)}"
        case "named":
            relation = session.word(RELATIONS, entry["relation"])
            return f"{entry['person']} ({relation}, {day(entry['last_contact'])})"
        case "excluded":
            return f"{entry['person']} ({session.word(EXCLUSIONS, entry['reason'])})"
        case "same":
            return f"{entry['person']} = {entry['of']}"
        case "said":
            said = ", ".join(f"{question}: {a}" for question, a in entry["answers"].items())
            return f"{entry['person']} ({said})"
        case _:
            return f"{entry['person']} ({entry['classification']})"


def _span(entry: dict[str, Any]) -> str:
    begin, end = local(entry["begin"]), local(entry["end"])
    same_day = begin.split(" ")[0] == end.split(" ")[0]
    return f"{begin} – {end.split(' ')[-1] if same_day else end}"
