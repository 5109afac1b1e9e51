"""Lines that end too early where values are read by where they must stand."""

import pytest

from streams.decode import decode
from tests.scans import raw_batch, scan_json

_OPTIONAL = {"trip": "T" * 30, "seat": "S" * 30, "recorded_at": "2021-12-01T09:00:00.000Z"}


@pytest.mark.parametrize("optional", [{}, _OPTIONAL])
def test_a_last_line_that_is_cut_anywhere_is_a_reject_of_its_own(optional: dict[str, str]) -> None:
    """No look ahead reaches past the batch: a worker once ended on a line cut in a text."""
    good = scan_json(**optional)
    for kept in range(len(good)):
        verdicts = decode(raw_batch([good, good, good[:kept]]))
        assert verdicts.scans.index.tolist() == [0, 1], kept
        assert [reject.index for reject in verdicts.rejected] == [2], kept


@pytest.mark.parametrize("text", ["x", "x" * 63, "x" * 64, "x" * 65, "x" * 300])
def test_a_last_line_whose_text_never_ends(text: str) -> None:
    good = scan_json()
    for name in ("direction", "method", "producer", "device"):
        begun = good[: good.index(f'"{name}":"'.encode()) + len(name) + 4] + text.encode()
        verdicts = decode(raw_batch([good, begun]))
        assert verdicts.scans.index.tolist() == [0], name
        assert [reject.index for reject in verdicts.rejected] == [1], name
