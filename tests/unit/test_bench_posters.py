"""The poster benchmark compares like with like: the same places, the same words, pinned versions."""

import re
from pathlib import Path

import pypdfium2
import pytest

from bench.environments import FOLDER, pins
from bench.posters import Plan, run
from bench.posters_city import ORIGIN, said, sheets
from issuer.codes import code_url
from issuer.poster import posters_pdf, verify_poster
from schemas.errors import UserError


def test_the_plain_loop_prints_the_words_of_the_page() -> None:
    (one,) = sheets(1, 7)
    pdf = posters_pdf([one], ORIGIN)
    text = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()
    on_page = re.sub(r"\s", "", text)
    words = said(one)
    url = words.pop("url")
    assert url == code_url(ORIGIN, one.code.token)
    flat = [*(line for step in words.pop("steps") for line in step), *words.values()]
    assert len(flat) == 23
    for line in flat:
        assert re.sub(r"\s", "", line) in on_page


def test_every_place_is_another_and_the_same_seed_gives_the_same() -> None:
    some = list(sheets(3_000, 7))
    assert len({sheet.code.token for sheet in some}) == 3_000
    assert list(sheets(3_000, 7)) == some
    few = some[:3]
    verify_poster(posters_pdf(few, ORIGIN), [code_url(ORIGIN, s.code.token) for s in few])


def test_the_peer_is_pinned() -> None:
    assert set(pins("reportlab")) == {"reportlab", "segno", "pillow", "charset-normalizer"}
    constraints = (FOLDER.parents[1] / "constraints.txt").read_text("utf-8").splitlines()
    for name in ("segno", "pillow"):  # both loops draw with the same segno
        assert f"{name}=={pins('reportlab')[name]}" in constraints


def test_without_the_peer_ours_is_measured_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_peer: str, _say: object) -> Path:
        raise UserError("reportlab could not be installed: no network")

    monkeypatch.setattr("bench.posters.environment", away)
    found = run(tmp_path / "own", Plan(pages=8, naive_pages=2, workers=1), lambda _words: None)
    assert found["pages_per_s"] > 0
    assert found["ratio_to_naive"] is None
    assert "no network" in found["naive"]["failure"]
