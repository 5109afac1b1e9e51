"""What was found, against what really happened in the simulated city."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from schemas.ids import person_bits, person_text
from schemas.places import Place
from sim.cases import gates_of
from sim.truth import read_visits, true_contacts

LONG_ENOUGH_MINUTES: Final = 15


@dataclass(frozen=True)
class Truth:
    """People really there at the same time, gates aside, and how many of them were found.

    `long`: together for a quarter of an hour or more at one place. `called`: people on the call
    list; `called_true` of them were really there at the same time.
    """

    true: int
    found: int
    long: int
    long_found: int
    called: int
    called_true: int


def compare(out: Path, places: Sequence[Place], found: dict[str, Any]) -> Truth:
    """By the truth that only the simulator knows."""
    run = found["run"]
    really = true_contacts(
        read_visits(out),
        person_bits(found["case"]["person"]),
        datetime.fromisoformat(run["window_from"]),
        datetime.fromisoformat(run["window_to"]),
        without=gates_of(places),
    )
    together = {person_text(p) for p in really["person"].to_list()}
    lasting = really.filter(really["minutes"] >= LONG_ENOUGH_MINUTES)
    long = {person_text(p) for p in lasting["person"].to_list()}
    listed = {contact["person"] for contact in found["contacts"]}
    called = {contact["person"] for contact in found["contacts"] if contact["call"]}
    return Truth(
        true=len(together),
        found=len(together & listed),
        long=len(long),
        long_found=len(long & listed),
        called=len(called),
        called_true=len(called & together),
    )
