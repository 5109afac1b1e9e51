"""`truyvet bench upgrade --short`: from an earlier version to this one while scans come in.

The earlier version is the commit before this one. A shallow clone has none: there this commit
itself plays the old version, and where there is no history at all, this tree does. Everything but
the difference between two versions is then still tried.
"""

import subprocess
from pathlib import Path

import pytest

from bench.old_build import ROOT, given, unpacked
from schemas.errors import UserError
from tests.integration.test_bench_long_short import short


def earlier() -> tuple[str, ...]:
    """The option that names the earliest version there is here, up to the commit before."""
    for revision in ("HEAD^", "HEAD"):
        command = ["git", "-C", str(ROOT), "cat-file", "-e", f"{revision}^{{tree}}"]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return ("--from", revision)
    return ("--from-tree", str(ROOT))


@pytest.mark.timeout(400)
def test_nothing_lost_nothing_twice(tmp_path: Path) -> None:
    found = short(tmp_path, "upgrade", *earlier())
    assert found["exact"]
    assert found["graceful"]
    assert (found["lost"], found["twice"], found["beyond"]) == (0, 0, 0)
    assert found["rows"] == found["log"] == found["sent"] > 2_000
    assert [left["exit_code"] for left in found["left"]] == [0]
    for stretch in ("before", "during", "after"):
        assert found[stretch]["records"] > 0  # how many is the machine's affair
        assert 0 < found[stretch]["p50_ms"] <= found[stretch]["p99_ms"] <= found[stretch]["max_ms"]


def test_a_version_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    if (ROOT / ".git").exists():
        with pytest.raises(UserError, match=r"--unshallow.*--from-tree"):
            unpacked("0000000000000000000000000000000000000000", tmp_path / "old")
    else:
        with pytest.raises(UserError, match=r"--from-tree"):
            unpacked("HEAD", tmp_path / "old")
    assert not (tmp_path / "old").exists()
    with pytest.raises(UserError, match=r"no tree of truyvet"):
        given(tmp_path)
    assert given(ROOT).tree == ROOT


def test_python_runs_the_tree_that_is_named() -> None:
    given(ROOT).check()
    assert given(ROOT).environment({})["PYTHONPATH"] == str(ROOT)
