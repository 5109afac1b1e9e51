"""Posters: what was printed reads back with another program, is large enough and says its names."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageFilter

from issuer import typesetting, words
from issuer.codes import KeyRing, code_url, issue, revoke
from issuer.kinds import new_place, new_site
from issuer.poster import Sheet, plain, poster_pdf, posters_pdf, verify_poster
from issuer.symbol import QUIET_MODULES, Symbol, UnreadableError, make_symbol, prove
from schemas.places import Code

RING = KeyRing.parse("1:" + "11" * 16)
SHORT = "HTTPS://TRUYVET.VN/C/"  # 39 characters with the token: version 3
LONG = "HTTPS://QUET.HAIPHONG.GOV.VN/CC/"  # 50: version 4
MARKUP = '#let x = 1 *đậm* $a$ _nghiêng_ "q" \\ [ưởng Ẵ] <nhãn> @a // /* `b` = - + ~'
LONG_SITE = (
    "Công ty Trách nhiệm hữu hạn Một thành viên Đầu tư Xây dựng và Phát triển Hạ tầng "
    "Khu công nghiệp Nam Cầu Kiền – Chi nhánh Thuỷ Nguyên"
)
WIDEST = ("W" * 19 + " ") * 12  # 239 characters, none of them narrow


def sheet(
    name: str = "Phòng họp tầng 3",
    site: str = "Sở Thông tin và Truyền thông",
    kind: str = "meeting_room",
    version: int = 21,
    address: str | None = "62 Võ Thị Sáu",
) -> Sheet:
    of = new_site(9, "office", site, "11413", address=address)
    place = new_place(of, 123_456, kind, name)
    return Sheet(place, of, Code(version=version, token=issue(RING, place.id, version)))


def pdf_of(one: Sheet, origin: str = SHORT, **more: Any) -> bytes:
    return poster_pdf(one.place, one.site, one.code, origin, **more)


def grey(pdf: bytes, scale: float, page: int = 0) -> npt.NDArray[np.uint8]:
    """A page at 72 × `scale` dots per inch."""
    document = pypdfium2.PdfDocument(pdf)
    image: npt.NDArray[np.uint8] = document[page].render(scale=scale, grayscale=True).to_numpy()
    return image.reshape(image.shape[:2]).copy()


def text_of(pdf: bytes, page: int = 0) -> str:
    """The page's text on one line."""
    found: str = pypdfium2.PdfDocument(pdf)[page].get_textpage().get_text_range()
    return " ".join(found.split())


def decode(image: npt.NDArray[np.uint8] | Image.Image) -> list[str]:
    return [barcode.text for barcode in zxingcpp.read_barcodes(image)]


SHEETS = {
    "usual": sheet(),
    "short": sheet("A", "B", "gate", 1, None),
    "long": sheet(MARKUP, LONG_SITE, "department", 1023, "Số 1 đường Nhà Thương, quận Lê Chân"),
    "widest": sheet(WIDEST, WIDEST, "imported", 777, WIDEST),
    "one word": sheet("W" * 240, "Ặ" * 240, "checkpoint", 1, None),
}


@pytest.mark.parametrize("origin", [SHORT, LONG])
@pytest.mark.parametrize("name", SHEETS)
def test_the_page_reads_and_its_code_is_large_and_alone(name: str, origin: str) -> None:
    one = SHEETS[name]
    pdf = pdf_of(one, origin)
    url = code_url(origin, one.code.token)
    verify_poster(pdf, [url])
    dots = 4.0
    image = grey(pdf, dots)
    (found,) = zxingcpp.read_barcodes(image)
    assert found.text == url
    millimetres = 25.4 / (72 * dots)
    corners = found.position
    left, right = corners.top_left.x, corners.top_right.x
    top, bottom = corners.top_left.y, corners.bottom_left.y
    assert (right - left + 1) * millimetres >= 149.8  # zxing's corners are a dot or two inside
    assert (bottom - top + 1) * millimetres >= 149.8
    # the quiet zone: four modules of white on every side
    modules = make_symbol(url).modules
    quiet = int(QUIET_MODULES * 150 / modules / millimetres) - 4
    zone = image[top - quiet : bottom + quiet, left - quiet : right + quiet].copy()
    zone[quiet - 4 : -quiet + 4, quiet - 4 : -quiet + 4] = 255
    assert (zone > 250).all()


