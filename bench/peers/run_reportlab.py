"""The loop that one writes first: segno to a PNG at scale 10, drawImage, the texts, next page.

`python run_reportlab.py PAGES FONTS OUT`: PAGES has a line of JSON for each page, FONTS is the
folder with the typeface of truyvet's own posters. One process, nothing read back. What it draws
is the same page: the same words in the same places, in the same sizes as far as they fit a line.
"""

# What it imports is installed in its own environment only.
# mypy: disable-error-code="import-not-found,import-untyped"

import io
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import segno
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = A4
MARGIN = 10 * mm
PLAIN, BOLD, TOKEN = "Sans", "SansBold", "Courier"
CODE = 150 * mm
QUIET = 4  # modules, which segno puts around the symbol


def main(pages: str, fonts: str, out: str) -> None:
    """Draw every page of the file; say how long it took."""
    pdfmetrics.registerFont(TTFont(PLAIN, f"{fonts}/SourceSansPro-Regular.ttf"))
    pdfmetrics.registerFont(TTFont(BOLD, f"{fonts}/SourceSansPro-Bold.ttf"))
    begin = time.perf_counter()
    canvas = Canvas(out, pagesize=A4)
    count = 0
    with Path(pages).open(encoding="utf-8") as lines:
        for line in lines:
            draw(canvas, json.loads(line))
            canvas.showPage()
            count += 1
    canvas.save()
    seconds = time.perf_counter() - begin
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = {"pages": count, "seconds": seconds, "peak_mb": peak_kb / 1024}
    print("\n" + json.dumps(said | {"bytes": Path(out).stat().st_size}))


def draw(canvas: Any, page: dict[str, Any]) -> None:
    """One poster."""
    symbol = segno.make(page["url"], error="q", micro=False, boost_error=False)
    png = io.BytesIO()
    symbol.save(png, kind="png", scale=10)
    png.seek(0)
    side = CODE * symbol.symbol_size(border=QUIET)[0] / symbol.symbol_size(border=0)[0]
    canvas.drawImage(ImageReader(png), (WIDTH - side) / 2, HEIGHT - 54 * mm - side, side, side)
    canvas.rect(0, HEIGHT - 13 * mm, WIDTH, 13 * mm, stroke=0, fill=1)
    canvas.setFillGray(1)
    text(canvas, BOLD, 21, MARGIN + 6 * mm, HEIGHT - 9 * mm, page["call_vi"])
    text(canvas, PLAIN, 14, MARGIN + 112 * mm, HEIGHT - 9 * mm, page["call_en"])
    canvas.setFillGray(0)
    middle(canvas, PLAIN, 10, HEIGHT - 20 * mm, page["kind"])
    middle(canvas, BOLD, 34, HEIGHT - 33 * mm, page["place"])
    middle(canvas, PLAIN, 10, HEIGHT - 40 * mm, page["site_label"])
    middle(canvas, BOLD, 16, HEIGHT - 48 * mm, page["site"])
    for number, (first, second, english) in enumerate(page["steps"]):
        left = MARGIN + number * 64 * mm
        canvas.circle(left + 4 * mm, 46 * mm, 4 * mm, stroke=0, fill=1)
        canvas.setFillGray(1)
        canvas.setFont(BOLD, 15)
        canvas.drawCentredString(left + 4 * mm, 44.3 * mm, str(number + 1))
        canvas.setFillGray(0)
        text(canvas, BOLD, 12, left + 10 * mm, 47 * mm, first)
        text(canvas, BOLD, 12, left + 10 * mm, 42 * mm, second)
        text(canvas, PLAIN, 10.5, left + 10 * mm, 37.5 * mm, english)
    text(canvas, BOLD, 11, MARGIN, 31 * mm, page["help_vi"])
    text(canvas, PLAIN, 10, MARGIN + 122 * mm, 31 * mm, page["help_en"])
    text(canvas, BOLD, 9, MARGIN, 25.5 * mm, page["kept_vi"])
    text(canvas, PLAIN, 9, MARGIN, 21.5 * mm, page["kept_en"])
    canvas.line(MARGIN, 18.5 * mm, WIDTH - MARGIN, 18.5 * mm)
    text(canvas, BOLD, 9, MARGIN, 13 * mm, page["version_vi"])
    text(canvas, PLAIN, 9, MARGIN, 9 * mm, page["version_en"])
    canvas.setFont(PLAIN, 9)
    canvas.drawRightString(WIDTH - MARGIN, 14 * mm, page["host"])
    canvas.setFont(TOKEN, 17)
    canvas.drawRightString(WIDTH - MARGIN, 8 * mm, page["token"])


def text(canvas: Any, font: str, size: float, left: float, up: float, words: str) -> None:
    """A line from the left."""
    canvas.setFont(font, size)
    canvas.drawString(left, up, words)


def middle(canvas: Any, font: str, size: float, up: float, words: str) -> None:
    """A line in the middle, made smaller until it fits the page."""
    width = pdfmetrics.stringWidth(words, font, size)
    size *= min(1, (WIDTH - 2 * MARGIN) / width)
    canvas.setFont(font, size)
    canvas.drawCentredString(WIDTH / 2, up, words)


if __name__ == "__main__":
    main(*sys.argv[1:4])
