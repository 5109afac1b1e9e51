"""Each format: its paper, its code, its words, whatever the names; and the index sheet."""

import re
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
import zxingcpp

from issuer.codes import KeyRing, code_url, issue
from issuer.formats import SHAPES, Format
from issuer.index_sheet import index_pdf
from issuer.kinds import new_place, new_site
from issuer.poster import Sheet, poster_pdf, verify_poster
from issuer.symbol import QUIET_MODULES, make_symbol
from schemas.places import Code

RING = KeyRing.parse("1:" + "11" * 16)
ORIGINS = ["HTTPS://TRUYVET.VN/C/", "HTTPS://QUET.HAIPHONG.GOV.VN/CC/"]  # versions 3 and 4
MARKUP = '#let x = 1 *đậm* $a$ _nghiêng_ "q" \\ [ưởng Ẵ] <nhãn> @a // /* `b` = - + ~'
WIDEST = ("W" * 19 + " ") * 12  # 239 characters, none of them narrow
TALLEST = "Ẫ ặ Ẵ ự Ễ ợ " * 19 + "Ẫ ặ Ẵ ự Ễ ợ"  # 239, with marks above and below
NAMES = {
    "usual": ("Phòng họp tầng 3", "Sở Thông tin và Truyền thông", "62 Võ Thị Sáu"),
    "short": ("A", "B", None),
    "markup": (MARKUP, MARKUP + ".", MARKUP),
    "widest": (WIDEST, WIDEST.strip() + ".", WIDEST),
    "tallest": (TALLEST, TALLEST + ".", TALLEST),
    "alike": (WIDEST, WIDEST, WIDEST),
    "one word": ("W" * 240, "Ặ" * 240, None),
}


def sheet(name: str, site: str, address: str | None, number: int = 7, of: int = 9) -> Sheet:
    at = new_site(of, "office", site, "11413", address=address)
    place = new_place(at, number, "meeting_room", name)
    return Sheet(place, at, Code(version=1023, token=issue(RING, number, 1023)))


def pdf_of(one: Sheet, form: Format, origin: str = ORIGINS[0]) -> bytes:
    return poster_pdf(one.place, one.site, one.code, origin, form=form)


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(p.get_textpage().get_text_range().split()) for p in document)


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("origin", ORIGINS)
def test_the_code_keeps_its_size_and_stands_alone(form: Format, name: str, origin: str) -> None:
    one = sheet(*NAMES[name])
    pdf = pdf_of(one, form, origin)
    url = code_url(origin, one.code.token)
    verify_poster(pdf, [url])
    shape, dots = SHAPES[form], 3.0
    document = pypdfium2.PdfDocument(pdf)
    width, height = document[0].get_size()
    millimetre = 72 / 25.4
    assert (round(width / millimetre), round(height / millimetre)) == (
        shape.width_mm, shape.height_mm,
    )  # fmt: skip
    image = document[0].render(scale=dots, grayscale=True).to_numpy()
    (found,) = zxingcpp.read_barcodes(image)
    left, top = found.position.top_left.x, found.position.top_left.y
    right, bottom = found.position.bottom_right.x, found.position.bottom_right.y
    for begin, end in ((left, right), (top, bottom)):
        assert abs((end - begin + 1) / (dots * millimetre) - shape.code_mm) < 1
    modules = make_symbol(url).modules
    quiet = int(QUIET_MODULES * shape.code_mm / modules * dots * millimetre) - 4
    assert left - quiet >= 0
    assert right + quiet < image.shape[1]
    zone = np.array(image[top - quiet : bottom + quiet, left - quiet : right + quiet])
    zone[quiet - 4 : -quiet + 4, quiet - 4 : -quiet + 4] = 255
    assert (zone > 250).all(), "four modules of white on every side"


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_cut_off(form: Format, name: str) -> None:
    """All words are on the page, and nothing but the black bar touches its edge."""
    one = sheet(*NAMES[name])
    pdf = pdf_of(one, form)
    assert len(pdf) <= 40_000
    text = re.sub(r"\W", "", text_of(pdf))
    for expected in (
        one.place.name,
        one.site.name,
        "QUÉT MÃ KHI VÀO VÀ KHI RA",
        "Scan when you enter and when you leave",
        "Mở máy ảnh điện thoại, hướng vào mã này",
        "Point your phone camera here",
        "Bấm vào liên kết hiện ra, chọn VÀO",
        "Tap the link, choose IN",
        "Khi rời đi, quét lại và chọn RA",
        "Leaving: scan again, choose OUT",
        "Không có điện thoại? Nhờ người trực ghi giúp",
        "No phone? Ask the staff",
        "Chỉ để truy vết dịch. Lượt quét không ghi tên.",
        "Not searchable after 21 days",
        "Phiên bản 1023: một nghìn không trăm hai mươi ba",
        "Version 1023: one thousand and twenty-three",
        one.code.token,
    ):
        assert re.sub(r"\W", "", expected) in text
    image = pypdfium2.PdfDocument(pdf)[0].render(scale=2.0, grayscale=True).to_numpy()
    edge = 8  # dots of 0.18 mm
    bar = int(image.shape[0] * 0.1)
    assert (image[-edge:] > 250).all()
    assert (image[bar:, :edge] > 250).all()
    assert (image[bar:, -edge:] > 250).all()


