"""The pure parts of the longer benchmarks: the load's bytes, the search, the series."""

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bench.growth import rebuilds
from bench.load import Load
from bench.load_encode import Block, Encoder, Mix
from bench.load_head import cut_head
from bench.load_search import Look, Step, judge, lost, search
from bench.memory_series import Row, mean_between, sparkline, write_csv
from bench.process_worker import parse_metrics, values
from bench.window import filled
from issuer.codes import KeyRing, issue
from schemas.errors import UserError
from schemas.ids import PERSON_LENGTH
from schemas.scan import Scan

NOW_MS = 1_770_000_000_123
RING = KeyRing.parse("1:" + "ab" * 32)
TOKENS = [issue(RING, place, 1) for place in range(1, 301)]


def block(count: int, mix: Mix | None = None, seed: int = 1) -> Block:
    encoder = Encoder(TOKENS, mix or Mix(people=5_000), "sim", seed)
    return encoder.block(np.arange(NOW_MS, NOW_MS + count))


def scans(made: Block) -> list[Scan]:
    return [Scan.model_validate_json(message["value"]) for message in made.messages]


def test_every_record_is_a_valid_scan_under_its_persons_key() -> None:
    made = block(3_000)
    for message, scan in zip(made.messages, scans(made), strict=True):
        assert message["key"].decode() == scan.person
        assert len(message["key"]) == PERSON_LENGTH
        assert scan.code in TOKENS
    assert made.value_bytes == pytest.approx(sum(len(m["value"]) for m in made.messages), rel=0.01)
    assert 190 < made.value_bytes / len(made) < 240


def test_repeats_are_whole_and_are_counted_exactly() -> None:
    made = block(10_000, Mix(people=5_000, repeats=0.05))
    ids = Counter(scan.event_id for scan in scans(made))
    assert made.repeats == len(made) - len(ids)
    assert 350 < made.repeats < 650
    assert max(ids.values()) == 2
    distinct = {message["value"] for message in made.messages}
    assert len(distinct) == len(ids)


def test_times_are_just_before_publication_but_for_a_few_that_come_late() -> None:
    ages = [
        NOW_MS + i - scan.scanned_at.timestamp() * 1000
        for i, scan in enumerate(scans(block(5_000, Mix(people=5_000, repeats=0))))
    ]
    assert min(ages) > 0
    assert 0.005 < sum(age > 10_000 for age in ages) / len(ages) < 0.03
    assert max(ages) <= 2 * 86_400_000 + 1


def test_paper_is_spread_over_its_days() -> None:
    made = scans(block(2_000, Mix(people=500, spread_days=14)))
    days = {scan.scanned_at.date() for scan in made}
    assert 14 <= len(days) <= 15
    assert {scan.method.value for scan in made} == {"typed"}


def test_another_seed_gives_other_ids_and_the_same_seed_the_same_bytes() -> None:
    one, again, other = block(500), block(500), block(500, seed=2)
    assert one.messages == again.messages
    assert not {s.event_id for s in scans(one)} & {s.event_id for s in scans(other)}


class _Sender:
    """Takes everything."""

    failed, errors, queued = 0, dict[str, int](), 0

    def __init__(self) -> None:
        self.messages: list[dict[str, bytes]] = []

    def send(self, messages: list[dict[str, bytes]]) -> None:
        self.messages += messages

    def poll(self, seconds: float) -> None:
        """Nothing to report."""

    def flush(self) -> int:
        return 0


def test_a_load_publishes_at_its_rate_and_exactly_its_records() -> None:
    sender = _Sender()
    encoder = Encoder(TOKENS, Mix(people=1_000), "sim", 1)
    load = Load(encoder, sender, 2_000.0, 1_000)  # type: ignore[arg-type]
    summary = load.run()
    assert summary["sent"] == len(sender.messages) == 1_000
    # never early; a busy machine may make it late
    assert summary["seconds"] >= 0.48
    unique = {message["value"] for message in sender.messages}
    assert len(unique) == 1_000 - summary["repeats"]


def _looks(rate: float, growth: float, seconds: int = 120) -> list[Look]:
    return [Look(t, 0.4 + growth * t, int(rate * (0.4 + growth * t))) for t in range(seconds)]


