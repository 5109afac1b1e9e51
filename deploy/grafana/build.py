"""`python -m deploy.grafana.build`: the dashboards' JSON, from their descriptions."""

import json
from pathlib import Path
from typing import Final

from deploy.grafana.boards.cases import CASES
from deploy.grafana.boards.city import CITY
from deploy.grafana.boards.pipeline import PIPELINE
from deploy.grafana.boards.worker import WORKER
from deploy.grafana.panels import rendered

DIRECTORY: Final = Path(__file__).parent / "dashboards"
BOARDS: Final = (CITY, PIPELINE, CASES, WORKER)


def files() -> dict[str, str]:
    """Each file's name and text."""
    return {
        f"{board.uid}.json": json.dumps(rendered(board), ensure_ascii=False, indent=1) + "\n"
        for board in BOARDS
    }


def main() -> None:
    """Write them."""
    for name, text in files().items():
        (DIRECTORY / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
