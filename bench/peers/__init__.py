"""Other stream processors, each in an environment of its own (`bench/environments.py`).

`<name>.txt` pins what is installed; `run_<name>.py` is run by that environment's Python and
imports nothing of truyvet.
"""
