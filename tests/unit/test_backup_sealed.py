"""The keys' file under a passphrase: opened by it alone, and never silently something else."""

from pathlib import Path

import pytest

from console.backup import keys, sealed
from console.backup.sealed import is_sealed, passphrase_in, seal, unseal
from schemas.errors import UserError
from tests.console_kit import settings_in

PASSPHRASE = "sáu từ chọn bằng xúc xắc"
CHEAP = 4  # of scrypt's N, as a power of two: the header says which


def test_opened_by_its_passphrase_alone() -> None:
    made = seal(b"TRUYVET_CODE_KEYS=1:5a\n", PASSPHRASE, CHEAP)
    assert made.startswith(b"truyvet-sealed 1 scrypt 4 8 1 ")
    assert b"CODE_KEYS" not in made
    assert unseal(made, PASSPHRASE, "k") == b"TRUYVET_CODE_KEYS=1:5a\n"
    assert seal(b"same", PASSPHRASE, CHEAP) != seal(b"same", PASSPHRASE, CHEAP)
    with pytest.raises(UserError, match="does not open k"):
        unseal(made, PASSPHRASE + "!", "k")


def test_a_file_that_was_changed_is_not_opened() -> None:
    made = seal(b"text" * 40, PASSPHRASE, CHEAP)
    head, _, body = made.partition(b"\n")
    changed = (b"A" if body[:1] != b"A" else b"B") + body[1:]
    with pytest.raises(UserError, match="was changed"):
        unseal(head + b"\n" + changed, PASSPHRASE, "k")
    # other parameters make another key, and the header is sealed with the rest
    with pytest.raises(UserError, match="was changed"):
        unseal(made.replace(b"scrypt 4 ", b"scrypt 5 ", 1), PASSPHRASE, "k")
    with pytest.raises(UserError, match="was changed"):
        unseal(made.replace(b" scrypt ", b" scrept ", 1), PASSPHRASE, "k")
    for broken in (
        head,
        made[:20],
        made[:-9],
        made.replace(b"scrypt 4 ", b"scrypt 60 ", 1),
        made.replace(b" 8 1 ", b" 8 9999 ", 1),
        b"truyvet-sealed ",
    ):
        with pytest.raises(UserError, match=r"damaged|was changed"):
            unseal(broken, PASSPHRASE, "k")
    with pytest.raises(UserError, match="newer truyvet"):
        unseal(made.replace(b"sealed 1", b"sealed 2", 1), PASSPHRASE, "k")


def test_a_passphrase_is_a_files_first_line_and_long_enough(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    with pytest.raises(UserError, match="cannot be read"):
        passphrase_in(file)
    file.write_text(PASSPHRASE + "\r\nanother line\n", "utf-8")
    assert passphrase_in(file) == PASSPHRASE
    file.write_text("short\n")
    with pytest.raises(UserError, match="at least 12"):
        passphrase_in(file)
    file.write_bytes(b"\xff\xfe" * 20)
    with pytest.raises(UserError, match="not UTF-8"):
        passphrase_in(file)


def test_keys_come_back_with_the_passphrase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "seal", lambda data, passphrase: sealed.seal(data, passphrase, CHEAP))
    settings = settings_in(tmp_path, code_keys="1:" + "5a" * 32)
    plain, hidden = tmp_path / "plain", tmp_path / "hidden"
    assert keys.save(settings, plain) == keys.save(settings, hidden, PASSPHRASE)
    assert (hidden.stat().st_mode & 0o777) == 0o600
    assert is_sealed(hidden.read_bytes())
    assert not is_sealed(plain.read_bytes())
    assert b"5a5a" not in hidden.read_bytes()
    assert keys.read(hidden, PASSPHRASE) == keys.read(plain) == keys.read(plain, PASSPHRASE)
    with pytest.raises(UserError, match="--passphrase-file"):
        keys.read(hidden)
    with pytest.raises(UserError, match="does not open"):
        keys.read(hidden, "another passphrase")
