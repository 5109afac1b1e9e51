"""One running system for the tests that leave it as it should be; its checker's copy of the
topic grows from test to test."""

from collections.abc import Iterator

import pytest

from tests.fault.campaign import TIMING
from tests.fault.checker import Checker
from tests.system import System, end_workers, running_system


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[System, Checker]]:
    with running_system(tmp_path_factory.mktemp("fault"), **TIMING) as started:
        yield started, Checker(started)


@pytest.fixture
def system(shared: tuple[System, Checker]) -> Iterator[System]:
    """The shared system; workers that a test left are ended."""
    yield shared[0]
    end_workers(shared[0])


@pytest.fixture
def checker(shared: tuple[System, Checker]) -> Checker:
    return shared[1]