def test_a_step_keeps_up_while_its_lag_does_not_grow() -> None:
    assert judge(1000, 1000, _looks(1000, 0.0), 120).keeps_up
    grew = judge(1000, 1000, _looks(1000, 0.05), 120)
    assert (grew.keeps_up, grew.why) == (False, "the lag grew")
    slow = judge(1000, 900, _looks(1000, 0.0), 120)
    assert (slow.keeps_up, slow.why) == (False, "the producer did not reach the rate")
    assert not judge(1000, 1000, _looks(1000, 0.0)[:50], 120).keeps_up


def test_a_worker_that_falls_behind_at_first_and_stays_there_does_not_keep_up() -> None:
    looks = [Look(t, min(8.0, 0.4 + 0.2 * t), 400) for t in range(120)]
    assert judge(1000, 1000, looks, 120).why == "the lag grew"


def test_a_backlog_that_the_metric_does_not_show_counts_too() -> None:
    looks = [Look(t, 0.4, 100 * t) for t in range(120)]
    assert not judge(1000, 1000, looks, 120).keeps_up


def test_a_lag_that_ran_away_ends_a_step() -> None:
    assert lost(Look(1, 16, 0), 1000)
    assert lost(Look(1, 0, 16_000), 1000)
    assert not lost(Look(1, 5, 5_000), 1000)


@pytest.mark.parametrize("capacity", [12_345, 61_000, 250_000])
def test_the_search_finds_what_a_worker_can_do(capacity: float) -> None:
    def attempt(rate: float) -> Step:
        return Step(rate, rate, rate <= capacity, 0, 0, 0, "")

    found, steps = search(attempt, 60_000, 1.4, 400_000, 0.05, 20)
    assert found <= capacity <= found * 1.06
    assert len(steps) < 20


def test_the_search_stops_at_its_bounds() -> None:
    found, steps = search(lambda r: Step(r, r, True, 0, 0, 0, ""), 60_000, 1.4, 90_000, 0.05, 20)
    assert (found, [s.rate for s in steps]) == (90_000, [60_000, 84_000, 90_000])
    found, steps = search(lambda r: Step(r, r, False, 0, 0, 0, ""), 60_000, 2, 90_000, 0.05, 3)
    assert (found, len(steps)) == (0, 3)


def test_means_and_lines_of_a_series(tmp_path: Path) -> None:
    rows: list[Row] = [{"at_s": float(t), "mb": float(t)} for t in range(10)]
    assert mean_between(rows, "mb", 2, 5) == 3
    with pytest.raises(UserError):
        mean_between(rows, "mb", 20, 30)
    assert sparkline([0, 1, 2, 4]) == "▁▃▅█"
    assert len(sparkline([1.0] * 1_000)) <= 60
    assert sparkline([]) == ""
    write_csv(tmp_path / "s.csv", [*rows, {"at_s": 10.0, "parts": 3.0}])
    with (tmp_path / "s.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    assert read[9]["mb"] == "9.0"
    assert (read[10]["mb"], read[10]["parts"]) == ("", "3.0")


def test_metrics_are_read_with_their_labels() -> None:
    text = '# HELP x y\na_total 3.0\nlag{partition="1"} 0.5\nlag{partition="2"} 1.5\n'
    samples = parse_metrics(text)
    assert samples["a_total", ""] == 3
    assert sorted(values(samples, "lag")) == [0.5, 1.5]


def test_a_head_is_cut_only_from_empty_partitions(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "t-0"
    folder.mkdir(parents=True)
    (folder / "00000000000000000000.log").touch()
    (folder / "00000000000000000000.index").touch()
    cut_head(tmp_path, "t", 1, 12_500_000)
    assert [p.name for p in folder.iterdir()] == ["00000000000012500000.log"]
    (folder / "00000000000000000000.log").write_bytes(b"x")
    with pytest.raises(UserError):
        cut_head(tmp_path, "t", 1, 7)


def test_rebuilds_are_read_from_a_workers_log(tmp_path: Path) -> None:
    log = tmp_path / "w.log"
    entry = {"event": "window_rebuilt", "partition": 1, "ids": 5, "seconds": 0.25}
    log.write_text(f"not json\n{json.dumps(entry)}\n{json.dumps({'event': 'other'})}\n")
    assert rebuilds(log) == [(5, 0.25)]


def test_a_window_is_filled_as_asked_and_bounded_where_asked() -> None:
    whole = filled(150_000, 1)
    assert len(whole) == 150_000
    assert 44 <= whole.nbytes / 150_000 <= 120
    assert len(filled(700_000, 1, most=20_000)) < 200_000
