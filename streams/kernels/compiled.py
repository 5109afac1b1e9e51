"""The decorator that compiles a loop."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

_F = TypeVar("_F", bound=Callable[..., Any])


def kernel(function: _F) -> _F:
    """Compiled when it is first called with these types; runs without the interpreter's lock.

    The compiled form is kept on disk; where nothing can be written, each process makes its own.
    """
    made: Any
    try:
        made = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # numba: no place for the cache
        made = numba.njit(nogil=True)(function)
    return cast(_F, made)
