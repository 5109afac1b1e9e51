"""The keys beside a backup: without them it holds no code that verifies and makes no pseudonym.

They are in a file of their own, so that the backup can be copied where the keys must not be; with
a passphrase it is sealed.
"""

from pathlib import Path
from typing import Final

from pydantic import SecretStr

from console.backup.folder import write_whole
from console.backup.sealed import is_sealed, seal, unseal
from schemas.errors import UserError
from schemas.settings import ENV_FILE, PREFIX, Settings

# Where things are, and where messages go: another machine's own affair.
_ELSEWHERE: Final = frozenset(
    {
        "data_dir", "kafka_bootstrap", "clickhouse_url", "clickhouse_user", "clickhouse_database",
        "database_url", "console_host", "console_port", "console_url", "metrics_port",
        "reminder_webhook_url",
    }
)  # fmt: skip
_HEAD: Final = (
    "# Keys of truyvet. Whoever has them can make codes and pseudonyms. Keep this file apart from\n"
    "# the backup, encrypted, and never lose it: codes that are on walls stand on it.\n"
)


def beside(target: Path) -> Path:
    """Where a backup's keys are if nothing else is said."""
    return target.with_name(target.name + ".keys")


def save(settings: Settings, file: Path, passphrase: str | None = None) -> list[str]:
    """Write all secrets, readable for their owner only, sealed if there is a passphrase; the names
    of what was written."""
    found = {
        PREFIX + name.upper(): value.get_secret_value()
        for name, value in settings
        # an address may hold a password and is kept as a secret; it is this machine's all the same
        if name not in _ELSEWHERE and isinstance(value, SecretStr) and value.get_secret_value()
    }
    text = _HEAD + "".join(f"{name}={value}\n" for name, value in sorted(found.items()))
    data = text.encode()
    write_whole(file, data if passphrase is None else seal(data, passphrase))
    return sorted(found)


def plain(settings: Settings) -> dict[str, str]:
    """What was set and is no secret, without what only says where things are."""
    return {
        PREFIX + name.upper(): str(value)
        for name, value in settings
        if name not in _ELSEWHERE
        and not isinstance(value, SecretStr)
        and value != Settings.model_fields[name].default
    }


def read(file: Path, passphrase: str | None = None) -> dict[str, str]:
    """The keys that `save` wrote. Raises UserError if the file cannot be read, or opened."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UserError(
            f"Không đọc được tệp khoá {file}: hãy chỉ ra bằng --keys. / The keys {file} cannot be "
            f"read ({error.strerror}): say where they are with --keys."
        ) from None
    if is_sealed(data):
        if passphrase is None:
            raise UserError(
                f"Tệp khoá {file} được mã hoá: hãy chỉ ra tệp mật khẩu bằng --passphrase-file. / "
                f"The keys {file} are encrypted: say where the passphrase is with "
                "--passphrase-file."
            )
        data = unseal(data, passphrase, str(file))
    lines = data.decode("utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
    return {name.strip(): value.strip() for name, value in pairs}


def put_back(data_dir: Path, keys: dict[str, str], also: dict[str, str]) -> None:
    """The environment file of an empty data directory; one that has other keys is refused."""
    file = data_dir / ENV_FILE
    there = read(file) if file.exists() else {}
    if other := [name for name in keys if there.get(name, keys[name]) != keys[name]]:
        raise UserError(
            f"{file} đã có khoá khác ({', '.join(other)}): hãy phục hồi vào thư mục dữ liệu mới. / "
            f"{file} has other keys ({', '.join(other)}): restore into a new data directory."
        )
    data_dir.mkdir(parents=True, exist_ok=True)
    merged = {**also, **there, **keys}
    text = "".join(f"{name}={value}\n" for name, value in sorted(merged.items()))
    write_whole(file, text.encode())
