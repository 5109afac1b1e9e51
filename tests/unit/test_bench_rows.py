"""The benchmark's rows, their order, their pins, and the words they are asked for with."""

import re
from collections import Counter

import pytest

from bench.environments import FOLDER, pins, variables
from bench.rows import PEERS, catalogue, named_peers, turned, worker_counts
from schemas.errors import UserError


def test_every_row_that_the_issue_asks_for() -> None:
    names = [row.name for row in catalogue(PEERS, (1, 2))]
    assert names == [
        "stock_faust",
        "aiokafka_pydantic",
        "quixstreams_validate",
        "quixstreams_dedupe",
        "bytewax_validate",
        "bytewax_dedupe",
        "pathway_validate",
        "pathway_dedupe",
        "pipe_aiokafka",
        "pipe_librdkafka",
        "truyvet",
        "truyvet_2",
    ]


def test_each_row_says_what_it_leaves_out_in_both_languages() -> None:
    for row in catalogue(PEERS, (1,)):
        assert row.leaves_out_vi
        assert row.leaves_out_en
        assert row.vi != row.en


def test_the_order_turns_so_that_no_row_is_always_first() -> None:
    rows = catalogue(PEERS, (1, 2))
    rounds = [turned(rows, number) for number in range(3)]
    assert len({order[0].name for order in rounds}) == 3
    for order in rounds:
        assert Counter(row.name for row in order) == Counter(row.name for row in rows)


def test_a_short_run_still_has_both_yardsticks() -> None:
    assert [row.name for row in catalogue((), (1,), bare=True)] == [
        "stock_faust",
        "pipe_librdkafka",
        "truyvet",
    ]


def test_one_worker_is_always_measured() -> None:
    assert [row.workers for row in catalogue((), (2,)) if row.name.startswith("truyvet")] == [1, 2]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("all", PEERS),
        ("none", ()),
        ("bytewax", ("bytewax",)),
        ("pathway, bytewax", ("pathway", "bytewax")),
    ],
)
def test_peers_by_name(text: str, names: tuple[str, ...]) -> None:
    assert named_peers(text) == names


def test_an_unknown_peer_is_said() -> None:
    with pytest.raises(UserError, match="No such peer: flink"):
        named_peers("bytewax,flink")


@pytest.mark.parametrize("text", ["", "0", "9", "1,x", "1,,2"])
def test_wrong_worker_counts_are_said(text: str) -> None:
    with pytest.raises(UserError, match="--workers takes numbers"):
        worker_counts(text)


@pytest.mark.parametrize(
    ("peer", "version"), [("quixstreams", "3.28."), ("bytewax", "0.21."), ("pathway", "0.33.")]
)
def test_peers_are_pinned_to_the_versions_of_the_comparison(peer: str, version: str) -> None:
    assert pins(peer)[peer].startswith(version)
    for line in (FOLDER / f"{peer}.txt").read_text("utf-8").splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line), (
            "a name and a version, no more"
        )


def test_a_peer_runs_with_nothing_of_ours_on_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "somewhere")
    monkeypatch.setenv("TRUYVET_ADMIN_KEY", "a secret")
    found = variables(2)
    assert "PYTHONPATH" not in found
    assert "TRUYVET_ADMIN_KEY" not in found
    assert found["PATHWAY_THREADS"] == "2"