@pytest.mark.parametrize("origin", [SHORT, LONG])
def test_the_drawing_is_fifteen_centimetres(origin: str) -> None:
    """Black from the first to the last dark module, at 576 dots per inch."""
    image = grey(pdf_of(sheet(), origin), 8.0)
    middle = image[int(image.shape[0] * 0.24) : int(image.shape[0] * 0.77)]
    rows, columns = np.flatnonzero((middle < 128).any(1)), np.flatnonzero((middle < 128).any(0))
    millimetres = 25.4 / 576
    for dark in (rows, columns):
        assert 149.9 <= (dark[-1] - dark[0] + 1) * millimetres <= 150.2


@pytest.mark.parametrize("origin", [SHORT, LONG])
@pytest.mark.parametrize("scale", [0.3, 0.5, 1.0, 2.0, 4.0])
def test_it_reads_near_and_far(scale: float, origin: str) -> None:
    one = sheet()
    assert decode(grey(pdf_of(one, origin), scale)) == [code_url(origin, one.code.token)]


@pytest.mark.parametrize("origin", [SHORT, LONG])
@pytest.mark.parametrize("degrees", [0, 7, 30, 45, 90, 180, 213])
@pytest.mark.parametrize("blur", [0.0, 0.35])
def test_it_reads_rotated_and_blurred(degrees: int, blur: float, origin: str) -> None:
    """`blur` is the standard deviation in modules; 0.4 is read as well here, 0.5 not at all angles."""
    one = sheet()
    image = Image.fromarray(grey(pdf_of(one, origin), 1.5))
    turned = image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    modules = make_symbol(code_url(origin, one.code.token)).modules
    dots = 150 / 25.4 * 72 * 1.5 / modules
    assert decode(turned.filter(ImageFilter.GaussianBlur(blur * dots))) == [
        code_url(origin, one.code.token)
    ]


def test_it_reads_with_a_part_torn_off() -> None:
    """Level Q mends a quarter: a sticker of 3 cm on the code's right half."""
    one = sheet()
    image = grey(pdf_of(one), 2.0)
    image[900:1070, 700:870] = 255
    assert decode(image) == [code_url(SHORT, one.code.token)]


@pytest.mark.parametrize("name", ["usual", "long"])
def test_the_text_can_be_searched_in_vietnamese(name: str) -> None:
    one = SHEETS[name]
    pdf = pdf_of(one)
    text = text_of(pdf)
    for expected in (
        *one.place.name.split(),
        *one.site.name.split(),
        "QUÉT MÃ KHI VÀO VÀ KHI RA",
        "Scan when you enter and when you leave",
        "Không có điện thoại?",
        "Sau 21 ngày không tra cứu được nữa",
        f"Phiên bản {one.code.version}: {words.vietnamese(one.code.version)}",
        f"Version {one.code.version}: {words.english(one.code.version)}",
        " ".join(re.findall("...", one.code.token)),
        "https://truyvet.vn/c/",
    ):
        assert expected in text
    assert len(pdf) <= 40_000
    document = pypdfium2.PdfDocument(pdf)
    assert [round(x) for x in document[0].get_size()] == [595, 842]


def test_kinds_are_in_both_languages() -> None:
    text = text_of(pdf_of(sheet(kind="gate")))
    assert "Cổng, lối vào · Gate" in text
    unknown = sheet()
    renamed = unknown.place.model_copy(update={"kind": "casino"})
    assert "casino" in text_of(pdf_of(Sheet(renamed, unknown.site, unknown.code)))


def test_it_does_not_promise_what_is_not_set() -> None:
    text = text_of(pdf_of(sheet(), retention_days=0))
    assert "ngày không tra cứu" not in text
    assert "Sau 45 ngày" in text_of(pdf_of(sheet(), retention_days=45))


def test_names_are_text_on_one_line() -> None:
    assert plain("  Cổng\n\t1\x00 \u202eevil\u2066 ") == "Cổng 1 evil"
    assert plain("Hải") == plain("Ha\u0309i") == "Hải"
    assert plain("W" * 65).replace("\u200b", "") == "W" * 65
    with pytest.raises(ValueError, match="241 characters"):
        plain("W" * 241)


def test_it_prints_the_same_twice() -> None:
    assert pdf_of(sheet()) == pdf_of(sheet())


