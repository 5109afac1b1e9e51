"""Secrets as files: `TRUYVET_…_FILE` names the file that holds a secret setting's value.

So a secret is in no environment, which processes inherit and crash reports print. Any setting
whose value is secret can be given so; a line's end at the end of the file is not part of it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

SUFFIX: Final = "_file"
_MOST_BYTES: Final = 64 * 1024


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting's value must not be shown."""
    return field.annotation is SecretStr


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the files that `variables` (an environment, its names in lower case) name."""

    def __init__(
        self, settings: type[BaseSettings], variables: Mapping[str, str | None], prefix: str
    ) -> None:
        super().__init__(settings)
        self._variables, self._prefix = variables, prefix.lower()

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The file's content, if one is named. Raises ValueError if it cannot be used."""
        named = self._variables.get(self._prefix + field_name + SUFFIX)
        if not is_secret(field) or not named:
            return None, field_name, False
        variable = (self._prefix + field_name).upper()
        if self._variables.get(self._prefix + field_name):
            raise ValueError(f"{variable} and {variable}_FILE are both given: give one")
        try:
            with Path(named).open(encoding="utf-8") as file:
                value = file.read(_MOST_BYTES + 1)
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{variable}_FILE cannot be read: {error}") from None
        value = value.rstrip("\r\n")
        if not value or len(value) > _MOST_BYTES:
            raise ValueError(f"{variable}_FILE must name a file with the secret: {named}")
        return value, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Every secret that is given as a file."""
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}
