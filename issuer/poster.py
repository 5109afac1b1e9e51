"""Posters: one A4 page a place, with its code at 15 × 15 cm or more.

What a page says stands in templates/poster_a4.typ; names reach it as data (JSON), never as markup.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Final

import orjson
import typst
import zxingcpp

from issuer import words
from issuer.codes import code_url, read
from issuer.kinds import kinds
from issuer.symbol import QUIET_MODULES, UnreadableError, make_symbol
from schemas.places import Code, Place, Site

CODE_MM: Final = 150  # Hà Nội's print size for a place: 15 × 15 cm (RULES, Shapes of others)
MAX_NAME: Final = 240
# Source Sans (OFL 1.1) as the package font-source-sans-pro brings it; without the package the
# pages are set in Libertinus Serif, which typst has built in and which has Vietnamese as well.
FONT_PACKAGE: Final = "font_source_sans_pro"

_COMPILING: Final = Lock()  # typst's compiler is one at a time ("Already borrowed")
_LONGEST_WORD: Final = 30
_BREAK: Final = "\u200b"  # a line may end here, and nothing is seen


@dataclass(frozen=True)
class Sheet:
    """What one page is about."""

    place: Place
    site: Site
    code: Code


def poster_pdf(
    place: Place, site: Site, code: Code, origin: str, *, retention_days: int = 21
) -> bytes:
    """The poster of one code as a PDF of one A4 page.

    Raises ValueError for a code that is not this place's or is revoked, for a place that is not
    this site's and for a name of more than 240 characters; UnreadableError if the symbol that
    was drawn does not read as the code's URL.
    """
    return posters_pdf([Sheet(place, site, code)], origin, retention_days=retention_days)


def posters_pdf(sheets: Sequence[Sheet], origin: str, *, retention_days: int = 21) -> bytes:
    """One PDF with a page for each sheet, in this order. Raises as `poster_pdf` does."""
    if not sheets:
        raise ValueError("there is nothing to print")
    pages = [_page(sheet, origin) for sheet in sheets]
    data = {"pages": pages, "retention_days": retention_days, "code_mm": CODE_MM}
    inputs = {"data": orjson.dumps(data).decode()}
    with _COMPILING:
        pdf: bytes = _compiler().compile(format="pdf", sys_inputs=inputs, timestamp=0)
    return pdf


def _page(sheet: Sheet, origin: str) -> dict[str, Any]:
    place, site, code = sheet.place, sheet.site, sheet.code
    token = read(code.token)
    if (token.place, token.version) != (place.id, code.version):
        raise ValueError(f"the code is not version {code.version} of place {place.id}")
    if code.revoked_at is not None:
        raise ValueError(f"version {code.version} of place {place.id} is revoked")
    if place.site != site.id:
        raise ValueError(f"place {place.id} is not one of site {site.id}")
    symbol = make_symbol(code_url(origin, code.token))
    kind = kinds().get(place.kind)
    return {
        "place": plain(place.name),
        "site": plain(site.name),
        "address": plain(site.address or ""),
        "kind_vi": kind.name.vi if kind else place.kind,
        "kind_en": kind.name.en if kind else "",
        "svg": symbol.svg,
        "quiet_mm": CODE_MM / symbol.modules * QUIET_MODULES,
        "groups": [code.token[i : i + 3] for i in range(0, len(code.token), 3)],
        "host": origin.lower(),
        "version": code.version,
        "version_vi": words.vietnamese(code.version),
        "version_en": words.english(code.version),
    }


def plain(text: str) -> str:
    """A name as it is set: composed (NFC), on one line, without control or format characters.

    Very long words may break anywhere. Raises ValueError above 240 characters.
    """
    composed = unicodedata.normalize("NFC", text)
    seen = "".join(" " if c.isspace() else c for c in composed)
    seen = "".join(c for c in seen if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    line = " ".join(seen.split())
    if len(line) > MAX_NAME:
        raise ValueError(f"a name of {len(line)} characters does not fit a poster: {line[:40]}…")
    return re.sub(rf"\S{{{_LONGEST_WORD}}}(?=\S)", rf"\g<0>{_BREAK}", line)


@cache
def _compiler() -> Any:
    spec = find_spec(FONT_PACKAGE)
    fonts = [str(Path(spec.origin).parent / "files")] if spec and spec.origin else []
    template = files("issuer") / "templates" / "poster_a4.typ"
    return typst.Compiler(input=str(template), font_paths=fonts, ignore_system_fonts=True)


def verify_poster(pdf: bytes, urls: Sequence[str]) -> None:
    """Render each page and read its code with another program. Raises UnreadableError.

    Needs pypdfium2. `poster_pdf` reads the symbol alone, which is what can be done without it.
    """
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        if len(document) != len(urls):
            raise UnreadableError(f"{len(document)} pages for {len(urls)} codes")
        for number, (page, url) in enumerate(zip(document, urls, strict=True), start=1):
            grey = page.render(scale=1.5, grayscale=True).to_numpy()
            found = zxingcpp.read_barcodes(grey.reshape(grey.shape[:2]))
            texts = [barcode.text for barcode in found]
            if texts != [url]:
                raise UnreadableError(f"page {number} reads as {texts}, not {url}")
    finally:
        document.close()
