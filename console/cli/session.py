"""What every command knows: the data directory, the language, the settings."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from console.store.engine import Store
    from schemas.settings import Settings


BY: Final = "cli"  # the account that histories name: whoever has the database itself


class Lang(StrEnum):
    """What people read: Vietnamese first and English beside it, or one of them."""

    BOTH = "both"
    VI = "vi"
    EN = "en"


@dataclass(frozen=True)
class Session:
    """One run of the command line."""

    data_dir: Path
    lang: Lang = Lang.BOTH

    def settings(self) -> "Settings":
        """The settings of this data directory. Raises UserError."""
        from schemas.settings import load_settings

        return load_settings(self.data_dir)

    def words(self, vi: str, en: str) -> str:
        """The sentence in the language asked for."""
        if self.lang is Lang.BOTH:
            return f"{vi} / {en}" if vi != en else vi
        return vi if self.lang is Lang.VI else en

    def word(self, words: Mapping[str, tuple[str, str]], code: str | None) -> str:
        """The words of a code, the code itself where it has none; nothing for none."""
        return self.words(*words.get(code, (code, code))) if code else ""

    def lines(self, vi: str, en: str) -> str:
        """As `words`, each language on a line of its own: for what is longer than a label."""
        return f"{vi}\n{en}" if self.lang is Lang.BOTH else self.words(vi, en)

    def sentence(self, text: str) -> str:
        """Of a sentence written `vi / en`, what was asked for; lines below stay."""
        first, line, rest = text.partition("\n")
        vi, slash, en = first.partition(" / ")
        return self.words(vi, en) + line + rest if slash else text


def session_of(context: typer.Context) -> Session:
    """The session that the root command made."""
    session = context.find_root().obj
    assert isinstance(session, Session)
    return session


@contextmanager
def store_of(session: Session) -> Iterator["Store"]:
    """The database of this session, closed at the end."""
    from console.store.engine import open_store

    store = open_store(session.settings())
    try:
        yield store
    finally:
        store.close()


Json = Annotated[bool, typer.Option("--json", help="Một đối tượng JSON. / One JSON object.")]
