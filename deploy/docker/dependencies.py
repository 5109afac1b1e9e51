"""What `pyproject.toml` asks for, a line each, with the extras named: `dependencies.py postgres`.

So that the image has a layer of them alone. Nothing but the standard library is there yet.
"""

import sys
import tomllib
from pathlib import Path


def dependencies(text: str, extras: list[str]) -> list[str]:
    """The project's dependencies and those of its extras. Raises KeyError for an unknown one."""
    project = tomllib.loads(text)["project"]
    optional = project["optional-dependencies"]
    return [*project["dependencies"], *(name for extra in extras for name in optional[extra])]


if __name__ == "__main__":
    print("\n".join(dependencies(Path("pyproject.toml").read_text("utf-8"), sys.argv[1:])))
