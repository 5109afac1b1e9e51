"""Loops over bytes, compiled for the machine they run on; what surrounds them is numpy.

Each loop is a plain function of arrays, and does what its docstring says whether it is compiled
or, with NUMBA_DISABLE_JIT=1, interpreted. Compiled code is kept beside the source, or where
NUMBA_CACHE_DIR says, so that only the first process of a machine waits for it.
"""
