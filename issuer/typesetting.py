"""Pages by typst: a template of this package and data, to a PDF."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Final

import orjson
import typst

# Source Sans (OFL 1.1) as the package font-source-sans-pro brings it; without the package the
# pages are set in Libertinus Serif, which typst has built in and which has Vietnamese as well.
FONT_PACKAGE: Final = "font_source_sans_pro"

_REMEMBERED: Final = 11
_COMPILING: Final = Lock()  # typst's compiler is one at a time ("Already borrowed")


def typeset(template: str, data: Mapping[str, Any], *, tagged: bool = True) -> bytes:
    """The PDF of `templates/<template>.typ` with this data (JSON): the same bytes every time.

    `tagged`: with the structure that screen readers follow, which costs time and size.
    """
    inputs = {"data": orjson.dumps(data).decode()}
    with _COMPILING:
        pdf: bytes = _compiler(template).compile(
            format="pdf", sys_inputs=inputs, timestamp=0, pdf_tags=tagged
        )
    return pdf


def forget() -> None:
    """Let go of what typst keeps of earlier pages: for a process that sets many.

    It remembers parts of a page until ten compilations did without them, and is not told to stop.
    """
    for _ in range(_REMEMBERED):
        typeset("nothing", {}, tagged=False)


def edition() -> str:
    """What besides its data a page depends on: the templates and the program that sets them."""
    folder = files("issuer") / "templates"
    texts = sorted((file.name, file.read_text("utf-8")) for file in folder.iterdir())
    fonts = find_spec(FONT_PACKAGE) is not None
    return repr((version("typst"), fonts, texts))


@cache
def _compiler(template: str) -> Any:
    spec = find_spec(FONT_PACKAGE)
    fonts = [str(Path(spec.origin).parent / "files")] if spec and spec.origin else []
    file = files("issuer") / "templates" / f"{template}.typ"
    return typst.Compiler(input=str(file), font_paths=fonts, ignore_system_fonts=True)
