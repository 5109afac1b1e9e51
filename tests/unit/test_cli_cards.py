"""`truyvet cards …` on a database of its own, and what a printed card says."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp

from console.cli.main import main
from console.store.cards import card_by_id, list_cards
from console.store.engine import Store
from issuer.card_print import CODE_MM, Layout, Printable, cards_pdf
from issuer.cards import card_text, said
from issuer.symbol import UnreadableError
from tests.console_kit import PERSON, RING, WARD, migrated

KEYS = "1:" + "5a" * 32  # as `RING`
MILLIMETRE = 72 / 25.4
Do = Callable[..., int]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("TRUYVET_CODE_KEYS", KEYS)
    _, made = migrated(tmp_path)
    yield made
    made.close()


@pytest.fixture
def do(tmp_path: Path, store: Store) -> Do:
    def run(*arguments: str, lang: str = "en") -> int:
        return main(["--data-dir", str(tmp_path), "--lang", lang, "cards", *arguments])

    return run


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_batch_is_issued_shown_revoked_and_replaced(
    do: Do, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = ("issue", "--ward", WARD, "--batch", "to-5", "--count", "3", "--json")
    assert do(*batch) == 0
    first = told(capsys)
    assert first["made"] == 3
    assert do(*batch) == 0
    assert told(capsys) == first | {"made": 0}
    number = first["cards"][1]["id"]
    assert do("revoke", said(number), "--reason", "mất thẻ", "--json") == 0
    assert told(capsys)["card"]["revoked_reason"] == "mất thẻ"
    assert do("replace", str(number), "--reason", "cấp lại", "--json") == 0
    new = told(capsys)["cards"][0]
    assert new["version"] == 2
    assert do("show", str(number)) == 0
    words = capsys.readouterr().out
    assert words.count("\n") == 2
    assert said(new["id"]) in words
    assert "revoked" in words
    assert do("list", "--batch", "to-5", "--json") == 0
    assert {card["id"] for card in told(capsys)["cards"]} == {c["id"] for c in first["cards"]}
    everything = json.dumps(first) + words
    for card in list_cards(store, limit=9):
        assert card.person not in everything
        assert str(card.number) not in everything


def test_a_digit_that_is_wrong_names_no_other_card(
    do: Do, capsys: pytest.CaptureFixture[str]
) -> None:
    assert do("issue", "--ward", WARD, "--person", PERSON, "--json") == 0
    number = told(capsys)["cards"][0]["id"]
    wrong = str(number)[:-1] + str((number + 1) % 10)
    assert do("revoke", wrong, "--reason", "x") != 0
    assert "a digit is wrong" in capsys.readouterr().err
    assert do("revoke", str(number), "--reason", " ") != 0
    assert "--reason" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ("--ward", WARD),
        ("--ward", WARD, "--person", PERSON, "--batch", "x"),
        ("--ward", WARD, "--person", PERSON, "--count", "2"),
        ("--ward", WARD, "--person", "x"),
        ("--ward", "99999", "--person", PERSON),
    ],
)
def test_what_is_wrong_with_an_issue_is_said(
    do: Do, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    assert do("issue", *options) != 0
    assert "--" in capsys.readouterr().err


def test_a_card_that_was_read_is_named_and_not_its_person(
    do: Do, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert do("issue", "--ward", WARD, "--person", PERSON, "--json") == 0
    card = card_by_id(store, told(capsys)["cards"][0]["id"])
    assert card is not None
    text = card_text(RING.keys[0], card.number)
    assert do("verify", text.lower()) == 0
    words = capsys.readouterr().out
    assert said(card.id) in words
    assert PERSON not in words
    assert do("verify", text, "U" * 20, "--json") == 1
    assert [one["standing"] for one in told(capsys)["cards"]] == ["valid", "unreadable"]
    assert do("revoke", str(card.id), "--reason", "x", "--json") == 0
    capsys.readouterr()
    assert do("verify", text, "--json") == 1
    assert told(capsys)["cards"][0]["standing"] == "revoked"


def test_a_batch_is_printed_and_a_card_printed_again_is_the_same(
    do: Do, store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert do("issue", "--ward", WARD, "--batch", "b", "--count", "9", "--json") == 0
    cards = told(capsys)["cards"]
    assert do("revoke", str(cards[0]["id"]), "--reason", "x", "--json") == 0
    capsys.readouterr()
    out = tmp_path / "cards.pdf"
    printing = ("print", "--batch", "b", "--format", "a4", "--out", str(out), "--json")
    assert do(*printing) == 0
    said_ = told(capsys)
    assert (said_["cards"], said_["pages"], said_["revoked"]) == (8, 1, [cards[0]["id"]])
    image = pypdfium2.PdfDocument(out)[0].render(scale=2.5, grayscale=True).to_numpy()
    found = {one.text for one in zxingcpp.read_barcodes(image)}
    stored = [card_by_id(store, card["id"]) for card in cards[1:]]
    assert found == {card_text(RING.keys[0], card.number) for card in stored if card}
    assert do(*printing) != 0
    assert "--replace" in capsys.readouterr().err
    before = out.read_bytes()
    assert do(*printing, "--replace") == 0
    capsys.readouterr()
    assert out.read_bytes() == before
    one = tmp_path / "one.pdf"
    assert do("print", str(cards[3]["id"]), "--out", str(one), "--json") == 0
    assert told(capsys)["format"] == "cr80"
    assert list(tmp_path.glob(".*.pdf*")) == []
    assert do("print", "--out", str(one), "--replace") != 0


def test_a_card_of_a_key_that_is_gone_is_not_printed(
    do: Do, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert do("issue", "--ward", WARD, "--person", PERSON, "--json") == 0
    number = str(told(capsys)["cards"][0]["id"])
    monkeypatch.setenv("TRUYVET_CODE_KEYS", "2:" + "22" * 32 + "," + KEYS)
    assert do("print", number, "--out", str(tmp_path / "x.pdf")) == 0
    monkeypatch.setenv("TRUYVET_CODE_KEYS", "2:" + "22" * 32)
    assert do("print", number, "--out", str(tmp_path / "y.pdf")) != 0
    assert "cards replace" in capsys.readouterr().err
    assert not (tmp_path / "y.pdf").exists()


def some(count: int) -> list[Printable]:
    return [Printable(482177306, card_text(RING.keys[0], 10**9 + n)) for n in range(count)]


def test_a_card_is_of_a_bank_cards_size_and_its_code_of_five_centimetres() -> None:
    pdf = cards_pdf(some(2), Layout.CR80)
    assert len(pdf) / 2 <= 40_000
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 2
    width, height = document[0].get_size()
    assert (round(width / MILLIMETRE, 1), round(height / MILLIMETRE, 1)) == (85.6, 54.0)
    dots = 6.0
    image = document[0].render(scale=dots, grayscale=True).to_numpy()
    [found] = zxingcpp.read_barcodes(image)
    assert found.text == some(1)[0].text
    at = found.position
    side = (at.bottom_right.x - at.top_left.x + 1) / (dots * MILLIMETRE)
    assert abs(side - CODE_MM * 25 / 33) < 0.5
    quiet = int(CODE_MM * 4 / 33 * dots * MILLIMETRE) - 6
    zone = image[
        at.top_left.y - quiet : at.bottom_right.y + quiet,
        at.top_left.x - quiet : at.bottom_right.x + quiet,
    ].copy()
    assert min(zone.shape) > 48 * dots * MILLIMETRE
    zone[quiet - 6 : -quiet + 6, quiet - 6 : -quiet + 6] = 255
    assert (zone > 250).all(), "four modules of white on every side"
    edge = int(2 * dots * MILLIMETRE) - 2  # what a printer of cards cannot be trusted with
    for border in (image[:edge], image[-edge:], image[:, :edge], image[:, -edge:]):
        assert (border > 250).all()


@pytest.mark.parametrize("layout", Layout)
def test_a_card_says_what_to_do_in_both_languages_and_names_nobody(layout: Layout) -> None:
    page = pypdfium2.PdfDocument(cards_pdf(some(1), layout))[0].get_textpage()
    text = " ".join(page.get_text_range().split())
    for expected in (
        "THẺ QUÉT MÃ", "Check-in card", "Đưa thẻ cho người trực quét khi vào và khi ra.",
        "Have it scanned when you enter and when you leave.", "482 177 306",
        "Tên (tự ghi)", "Mất: báo số này cho xã, phường.", "tell the ward this number",
        "Found: hand it to the ward.",
    ):  # fmt: skip
        assert expected in text, expected
    assert some(1)[0].text not in re.sub(r"\s", "", text), "the code's text is not in print"
    assert text.count("482 177 306") == (2 if layout is Layout.A4 else 1), "one to keep at home"


def test_a_symbol_that_does_not_read_stops_the_print_and_its_text_is_not_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unreadable(_: object) -> None:
        raise UnreadableError(some(1)[0].text)

    monkeypatch.setattr("issuer.symbol.prove", unreadable)
    with pytest.raises(UnreadableError, match="card 482177306") as error:
        cards_pdf(some(1), Layout.CR80)
    assert some(1)[0].text not in str(error.value)
    with pytest.raises(ValueError, match="nothing"):
        cards_pdf([], Layout.CR80)
