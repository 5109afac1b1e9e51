"""`--shift-to-now`: by whole weeks, so that weekdays and hours stay, the same for the same file."""

import json
from pathlib import Path
from typing import Any, Final

from schemas.errors import UserError

WEEK_MS: Final = 7 * 86_400_000
FILE_NAME: Final = "imports.json"


def weeks_to_now(latest_ms: int, now_ms: int) -> int:
    """Whole weeks after which the latest row lies in the past, within the last seven days."""
    return (now_ms - latest_ms) // WEEK_MS


def kept_weeks(data_dir: Path, content_hash: str) -> int | None:
    """The shift of an earlier import of the same bytes. Raises UserError if the file is damaged."""
    found = _load(data_dir).get(content_hash)
    return None if found is None else int(found["weeks"])


def keep_weeks(data_dir: Path, content_hash: str, weeks: int, name: str) -> None:
    """Kept, so that a second import of the same bytes finds its scans again."""
    known = _load(data_dir) | {content_hash: {"weeks": weeks, "name": name}}
    path = data_dir / FILE_NAME
    part = path.with_suffix(".part")
    part.write_text(json.dumps(known, indent=1, sort_keys=True, ensure_ascii=False), "utf-8")
    part.replace(path)


def _load(data_dir: Path) -> dict[str, dict[str, Any]]:
    path = data_dir / FILE_NAME
    try:
        known = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise UserError(
            f"{path} hỏng: hãy sửa, hoặc bỏ tệp này để dời lại từ đầu. / "
            f"{path} is damaged: mend it, or take it away to shift anew."
        ) from None
    assert isinstance(known, dict)
    return known
