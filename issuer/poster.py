"""Posters: a page a place, with its code at 15 × 15 cm or more on A4 and A3.

What a page says stands in templates/common.typ; names reach it as data (JSON), never as markup.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import zxingcpp

from issuer import words
from issuer.codes import code_url, read
from issuer.formats import SHAPES, Format
from issuer.kinds import kinds
from issuer.symbol import QUIET_MODULES, Symbol, UnreadableError, make_symbol, prove
from issuer.symbols import symbols_of
from issuer.typesetting import typeset
from schemas.places import Code, Place, Site

MAX_NAME: Final = 240

_LONGEST_WORD: Final = 30
_BREAK: Final = "\u200b"  # a line may end here, and nothing is seen
_MANY: Final = 50  # from here on it pays to learn the origin's symbols first


@dataclass(frozen=True)
class Sheet:
    """What one page is about."""

    place: Place
    site: Site
    code: Code


def poster_pdf(
    place: Place,
    site: Site,
    code: Code,
    origin: str,
    *,
    retention_days: int = 21,
    form: Format = Format.A4,
) -> bytes:
    """The poster of one code as a PDF of one page.

    Raises ValueError for a code that is not this place's or is revoked, for a place that is not
    this site's and for a name of more than 240 characters; UnreadableError if the symbol that
    was drawn does not read as the code's URL.
    """
    return posters_pdf([Sheet(place, site, code)], origin, retention_days=retention_days, form=form)


def posters_pdf(
    sheets: Sequence[Sheet],
    origin: str,
    *,
    retention_days: int = 21,
    form: Format = Format.A4,
    tagged: bool = True,
) -> bytes:
    """One PDF with a page for each sheet, in this order. Raises as `poster_pdf` does."""
    if not sheets:
        raise ValueError("there is nothing to print")
    pages = pages_of(sheets, origin, form)
    return pages_pdf(pages, form, retention_days=retention_days, tagged=tagged)


def pages_of(sheets: Sequence[Sheet], origin: str, form: Format) -> list[dict[str, Any]]:
    """What each page says, with its proven symbol. Raises as `poster_pdf` does."""
    for sheet in sheets:
        check(sheet)
    symbols = symbols_for(sheets, origin)
    return [_page(s, symbol, origin, form) for s, symbol in zip(sheets, symbols, strict=True)]


def pages_pdf(
    pages: Sequence[dict[str, Any]], form: Format, *, retention_days: int, tagged: bool
) -> bytes:
    """These pages, of `pages_of` for the same format, as one PDF."""
    # in a frame the words of all pages are one picture: searched as well, but not read aloud
    frame = None if tagged or len(pages) == 1 else _frame(form, retention_days)
    return _typeset(pages, form, retention_days, frame, tagged)


@cache
def _frame(form: Format, retention_days: int) -> list[int]:
    """What is the same on every page: the bytes of a PDF of one."""
    return list(_typeset([], form, retention_days, None, False))


def _typeset(
    pages: Sequence[dict[str, Any]],
    form: Format,
    retention_days: int,
    frame: list[int] | None,
    tagged: bool,
) -> bytes:
    about = {"retention_days": retention_days, "code_mm": SHAPES[form].code_mm, "frame": frame}
    return typeset(f"poster_{form}", {"pages": pages, **about}, tagged=tagged)


def check(sheet: Sheet) -> None:
    """Raises ValueError for what must not be printed, as `poster_pdf` says."""
    place, site, code = sheet.place, sheet.site, sheet.code
    token = read(code.token)
    if (token.place, token.version) != (place.id, code.version):
        raise ValueError(f"the code is not version {code.version} of place {place.id}")
    if code.revoked_at is not None:
        raise ValueError(f"version {code.version} of place {place.id} is revoked")
    if place.site != site.id:
        raise ValueError(f"place {place.id} is not one of site {site.id}")
    for name in (place.name, site.name, site.address or ""):
        plain(name)


def symbols_for(sheets: Sequence[Sheet], origin: str) -> list[Symbol]:
    """The sheets' symbols, each read back by another program.

    Raises ValueError for an origin that cannot be one, UnreadableError that names the place.
    """
    urls = [code_url(origin, sheet.code.token) for sheet in sheets]
    many = len(sheets) >= _MANY
    drawn = symbols_of(origin).draw([sheet.code.token for sheet in sheets]) if many else []
    made = []
    for number, (sheet, url) in enumerate(zip(sheets, urls, strict=True)):
        try:
            if many:
                prove(drawn[number])
            made.append(drawn[number] if many else make_symbol(url))
        except UnreadableError as error:
            raise UnreadableError(f"place {sheet.place.id}: {error}") from None
    return made


def described(sheet: Sheet) -> dict[str, Any]:
    """Names and version of a sheet as pages say them; kinds in both languages."""
    place, code = sheet.place, sheet.code
    kind = kinds().get(place.kind)
    return {
        "place": plain(place.name),
        "kind_vi": kind.name.vi if kind else place.kind,
        "kind_en": kind.name.en if kind else "",
        "version": code.version,
        "version_vi": words.vietnamese(code.version),
        "version_en": words.english(code.version),
    }


def said_once(sheet: Sheet) -> bool:
    """Whether the place is called what its site is, as the only place of a shop is."""
    return plain(sheet.place.name).casefold() == plain(sheet.site.name).casefold()


def _page(sheet: Sheet, symbol: Symbol, origin: str, form: Format) -> dict[str, Any]:
    token = sheet.code.token
    return described(sheet) | {
        "site": "" if said_once(sheet) else plain(sheet.site.name),
        "address": plain(sheet.site.address or ""),
        "svg": symbol.svg,
        "quiet_mm": SHAPES[form].code_mm / symbol.modules * QUIET_MODULES,
        "groups": [token[i : i + 3] for i in range(0, len(token), 3)],
        "host": origin.lower(),
    }


def plain(text: str) -> str:
    """A name as it is set: composed (NFC), on one line, without control or format characters.

    Very long words may break anywhere. Raises ValueError above 240 characters.
    """
    seen = unicodedata.normalize("NFC", text)
    if not seen.isprintable():
        seen = "".join(" " if c.isspace() else c for c in seen)
        seen = "".join(c for c in seen if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    line = " ".join(seen.split())
    if len(line) > MAX_NAME:
        raise ValueError(f"a name of {len(line)} characters does not fit a poster: {line[:40]}…")
    return re.sub(rf"\S{{{_LONGEST_WORD}}}(?=\S)", rf"\g<0>{_BREAK}", line)


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