def test_many_pages_are_one_file() -> None:
    sheets = [sheet(f"Phòng {n}", version=n) for n in range(1, 21)]
    pdf = posters_pdf(sheets, SHORT)
    verify_poster(pdf, [code_url(SHORT, s.code.token) for s in sheets])
    assert "Phòng 20" in text_of(pdf, 19)
    assert len(pdf) / 20 < 15_000
    with pytest.raises(UnreadableError, match="20 pages for 1"):
        verify_poster(pdf, [""])
    with pytest.raises(UnreadableError, match="page 1 reads as"):
        verify_poster(pdf, [code_url(SHORT, sheets[1].code.token)] * 20)
    with pytest.raises(ValueError, match="nothing to print"):
        posters_pdf([], SHORT)


def test_threads_can_print_side_by_side() -> None:
    sheets = [sheet(f"Phòng {n}") for n in range(12)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(pdf_of, sheets)) == [pdf_of(s) for s in sheets]


def test_what_must_not_be_printed_is_refused() -> None:
    one = sheet()
    other = Code(version=2, token=issue(RING, 5, 2))
    misnamed = Code(version=2, token=one.code.token)
    revoked = revoke(one.code, datetime(2021, 12, 1, tzinfo=UTC), "lost")
    for code, says in [(other, "not version 2"), (misnamed, "not version"), (revoked, "revoked")]:
        with pytest.raises(ValueError, match=says):
            poster_pdf(one.place, one.site, code, SHORT)
    with pytest.raises(ValueError, match="not one of site 10"):
        poster_pdf(one.place, new_site(10, "office", "Khác", "11413"), one.code, SHORT)
    with pytest.raises(ValueError, match="upper case"):
        pdf_of(one, "https://truyvet.vn/c/")


def test_without_the_font_package_the_page_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetting, "FONT_PACKAGE", "no_such_package")
    typesetting._compiler.cache_clear()
    try:
        one = SHEETS["long"]
        pdf = pdf_of(one)
    finally:
        typesetting._compiler.cache_clear()
    verify_poster(pdf, [code_url(SHORT, one.code.token)])
    assert "Ẵ" in text_of(pdf)


def test_a_symbol_is_as_small_as_its_text_allows() -> None:
    assert make_symbol("A" * 47).modules == 29
    assert make_symbol("A" * 50).modules == 33
    with pytest.raises(ValueError, match="51 characters"):
        make_symbol("A" * 51)


def test_a_drawing_that_does_not_read_is_not_handed_out() -> None:
    """The check checked: push the drawing out of place, draw another code, draw nothing."""
    good, other = make_symbol(SHORT + "A" * 18), make_symbol(SHORT + "B" * 18)
    pushed = re.sub(r"M\d+ ", "M0 ", good.path)
    for path in (pushed, other.path, ""):
        with pytest.raises(UnreadableError, match="reads as"):
            prove(Symbol(good.text, good.modules, path))


@pytest.mark.parametrize(
    ("number", "vi", "en"),
    [
        (1, "một", "one"),
        (5, "năm", "five"),
        (10, "mười", "ten"),
        (14, "mười bốn", "fourteen"),
        (15, "mười lăm", "fifteen"),
        (20, "hai mươi", "twenty"),
        (21, "hai mươi mốt", "twenty-one"),
        (24, "hai mươi tư", "twenty-four"),
        (55, "năm mươi lăm", "fifty-five"),
        (100, "một trăm", "one hundred"),
        (105, "một trăm linh năm", "one hundred and five"),
        (311, "ba trăm mười một", "three hundred and eleven"),
        (1000, "một nghìn", "one thousand"),
        (1005, "một nghìn không trăm linh năm", "one thousand and five"),
        (1023, "một nghìn không trăm hai mươi ba", "one thousand and twenty-three"),
    ],
)
def test_versions_in_words(number: int, vi: str, en: str) -> None:
    assert (words.vietnamese(number), words.english(number)) == (vi, en)


def test_every_version_has_words_of_its_own() -> None:
    assert len({words.vietnamese(n) for n in range(1, 1024)}) == 1023
    assert len({words.english(n) for n in range(1, 1024)}) == 1023
    for number in (0, 1024):
        with pytest.raises(ValueError, match=str(number)):
            words.english(number)
