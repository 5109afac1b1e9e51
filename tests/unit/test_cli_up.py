"""`truyvet up` starts what it is asked for, and no worker where none is wanted."""

from pathlib import Path
from typing import Any

import pytest

from console.cli.main import main
from deploy.embedded.layout import ROLES
from schemas.errors import UserError


@pytest.mark.parametrize(("workers", "without"), [(0, {"worker"}), (2, set())])
def test_so_many_workers(
    workers: int, without: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def start(options: Any, _shown: Any) -> None:
        asked.append(options)
        raise UserError("thôi / enough")

    monkeypatch.setattr("deploy.embedded.stack.start_detached", start)
    main(["--data-dir", str(tmp_path / "data"), "up", "--workers", str(workers)])
    [options] = asked
    assert ROLES - options.services == without
    assert options.workers == max(1, workers)