@pytest.mark.parametrize("form", Format)
def test_no_letters_lie_on_others(form: Format) -> None:
    """Lines of the page, as a reader finds them, do not overlap, with the longest names too."""
    for name in ("usual", "widest", "tallest"):
        page = pypdfium2.PdfDocument(pdf_of(sheet(*NAMES[name]), form))[0].get_textpage()
        boxes = [page.get_rect(n) for n in range(page.count_rects())]
        # what letters fill of a line: ascenders reach into the line above by a little
        lines = [(a, b + (t - b) * 0.25, c, b + (t - b) * 0.75) for a, b, c, t in boxes]
        for n, (left, low, right, high) in enumerate(lines):
            for left2, low2, right2, high2 in lines[n + 1 :]:
                apart = right <= left2 + 1 or right2 <= left + 1
                assert apart or high <= low2 or high2 <= low, (name, form)


def test_every_format_has_a_shape_and_a_code_that_fits_with_its_quiet_zone() -> None:
    assert set(SHAPES) == set(Format)
    for form, shape in SHAPES.items():
        assert shape.code_mm * (29 + 2 * QUIET_MODULES) / 29 < shape.width_mm
        if form is not Format.A5:
            assert shape.code_mm >= 150, "Hà Nội's size for a place"


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("address", ["16 Cát Bi", None])
def test_a_place_that_is_called_as_its_site_is_named_once(
    form: Format, address: str | None
) -> None:
    one = sheet("Quán Phở Thìn", "quán phở Thìn", address)
    text = text_of(pdf_of(one, form))
    assert text.count("Quán Phở Thìn") == 1
    assert "quán phở Thìn" not in text
    assert "Cơ quan, đơn vị · Site" not in text
    assert ("Địa chỉ · Address 16 Cát Bi" in text) is (address is not None)
    index = text_of(index_pdf([one], "Phường Đằng Lâm", form))
    assert index.lower().count("quán phở thìn") == 1
    other = text_of(pdf_of(sheet("Cổng chính", "Quán Phở Thìn", address), form))
    assert "Cơ quan, đơn vị · Site Quán Phở Thìn" in other


def test_the_index_has_a_row_a_place_under_its_site() -> None:
    some = [
        sheet("Cổng chính", "Chợ Sắt", "4 Phan Bội Châu", 1, 5),
        sheet("Dãy hàng cá", "Chợ Sắt", "4 Phan Bội Châu", 2, 5),
        sheet("Phòng họp", "Uỷ ban phường", None, 3, 6),
    ]
    text = text_of(index_pdf(some, "Phường Đằng Lâm, Quận Hải An", Format.A3))
    for expected in (
        "Phường Đằng Lâm, Quận Hải An",
        "Khổ A3",
        "Áp phích 1–3 trong 3",
        "Chợ Sắt 4 Phan Bội Châu",
        "Uỷ ban phường",
        "1023: một nghìn không trăm hai mươi ba one thousand and twenty-three",
        "Phòng họp · Meeting room · số 1",
        "Trang 1 / 1 · Page",
    ):
        assert expected in text
    assert text.count("Chợ Sắt") == 1, "a site is named once"
    assert text.index("Cổng chính") < text.index("Dãy hàng cá") < text.index("Uỷ ban phường")


def test_a_long_index_repeats_its_site_and_numbers_its_pages() -> None:
    some = [sheet(f"Sạp {n}", "Chợ Sắt", None, n, 5) for n in range(1, 121)]
    pdf = index_pdf(some, "Chợ Sắt, 4 Phan Bội Châu", Format.A4, first=201, total=320)
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) >= 3
    for number, page in enumerate(document, start=1):
        text = " ".join(page.get_textpage().get_text_range().split())
        assert f"Trang {number} / {len(document)}" in text
        assert "Chợ Sắt" in text
    assert "Áp phích 201–320 trong 320" in text_of(pdf)
    assert len(pdf) / len(document) <= 40_000


@pytest.mark.parametrize("name", NAMES)
def test_the_index_takes_any_name(name: str) -> None:
    one = sheet(*NAMES[name])
    text = re.sub(r"\W", "", text_of(index_pdf([one], WIDEST, Format.A4)))
    for expected in (one.place.name, one.site.name, one.site.address or ""):
        assert re.sub(r"\W", "", expected) in text
    with pytest.raises(ValueError, match="nothing to print"):
        index_pdf([], "x", Format.A4)


def test_the_guide_says_what_each_format_is() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "posters.md").read_text("utf-8")
    for form, shape in SHAPES.items():
        side, far = f"{shape.code_mm / 10:g}", f"{shape.code_mm / 100:.2g}"
        row = rf"\| `{form}` \| {shape.en} \| {side} × {side} cm \| {far} m \|"
        assert re.search(row, guide), form
