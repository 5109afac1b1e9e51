"""Publishing dead letters again, each once: what was replayed is kept in the data directory."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from console.accounting.deadletters import DeadLetter, dead_letters
from console.importer.publish import BatchPublisher
from schemas.settings import Settings
from schemas.topics import SCANS

FILE_NAME: Final = "dlq-replayed.txt"
_AT_ONCE: Final = 1_000


def replayed(data_dir: Path) -> set[str]:
    """Keys of the letters that were published again."""
    try:
        return set((data_dir / FILE_NAME).read_text("utf-8").split())
    except FileNotFoundError:
        return set()


async def selected(settings: Settings, reasons: Collection[str] | None) -> tuple[int, int]:
    """How many letters would be replayed, and how many of these reasons were before."""
    before = replayed(settings.data_dir)
    fresh = old = 0
    async for letter in dead_letters(settings):
        if _wanted(letter, reasons):
            old += letter.key in before
            fresh += letter.key not in before
    return fresh, old


async def replay(
    settings: Settings, reasons: Collection[str] | None, on_progress: Callable[[int], None]
) -> int:
    """Publish the original bytes under the original key, each where it was; how many.

    Not where its key belongs: its producer, which sends it again by itself, sends it there again,
    and one that is misplaced is looked up wherever its first copy is, one that is not never is.

    Noted after the broker has them: killed in between, a second time is possible, and harmless:
    what is accepted now is recognised as a duplicate then.
    """
    before = replayed(settings.data_dir)
    chunk: list[DeadLetter] = []
    done = 0
    async with BatchPublisher(settings, SCANS.name) as publisher:

        async def send() -> None:
            nonlocal done
            for letter in chunk:
                await publisher.add(letter.partition, letter.original_key, letter.original)
            await publisher.flush()
            _note(settings.data_dir, chunk)
            done += len(chunk)
            chunk.clear()
            on_progress(done)

        async for letter in dead_letters(settings):
            if letter.key not in before and _wanted(letter, reasons):
                chunk.append(letter)
                if len(chunk) >= _AT_ONCE:
                    await send()
        await send()
    return done


def _wanted(letter: DeadLetter, reasons: Collection[str] | None) -> bool:
    if letter.truncated:
        return False
    return letter.topic == SCANS.name and (reasons is None or letter.reason in reasons)


def _note(data_dir: Path, letters: list[DeadLetter]) -> None:
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / FILE_NAME).open("a", encoding="utf-8") as file:
        file.writelines(f"{letter.key}\n" for letter in letters)
