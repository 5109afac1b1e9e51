"""`truyvet codes …` and `truyvet sites …` on a database of their own."""

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.cli.main import main
from console.store import sites
from console.store.codes import change_codes, taken_back
from console.store.engine import Store
from console.store.history import What, Why
from console.store.register import register_sites
from issuer.codes import issue
from issuer.keyring import KeyRing
from schemas.places import Place
from tests.console_kit import RING, WARD, migrated, new_sites
from tests.layouts import french
from tracer.columns import milliseconds
from tracer.struck import Revoked

KEYS = "1:" + "5a" * 32  # as `RING`
Do = Callable[..., int]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("TRUYVET_CODE_KEYS", KEYS)
    _, made = migrated(tmp_path)
    register_sites(made, RING, new_sites(2, 2), source="list")
    yield made
    made.close()


@pytest.fixture
def do(tmp_path: Path, store: Store) -> Do:
    def run(*arguments: str, lang: str = "en") -> int:
        return main(["--data-dir", str(tmp_path), "--lang", lang, *arguments])

    return run


def place(store: Store, number: int) -> Place:
    found = sites.place(store, number)
    assert found is not None
    return found


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_ward_is_rotated_and_a_second_run_leaves_it_alone(
    do: Do, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert do("codes", "rotate", "--ward", WARD, "--overlap", "7d", "--json") == 0
    first = told(capsys)
    assert [one["place"] for one in first["changed"]] == [1, 2, 3, 4]
    assert do("codes", "rotate", "--ward", WARD, "--overlap", "7d", "--json") == 0
    assert told(capsys) == {"changed": [], "left": {"changing": [1, 2, 3, 4]}}
    codes = place(store, 1).codes
    assert codes[0].valid_to is not None
    assert codes[1].valid_from is not None
    assert (codes[0].valid_to - codes[1].valid_from).days == 7


def test_a_rotation_broken_off_says_how_to_go_on(
    do: Do, store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.store.codes._AT_ONCE", 2)

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as once:
        once.setattr("console.store.codes.time.sleep", stop)
        assert do("codes", "rotate", "--ward", WARD, "--overlap", "0d") == 130
    words = capsys.readouterr().err
    assert "2 places are done" in words
    begins = words.partition("--from ")[2].split()[0]
    again = ("codes", "rotate", "--ward", WARD, "--overlap", "0d", "--from", begins)
    assert do(*again, "--json") == 0
    assert told(capsys)["left"] == {"since": [1, 2]}
    assert [len(place(store, n).codes) for n in (1, 2, 3, 4)] == [2, 2, 2, 2]


def test_the_same_command_given_twice_rotates_once_without_an_overlap_too(
    do: Do, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert do("codes", "rotate", "1", "--overlap", "0d", lang="both") == 0
    assert "Left alone 1: rotated within the last ten minutes" in capsys.readouterr().out
    assert [code.version for code in place(store, 1).codes] == [1, 2]
    assert do("codes", "rotate", "1", "--overlap", "0d", "--again") == 0
    assert [code.version for code in place(store, 1).codes] == [1, 2, 3]


def test_a_revoked_place_is_issued_the_next_version(
    do: Do, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert do("codes", "revoke", "1", "--reason", "ảnh chụp bị phát tán") == 0
    assert place(store, 1).codes[0].revoked_reason == "ảnh chụp bị phát tán"
    capsys.readouterr()
    assert do("codes", "issue", "--site", "1", "--json") == 0
    document = told(capsys)
    assert [one["place"] for one in document["changed"]] == [1]
    assert document["left"] == {"has_code": [2]}
    assert [code.version for code in place(store, 1).codes] == [1, 2]


def test_revoking_with_new_gives_the_next_at_once(do: Do, store: Store) -> None:
    assert do("codes", "revoke", "1", "--version", "1", "--reason", "lost", "--new") == 0
    first, second = place(store, 1).codes
    assert first.revoked_at == second.valid_from
    assert place(store, 1).version == 2


def test_a_code_is_revoked_from_before(do: Do, store: Store) -> None:
    since = "2026-11-20T08:30"
    arguments = ("1", "--reason", "posted online", "--since", since, "--new")
    assert do("codes", "revoke", *arguments) == 0
    first, second = place(store, 1).codes
    assert first.revoked_at == datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
    assert first.taken_back_at == second.valid_from
    at = [milliseconds(m) for m in (first.revoked_at, second.valid_from) if m is not None]
    assert taken_back(store) == [Revoked(1, 1, *at)]
    assert do("codes", "revoke", "2", "--reason", "lost") == 0
    assert len(taken_back(store)) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rotate",), "--ward or --site"),
        (("rotate", "1", "--ward", WARD), "--ward or --site"),
        (("rotate", "99"), "PLACE: there is no place 99"),
        (("rotate", "--ward", "99999"), "--ward: there is no ward 99999"),
        (("rotate", "1", "--overlap", "a week"), "--overlap: 'a week' is not a span"),
        (("rotate", "1", "--from", "soon"), "--from"),
        (("revoke", "1", "--reason", " "), "--reason: a revocation needs a reason"),
        (("revoke", "1"), "--reason"),
        (
            ("revoke", "1", "--reason", "x", "--since", "2999-01-01T00:00"),
            "--since: it is in the future",
        ),
        (("revoke", "1", "--reason", "x", "--since", "Monday"), "--since: 'Monday' is not a time"),
        (("revoke", "1", "--version", "9", "--reason", "x"), "--version: place 1 has no code"),
        (("revoke", "99", "--reason", "x"), "PLACE: there is no place 99"),
    ],
)
def test_a_mistake_is_named_and_nothing_changes(
    do: Do,
    store: Store,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    assert do("codes", *arguments) != 0
    assert words in capsys.readouterr().err
    assert [place(store, n).version for n in (1, 2)] == [1, 1]


def test_a_code_is_verified_as_it_is_delivered(
    do: Do, store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = place(store, 1).codes[0].token
    assert do("codes", "verify", token, f"https://truyvet.vn/c/{token.lower()}") == 0
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 2
    assert all("#1 v1 Room 0, Site 0: The code is valid." in row for row in shown)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{french(token)}\n\n{token[:-1]}*\n"))
    assert do("codes", "verify", "-", "--json") == 1
    first, second = told(capsys)["codes"]
    assert (first["good"], first["delivered"], first["place"]) == (True, "azerty", 1)
    assert (second["good"], second["standing"]) == (False, "unreadable")


def test_a_code_that_is_not_good_is_exit_code_1_and_nothing_secret_is_said(
    do: Do, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    token = place(store, 1).codes[0].token
    forged = issue(KeyRing.parse("1:" + "33" * 16), 1, 1)
    assert do("codes", "verify", forged) == 1
    said = capsys.readouterr()
    assert "Forged" in said.out
    assert token not in said.out + said.err
    assert token[8:16] not in said.out + said.err
    assert do("codes", "revoke", "1", "--reason", "photographed") == 0
    capsys.readouterr()
    assert do("codes", "verify", token) == 1
    shown = capsys.readouterr().out
    assert "revoked. (photographed)" in shown
    assert "5a5a" not in shown
    assert do("codes", "verify", f"HTTPS://TRUYVET.VM/C/{place(store, 2).codes[0].token}") == 1


def test_a_key_shows_what_it_signed_and_no_secret(
    do: Do, store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUYVET_CODE_KEYS", f"2:{'77' * 32},{KEYS}")
    assert do("codes", "rotate", "1", "--overlap", "0d") == 0
    capsys.readouterr()
    assert do("codes", "keys", "list", "--json") == 0
    assert told(capsys) == {
        "keys": [
            {"key": "2", "signs": True, "cards": 0, "codes": {"all": 1, "in_force": 1}},
            {"key": "1", "signs": False, "cards": 0, "codes": {"all": 4, "in_force": 3}},
        ],
        "by_no_key": 0,
    }
    assert do("codes", "keys", "list") == 0
    shown = capsys.readouterr().out
    assert "7777" not in shown
    monkeypatch.setenv("TRUYVET_CODE_KEYS", f"2:{'77' * 32}")
    assert do("codes", "keys", "list", "--json") == 0
    assert told(capsys)["by_no_key"] == 4


def test_a_key_is_added_and_retired_without_printing_anew(
    do: Do,
    store: Store,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    printed = place(store, 1).codes[0].token
    assert do("codes", "keys", "add") == 1  # the environment sets them here
    assert "TRUYVET_CODE_KEYS is not set in" in capsys.readouterr().err
    monkeypatch.delenv("TRUYVET_CODE_KEYS")
    file = tmp_path / "truyvet.env"
    file.write_text(f"TRUYVET_CODE_KEYS={KEYS}\nTRUYVET_FLUSH_MS=99\n")
    assert do("codes", "keys", "add") == 0
    said = capsys.readouterr()
    text = file.read_text()
    new, _, old = text.partition("TRUYVET_CODE_KEYS=")[2].splitlines()[0].partition(",")
    assert (new[:2], len(new), old) == ("2:", 66, KEYS)
    assert "TRUYVET_FLUSH_MS=99" in text
    assert file.stat().st_mode & 0o077 == 0
    assert new[2:] not in said.out + said.err
    assert do("codes", "verify", printed) == 0
    assert do("codes", "keys", "retire", "2") == 1
    assert "KEY: 2 is the one that signs" in capsys.readouterr().err
    assert do("codes", "keys", "retire", "1") == 1
    assert "4 codes that 1 made" in capsys.readouterr().err
    assert do("codes", "keys", "retire", "7") == 1
    assert do("codes", "keys", "add", "not an id") == 1
    assert file.read_text() == text
    assert do("codes", "rotate", "--ward", WARD, "--overlap", "0d") == 0
    assert do("codes", "keys", "retire", "1") == 0
    assert KEYS not in file.read_text()
    assert do("codes", "verify", place(store, 1).codes[1].token) == 0
    assert do("codes", "keys", "add", "hai-2027", "--json") == 0
    assert "hai-2027:" in file.read_text()


def test_without_keys_the_setting_is_named(
    do: Do, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRUYVET_CODE_KEYS")
    assert do("codes", "verify", "x", lang="vi") == 1
    assert "TRUYVET_CODE_KEYS" in capsys.readouterr().err


def test_all_codes_are_listed(do: Do, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    do("codes", "revoke", "1", "--reason", "lost")
    capsys.readouterr()
    assert do("codes", "list", "--json") == 0
    assert [row["live"] for row in told(capsys)["codes"]] == [False, True, True, True]
    assert do("codes", "rotate", "2", "3") == 0
    assert do("codes", "rotate", "4", "--from", "2999-01-01T00:00") == 0
    assert "Changed: 1." in capsys.readouterr().out
    assert do("codes", "list", "--live", "--json") == 0
    rows = [(row["place"], row["version"]) for row in told(capsys)["codes"]]
    assert rows == [(2, 1), (2, 2), (3, 1), (3, 2), (4, 1)]  # two live versions in an overlap
    assert do("codes", "list", "--live") == 0
    assert len(capsys.readouterr().out.splitlines()) == 6


def test_sites_are_listed_and_shown(
    do: Do, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert do("sites", "list", "--ward", WARD) == 0
    shown = capsys.readouterr().out.splitlines()
    assert "Site 0" in shown[0]
    assert "2 places" in shown[0]
    assert do("sites", "list", "--limit", "1") == 0
    assert "--after 1" in capsys.readouterr().err
    assert do("sites", "merge", "1", "--into", "2", "--reason", "đăng ký hai lần") == 0
    assert "merged into #2" in capsys.readouterr().out
    assert do("sites", "show", "2", "--json") == 0
    assert [one["id"] for one in told(capsys)["places"]] == [1, 2, 3, 4]
    assert do("sites", "show", "1") == 0
    assert "đăng ký hai lần" in capsys.readouterr().out
    assert do("sites", "close", "2", "--reason", "chuyển đi") == 0
    assert place(store, 1).codes[0].revoked_reason == "closed"
    assert do("sites", "show", "2", lang="vi") == 0
    assert "thu hồi" in capsys.readouterr().out
    assert do("sites", "show", "99") == 1
    assert "no site 99" in capsys.readouterr().err


def test_codes_about_to_end_are_those_that_nothing_follows(
    do: Do, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert do("codes", "list", "--ending", "7", "--json") == 0
    assert told(capsys) == {"codes": []}
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)

    def ending(place: Place) -> Place:
        codes = tuple(code.model_copy(update={"valid_to": soon}) for code in place.codes)
        return place.model_copy(update={"version": place.version + 1, "codes": codes})

    change_codes(store, [1, 2], ending, Why("test", What.CODES))
    assert do("codes", "rotate", "2", "--json") == 0
    capsys.readouterr()
    assert do("codes", "list", "--ending", "7", "--json") == 0
    assert [code["place"] for code in told(capsys)["codes"]] == [1]
    assert do("codes", "list", "--ending", "2", "--json") == 0
    assert told(capsys) == {"codes": []}
