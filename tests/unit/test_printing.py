"""A whole set: whole files only, the same twice, and an interruption costs no more than a part."""

import fcntl
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pypdfium2
import pytest
import zxingcpp

from issuer import poster
from issuer.codes import KeyRing, code_url, issue
from issuer.formats import Format
from issuer.kinds import new_place, new_site
from issuer.poster import Sheet, verify_poster
from issuer.printing import run, work
from issuer.printing.order import Index, Order, Packing, Posters, pieces, wholes
from issuer.printing.run import folder_of, print_set
from issuer.symbol import Symbol, UnreadableError, make_symbol, prove
from issuer.symbols import symbols_of
from schemas.errors import UserError
from schemas.places import Code

RING = KeyRing.parse("1:" + "11" * 16)
ORIGIN = "HTTPS://TRUYVET.VN/C/"
ORDER = Order("Phường Đằng Lâm, Quận Hải An", Format.A4, ORIGIN, 21, part_pages=4, file_pages=10)
ZIP = Order(ORDER.title, Format.A5, ORIGIN, 21, Packing.ZIP, part_pages=4, file_pages=10)


def sheets(count: int, name: str = "Phòng") -> list[Sheet]:
    made = []
    for n in range(1, count + 1):
        site = new_site(1 + n // 3, "office", f"Sở {n // 3}", "11413", address="62 Võ Thị Sáu")
        place = new_place(site, n, "meeting_room", f"{name} {n}")
        made.append(Sheet(place, site, Code(version=n % 3 + 1, token=issue(RING, n, n % 3 + 1))))
    return made


def urls(some: list[Sheet]) -> list[str]:
    return [code_url(ORIGIN, s.code.token) for s in some]


def read_back(pdf: Path | bytes) -> list[list[str]]:
    """What zxing-cpp reads on each page."""
    document = pypdfium2.PdfDocument(pdf)
    found = []
    for page in document:
        grey = page.render(scale=1.0, grayscale=True).to_numpy()
        found.append([b.text for b in zxingcpp.read_barcodes(grey.reshape(grey.shape[:2]))])
    return found


def text_of(pdf: Path | bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(p.get_textpage().get_text_range().split()) for p in document)


def test_one_pdf_begins_with_its_index_and_every_page_reads(tmp_path: Path) -> None:
    some = sheets(7)
    told: list[int] = []
    out = tmp_path / "out.pdf"
    printed = print_set(ORDER, some, 7, [out], on_progress=told.append)
    assert (printed.files, printed.posters, printed.kept) == ((out,), 7, 0)
    assert printed.size == out.stat().st_size
    assert told[-1] == 7
    found = read_back(out)
    assert found == [[]] + [[url] for url in urls(some)]
    index = text_of(out)
    assert "Danh sách áp phích cần dán Posters to put up" in index
    assert "Áp phích 1–7 trong 7" in index
    assert os.listdir(tmp_path) == ["out.pdf"], "nothing is left beside it"


def test_more_than_a_file_holds_are_several_each_with_its_index(tmp_path: Path) -> None:
    some = sheets(23)
    outs = [tmp_path / f"{n}.pdf" for n in range(3)]
    print_set(ORDER, some, 23, outs)
    assert [len(pypdfium2.PdfDocument(out)) for out in outs] == [11, 11, 4]
    pages = [page for out in outs for page in read_back(out) if page]
    assert pages == [[url] for url in urls(some)]
    for out, rows in zip(outs, ("1–10", "11–20", "21–23"), strict=True):
        assert f"Áp phích {rows} trong 23" in text_of(out)


def test_a_zip_has_a_pdf_a_place_and_the_index_first(tmp_path: Path) -> None:
    some = sheets(6)
    out = tmp_path / "out.zip"
    print_set(ZIP, some, 6, [out])
    with ZipFile(out) as whole:
        names = whole.namelist()
        assert names[0] == "00000_index_000001.pdf"
        assert names[1:3] == ["00001_so-0_phong-1_1.pdf", "00002_so-0_phong-2_2.pdf"]
        assert len(names) == 7
        assert "Phòng 6" in text_of(whole.read(names[0]))
        for name, url in zip(names[1:], urls(some), strict=True):
            verify_poster(whole.read(name), [url])
            assert len(whole.read(name)) <= 40_000


@pytest.mark.parametrize("order", [ORDER, ZIP], ids=["pdf", "zip"])
def test_twice_is_the_same_and_so_is_with_two_processes(order: Order, tmp_path: Path) -> None:
    some = sheets(9)
    made = []
    for n, workers in enumerate((1, 1, 2)):
        out = tmp_path / str(n) / f"out.{order.packing}"
        out.parent.mkdir()
        print_set(order, some, 9, [out], workers=workers)
        made.append(out.read_bytes())
    assert made[0] == made[1] == made[2]


class _Stop(BaseException):
    """As Ctrl-C is."""


def _stopped_after(count: int) -> Callable[[int], None]:
    def on_progress(done: int) -> None:
        if done >= count:
            raise _Stop

    return on_progress


def test_an_interrupted_run_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some, out, whole = sheets(10), tmp_path / "out.pdf", tmp_path / "whole.pdf"
    print_set(ORDER, some, 10, [whole])
    with pytest.raises(_Stop):
        print_set(ORDER, some, 10, [out], on_progress=_stopped_after(8))
    assert not out.exists()
    made: list[str] = []

    def do(job: Any, folder: Path) -> work.Done:
        made.append(type(job).__name__)
        return work.do(job, folder)

    monkeypatch.setattr(run, "do", do)
    printed = print_set(ORDER, some, 10, [out])
    assert printed.kept == 8
    assert made == ["Posters", "Whole"], "the last part of three, and what comes after"
    assert out.read_bytes() == whole.read_bytes()


def _print_and_die(out: Path) -> None:
    os.setsid()  # so that what it started can be told by its session

    def die(done: int) -> None:
        if done >= 8:
            os.kill(os.getpid(), signal.SIGKILL)

    print_set(ORDER, sheets(10), 10, [out], workers=2, on_progress=die)


def _of_session(session: int) -> list[str]:
    """Commands of processes of this session that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text("utf-8", "replace").rpartition(")")
        except OSError:
            continue
        state, _parent, _group, of_session = rest.split()[:4]
        if int(of_session) == session and state not in "ZX":
            found.append(name)
    return found


def test_a_killed_run_goes_on_and_leaves_no_process(tmp_path: Path) -> None:
    out, whole = tmp_path / "out.pdf", tmp_path / "whole.pdf"
    process = multiprocessing.get_context("spawn").Process(target=_print_and_die, args=[out])
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert process.pid is not None
    assert not out.exists()
    deadline = time.monotonic() + 20
    while _of_session(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _of_session(process.pid), "a printing process outlived its parent"
    some = sheets(10)
    assert print_set(ORDER, some, 10, [out]).kept >= 8
    print_set(ORDER, some, 10, [whole])
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("spoil", ["cut", "changed", "gone", "line"])
def test_a_part_that_is_not_as_it_was_written_is_made_again(spoil: str, tmp_path: Path) -> None:
    some, out, whole = sheets(10), tmp_path / "out.pdf", tmp_path / "whole.pdf"
    print_set(ORDER, some, 10, [whole])
    with pytest.raises(_Stop):
        print_set(ORDER, some, 10, [out], on_progress=_stopped_after(8))
    folder = folder_of(out)
    part = sorted(folder.glob("part-*"))[0]
    match spoil:
        case "cut":
            part.write_bytes(part.read_bytes()[:-1])
        case "changed":
            part.write_bytes(part.read_bytes()[:-1] + b"\x00")
        case "gone":
            part.unlink()
        case "line":  # the manifest's last line was cut short, as by a power cut
            lines = (folder / "manifest.jsonl").read_bytes()
            (folder / "manifest.jsonl").write_bytes(lines[:-10])
    (folder / f".x.1{work.HIDDEN_SUFFIX}").write_bytes(b"of a process that was killed")
    assert print_set(ORDER, some, 10, [out]).kept == 4
    assert out.read_bytes() == whole.read_bytes()


def test_what_changed_meanwhile_is_printed_anew(tmp_path: Path) -> None:
    out = tmp_path / "out.pdf"
    with pytest.raises(_Stop):
        print_set(ORDER, sheets(10), 10, [out], on_progress=_stopped_after(8))
    other = [*sheets(10)[:4], *sheets(10, "Hội trường")[4:]]
    assert print_set(ORDER, other, 10, [out]).kept == 4
    assert "Hội trường 5" in text_of(out)
    assert "Phòng 5" not in text_of(out)
    with pytest.raises(_Stop):
        print_set(ORDER, other, 10, [out], replace=True, on_progress=_stopped_after(8))
    longer = Order(ORDER.title, Format.A4, ORIGIN, 45, part_pages=4, file_pages=10)
    assert print_set(longer, other, 10, [out], replace=True).kept == 0, "another order"
    assert "Sau 45 ngày" in text_of(out)


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    out = tmp_path / "out.pdf"
    out.write_bytes(b"mine")
    with pytest.raises(UserError, match=r"đã có: thêm --replace. / .* is there already"):
        print_set(ORDER, sheets(2), 2, [out])
    assert out.read_bytes() == b"mine"
    print_set(ORDER, sheets(2), 2, [out], replace=True)
    assert len(pypdfium2.PdfDocument(out)) == 3


def test_stopped_between_two_renames_it_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some, outs = sheets(12), [tmp_path / "1.pdf", tmp_path / "2.pdf"]
    replace = Path.replace

    def stop(self: Path, target: Path) -> Path:
        if target == outs[1]:
            raise _Stop
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(_Stop):
        print_set(ORDER, some, 12, outs)
    monkeypatch.undo()
    assert [out.exists() for out in outs] == [True, False]
    print_set(ORDER, some, 12, outs)
    assert [len(pypdfium2.PdfDocument(out)) for out in outs] == [11, 3]


def test_one_run_at_a_time_and_only_in_a_folder_of_its_own(tmp_path: Path) -> None:
    out = tmp_path / "out.pdf"
    folder = folder_of(out)
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="is not of a print run"):
        print_set(ORDER, sheets(2), 2, [out])
    (folder / "mine.txt").unlink()
    with (folder / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="Another run is printing"):
            print_set(ORDER, sheets(2), 2, [out])
    print_set(ORDER, sheets(2), 2, [out])


@pytest.mark.parametrize("count", [5, 120])
def test_a_symbol_that_does_not_read_stops_the_run_and_names_the_place(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One drawing is spoilt where it is made, for both ways of making them."""
    bad = urls(sheets(count))[2]

    def spoilt(symbol: Symbol) -> Symbol:
        return Symbol(symbol.text, symbol.modules, "") if symbol.text == bad else symbol

    def one(text: str) -> Symbol:
        prove(spoilt(make_symbol(text)))
        return make_symbol(text)

    class Many:
        def __init__(self, origin: str) -> None:
            self.origin = origin

        def draw(self, tokens: list[str]) -> list[Symbol]:
            return [spoilt(symbol) for symbol in symbols_of(self.origin).draw(tokens)]

    monkeypatch.setattr(poster, "make_symbol", one)
    monkeypatch.setattr(poster, "symbols_of", Many)
    order = Order("x", Format.A4, ORIGIN, 21, part_pages=100, file_pages=200)
    with pytest.raises(UserError, match=r"Điểm quét 3 không in được.* / Place 3 cannot be"):
        print_set(order, sheets(count), count, [tmp_path / "out.pdf"])
    assert not (tmp_path / "out.pdf").exists()
    with pytest.raises(UnreadableError, match="place 3"):
        poster.posters_pdf(sheets(count), ORIGIN)


def test_a_list_that_changed_under_way_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="changed while they were printed"):
        print_set(ORDER, sheets(5), 6, [tmp_path / "out.pdf"])


