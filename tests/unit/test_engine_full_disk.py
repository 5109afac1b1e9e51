"""What the embedded engine's server answers when its own disk takes no more bytes."""

import errno
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from deploy.embedded.engine import body
from deploy.embedded.engine.node import Node
from deploy.embedded.engine.server import Server


def test_a_body_that_finds_no_room_is_answered_with_clickhouses_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(body, "receive", no_room)
    node = SimpleNamespace(spool=tmp_path / "spool", timezone="UTC", query=lambda _: "")
    server = Server(0, cast(Node, node), slots=1, max_queue=1, credentials=None)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        answer = httpx.post(url, content=b"INSERT INTO t FORMAT ArrowStream\n", timeout=5)
    finally:
        server.shutdown()
        server.server_close()
        serving.join(5)
    assert answer.status_code == 500
    assert answer.headers["X-ClickHouse-Exception-Code"] == "243"
    assert "NOT_ENOUGH_SPACE" in answer.text
