"""The keys beside a backup: what makes codes and pseudonyms, never where this machine's data are."""

from pathlib import Path

from pydantic import SecretStr

from console.backup.keys import plain, read, save
from tests.console_kit import settings_in


def test_where_things_are_is_left_out_also_where_it_holds_a_password(tmp_path: Path) -> None:
    settings = settings_in(
        tmp_path,
        database_url=SecretStr("postgresql+psycopg://truyvet:word@db/truyvet"),
        code_keys=SecretStr("1:" + "5a" * 32),
        retention_days=14,
    )
    save(settings, tmp_path / "keys")
    assert set(read(tmp_path / "keys")) == {"TRUYVET_ADMIN_KEY", "TRUYVET_CODE_KEYS"}
    assert plain(settings) == {"TRUYVET_RETENTION_DAYS": "14"}
