"""Wrapping what belongs to the worker, from outside: the code under test has no hooks.

A name that is gone stops the launcher, so that a suite can never silently test nothing.
"""

import functools
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

Make = Callable[[Callable[..., Any]], Callable[..., Any]]


def wrap(owner: Any, name: str, make: Make) -> None:
    """Put `make(original)` in place of a class's method. Raises LookupError if it has none."""
    original: Callable[..., Any] | None = getattr(owner, name, None)
    if original is None:
        raise LookupError(
            f"{owner.__module__}.{owner.__qualname__} has no method {name} any more: "
            "give the fault point or the weakening its new place in tests/fault"
        )
    setattr(owner, name, functools.wraps(original)(make(original)))


def wrap_function(module: ModuleType, name: str, users: tuple[ModuleType, ...], make: Make) -> None:
    """As `wrap`, for a module's function, wherever it was imported by name.

    Raises LookupError if it is gone, or if one of `users` does not have it.
    """
    original: Any = vars(module).get(name)
    if not callable(original):
        raise LookupError(f"{module.__name__} has no function {name} any more")
    for user in users:
        if vars(user).get(name) is not original:
            raise LookupError(f"{user.__name__} does not use {module.__name__}.{name} any more")
    changed = functools.wraps(original)(make(original))
    for other in list(sys.modules.values()):
        if getattr(other, "__name__", "").startswith("streams.") and (
            vars(other).get(name) is original
        ):
            setattr(other, name, changed)
