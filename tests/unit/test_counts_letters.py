"""Dead letters as they are shown, and what was replayed."""

from dataclasses import dataclass, field
from pathlib import Path

from console.accounting.deadletters import letter_of, shown
from console.accounting.replay import FILE_NAME, replayed


@dataclass
class Record:
    value: bytes
    headers: list[tuple[str, bytes]] = field(default_factory=list)


def test_a_letter_from_its_headers() -> None:
    headers = [
        ("topic", b"scans.v1"),
        ("partition", b"3"),
        ("offset", b"17"),
        ("timestamp", b"1333476009000"),
        ("reason", b"not_json"),
        ("detail", b"why"),
        ("version", b"0.1.0"),
        ("key", b"\xff"),
    ]
    letter = letter_of("scans.v1/3/17", Record(b"\xff\x00{", headers))
    assert (letter.partition, letter.offset, letter.reason) == (3, 17, "not_json")
    assert letter.original_key == b"\xff"
    document = letter.document(whole=True)
    assert document["original"] == "\\xff\\x00{"
    assert document["original_hex"] == "ff007b"
    assert document["appended_at"] == "2012-04-03T18:00:09.000Z"


def test_a_letter_without_headers_is_still_shown() -> None:
    letter = letter_of("k", Record(b""))
    assert (letter.topic, letter.partition, letter.original_key) == ("", 0, None)


def test_nothing_that_a_terminal_obeys_is_shown() -> None:
    assert shown(b"\x1b[31mred\r\n\x07") == "\\x1b[31mred\\r\\n\\x07"
    assert shown("Hải Phòng".encode()) == "Hải Phòng"
    assert shown(b"x" * 9000).endswith("… (+808 bytes)")


def test_what_was_replayed_is_remembered(tmp_path: Path) -> None:
    assert replayed(tmp_path) == set()
    (tmp_path / FILE_NAME).write_text("scans.v1/0/1\nscans.v1/7/2\n")
    assert replayed(tmp_path) == {"scans.v1/0/1", "scans.v1/7/2"}
