"""The keys that sign location codes, from the settings."""

from issuer.keyring import KeyRing
from schemas.errors import UserError
from schemas.settings import Settings


def ring_of(settings: Settings) -> KeyRing:
    """The keys of the codes. Raises UserError that names the setting."""
    try:
        return KeyRing.parse(settings.code_keys.get_secret_value())
    except ValueError as error:
        raise UserError(
            f"Không có khoá ký mã dùng được (TRUYVET_CODE_KEYS); `truyvet up` tạo ra nó. / No key "
            f"to sign codes: {error}. `truyvet up` makes it, in truyvet.env."
        ) from None