def test_sheets_are_taken_as_they_are_needed() -> None:
    """Memory does not grow with the set: a file's sheets are held, and no more."""
    taken = 0

    def endless() -> Iterator[Sheet]:
        nonlocal taken
        for sheet in sheets(40):
            taken += 1
            yield sheet

    for piece in pieces(ORDER, endless(), 40):
        assert taken <= piece.first + 2 * ORDER.file_pages


def test_pieces_and_files_are_planned_without_a_rest_or_a_gap() -> None:
    for count in (1, 4, 5, 10, 11, 20, 23):
        made = list(pieces(ORDER, sheets(count), count))
        posters = [p for p in made if isinstance(p, Posters)]
        assert [s.place.id for p in posters for s in p.sheets] == list(range(1, count + 1))
        indices = [p for p in made if isinstance(p, Index)]
        assert [s.place.id for p in indices for s in p.sheets] == list(range(1, count + 1))
        files = list(wholes(ORDER, ((p.first, p.file_name) for p in reversed(made))))
        assert len(files) == ORDER.files(count) == len(indices)
        assert sum(len(f.pieces) for f in files) == len(made)
        assert all(f.pieces[0].startswith("index-") for f in files)


def test_the_manifest_says_what_is_done(tmp_path: Path) -> None:
    out = tmp_path / "out.pdf"
    with pytest.raises(_Stop):
        print_set(ORDER, sheets(10), 10, [out], on_progress=_stopped_after(4))
    lines = (folder_of(out) / "manifest.jsonl").read_text().splitlines()
    assert json.loads(lines[1])["name"].startswith("index-000001-")
    first = json.loads(lines[2])
    assert first["name"].startswith("part-000001-")
    assert first["posters"] == 4
    assert first["size"] == (folder_of(out) / first["name"]).stat().st_size
