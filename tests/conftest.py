"""For all tests."""

import gc
from collections.abc import Iterator

import hypothesis
import hypothesis.internal.observability
import pytest

# how long one example takes is the machine's affair; other tests run beside it
hypothesis.settings.register_profile("truyvet", deadline=None)
hypothesis.settings.load_profile("truyvet")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Modules are compiled without the collector running, which does not look at them again.

    CPython before 3.11.8 counts the depth of a syntax tree for all threads at once; a finaliser
    that runs meanwhile and compiles ends the run with "AST constructor recursion depth mismatch"
    (github.com/python/cpython/issues/106905). What is there afterwards stays to the end, and to
    go through it again and again was an eighth of the run. What tests make is looked at every
    20,000 objects: at the default 700 it was another tenth.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000)
        gc.enable()
