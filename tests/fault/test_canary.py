"""The canary: with a part of the recipe switched off from outside, the same checker goes red.

Each part has a short scene that needs it. The scene is played twice on one system: with the
recipe whole, when the checker must agree, and then without the part, when it must not. How soon
random kills find it: `TRUYVET_FAULT_CANARY_KILLS=60 pytest -s tests/fault/test_canary.py`.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from schemas.topics import SCANS
from tests.fault.campaign import TIMING, Campaign
from tests.fault.checker import Checker
from tests.fault.proxy import Fault, Insert, Proxy, Script
from tests.fault.test_exactly_once import SEED
from tests.fault.weakened import WEAKENINGS
from tests.system import (
    ScanMaker,
    System,
    Traffic,
    WorkerProcess,
    end_workers,
    running_system,
    wait_for,
)

LONG = int(os.environ.get("TRUYVET_FAULT_CANARY_KILLS", "0"))
ATTEMPTS = 3
_SOON_S = 12.0


class Scene:
    """A stage: workers with the given part of the recipe missing, or none."""

    def __init__(self, system: System, weaken: str) -> None:
        self.system = system
        self.arguments = ["--weaken", weaken] if weaken else []

    def worker(self, *faults: str, **settings: object) -> WorkerProcess:
        """One that is not started yet."""
        launcher = ["-m", "tests.fault.worker", *self.arguments, *faults]
        return self.system.new_worker(launcher, **{**TIMING, **settings})

    def scans(self, seed: int, n: int) -> None:
        """Publish `n` records."""
        self.system.publish(SCANS.name, ScanMaker(self.system, seed).make(n))

    def exeunt(self) -> None:
        """Everybody leaves the stage: what they did is done."""
        end_workers(self.system)


def an_old_attempt_comes_to_its_end(scene: Scene, seed: int) -> None:
    """The line breaks while an insert is on its way; it arrives after the next one."""
    script = Script([Fault.LEFT_BEHIND] * 3, after=1)
    with Proxy(scene.system.settings.clickhouse_url, script, slow_s=1.5) as line:
        scene.worker(clickhouse_url=line.url).start()
        for piece in range(8):
            scene.scans(seed + piece, 400)
            time.sleep(0.3)
        time.sleep(3)
        assert line.done[Fault.LEFT_BEHIND.value] == 3


def a_worker_dies_between_insert_and_commit(scene: Scene, seed: int) -> None:
    """The next one finds the rows there."""
    hits = scene.system.settings.data_dir / f"canary-{seed}"
    first = scene.worker("--at", "after_inserts:2", "--hits", str(hits))
    first.launch()
    for piece in range(100):  # one insert takes all that is there, and the second is its last
        if not first.alive:
            break
        scene.scans(seed + piece, 300)
        time.sleep(0.5)
    wait_for(lambda: not first.alive, 10, "the worker to die after its inserts")
    assert hits.exists(), first.log.read_text()[-2000:]
    second = scene.worker()
    second.launch()
    wait_for(lambda: second.alive and second.ready(), 30, "the next worker")
    time.sleep(2)


def partitions_change_hands_while_inserts_are_slow(scene: Scene, seed: int) -> None:
    """A second worker joins; the first one's inserts take two seconds each."""

    def slow(insert: Insert) -> Fault | None:
        return Fault.SLOW if insert.table == "scans" else None

    with Proxy(scene.system.settings.clickhouse_url, slow, slow_s=2.0) as line:
        scene.worker(clickhouse_url=line.url).start()
        traffic = Traffic(scene.system, ScanMaker(scene.system, seed), per_second=1_000)
        traffic.start()
        time.sleep(3)
        second = scene.worker(clickhouse_url=line.url)
        second.launch()
        with suppress(AssertionError):  # one that cannot join shows in what the checker says
            wait_for(lambda: not second.alive or second.ready(), 30, "the second to join")
        time.sleep(4)
        traffic.stop()
        time.sleep(4)


def transactions_leave_markers(scene: Scene, seed: int) -> None:
    """A marker is an offset that nobody ever delivers."""
    scene.worker().start()
    producer = scene.system.producer(**{"transactional.id": f"canary-{seed}"})
    producer.init_transactions(30)
    for piece, end in enumerate([producer.commit_transaction, producer.abort_transaction] * 2):
        producer.begin_transaction()
        for key, value in ScanMaker(scene.system, seed + piece).make(200):
            producer.produce(SCANS.name, key=key, value=value)
        assert producer.flush(30) == 0  # an abort drops what has not been sent
        end(30)
        scene.scans(seed + 10 + piece, 200)


SCENES: dict[str, tuple[Callable[[Scene, int], None], str]] = {
    "ending_the_old_attempt": (an_old_attempt_comes_to_its_end, "twice in the tables"),
    "reading_what_is_present": (a_worker_dies_between_insert_and_commit, "twice in the tables"),
    "waiting_on_revoke": (partitions_change_hands_while_inserts_are_slow, "twice in the tables"),
    "delivery_order": (transactions_leave_markers, "is committed to"),
}


def test_there_is_a_scene_for_each_part() -> None:
    assert SCENES.keys() == WEAKENINGS.keys()


@pytest.mark.parametrize("part", SCENES)
def test_the_checker_sees_each_part_that_is_missing(tmp_path: Path, part: str) -> None:
    play, complaint = SCENES[part]
    with running_system(tmp_path, **TIMING) as system:
        checker = Checker(system)
        whole = Scene(system, "")
        play(whole, SEED)
        checker.wait()
        print(f"{part}, recipe whole: {checker.check()}")
        whole.exeunt()
        for attempt in range(1, ATTEMPTS + 1):
            without = Scene(system, part)
            play(without, SEED + 100 * attempt)
            red = _complaint_of(checker)
            without.exeunt()
            if complaint in red:
                break
        print(f"{part} missing: caught at attempt {attempt}: {red}")
        assert complaint in red


def _complaint_of(checker: Checker) -> str:
    """Everything the checker says: of the tables, of the commits, and of the tables again.

    A worker that finds rows twice stops, so the commits may never come; and what it wrote twice
    may come only while they are waited for.
    """
    said = []
    for look in (
        checker.check_tables,
        partial(checker.wait, timeout_s=_SOON_S),
        checker.check_tables,
        checker.check,
    ):
        try:
            look()
        except AssertionError as error:
            said.append(str(error))
    return "; ".join(dict.fromkeys(said))


if LONG:  # TRUYVET_FAULT_CANARY_KILLS

    @pytest.mark.timeout(300 + 12 * LONG)
    @pytest.mark.parametrize("part", SCENES)
    def test_random_kills_find_each_part_that_is_missing(tmp_path: Path, part: str) -> None:
        with running_system(tmp_path, **TIMING) as system:
            campaign = Campaign(system, SEED, tmp_path, weaken=[part])
            try:
                campaign.run(LONG, check_every=1)
            except AssertionError as error:
                print(f"{part} missing: caught after {campaign.kills} kills: {error}")
            else:
                pytest.fail(f"{part} is missing and {campaign.kills} kills did not show it")
