"""Two persons of one case that look like one: a card and a phone, scanned together again and again;
two contacts, or a contact and the case itself.

Only a suggestion with its reason: two who always go together look the same. A person decides.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

WITHIN_S: Final = 30.0
LEAST_TIMES: Final = 2
LEAST_SHARE: Final = 0.6
# A crowd at a gate is no sign of anything, and every pair of it would be looked at.
CROWD: Final = 12


@dataclass(frozen=True)
class Suggestion:
    """`together`: stays begun at the same place within seconds, of `of`, the fewer one's stays."""

    first: str
    second: str
    together: int
    of: int
    widest_s: float


Arrival = tuple[int, float, str]


def arrivals(document: Mapping[str, Any]) -> Iterable[Arrival]:
    """Of a contact's document: place, seconds and person of each stay that a scan began."""
    begun = {
        (exposure["place"], exposure["stay"]["start"])
        for exposure in document["exposures"]
        if exposure["stay"]["start_provenance"] != "assumed"
    }
    yield from _in_order(begun, document["person"])


def arrivals_of_case(stays: Iterable[Mapping[str, Any]], person: str) -> Iterable[Arrival]:
    """The same of the case's own stays that count."""
    begun = {(stay["place"], stay["start"]) for stay in stays if stay["opened_by"]}
    yield from _in_order(begun, person)


def _in_order(begun: Iterable[tuple[int, str]], person: str) -> Iterable[Arrival]:
    for place, start in sorted(begun):
        yield place, datetime.fromisoformat(start).timestamp(), person


def suggest(
    found: Iterable[Arrival], decided: Iterable[tuple[str, str]] = (), limit: int = 200
) -> list[Suggestion]:
    """The likeliest first: most often together, then the greatest share, then the persons.

    `decided`: pairs that a person has looked at already.
    """
    ordered = sorted(found)
    stays = Counter(person for _, _, person in ordered)
    together: Counter[tuple[str, str]] = Counter()
    widest: dict[tuple[str, str], float] = {}
    for group in _bursts(ordered):
        seen: dict[tuple[str, str], float] = {}
        for index, (_, at, person) in enumerate(group):
            for _, later, other in group[index + 1 :]:
                if person != other and later - at <= WITHIN_S:
                    pair = (min(person, other), max(person, other))
                    seen[pair] = min(seen.get(pair, WITHIN_S), later - at)
        together.update(seen.keys())
        for pair, apart in seen.items():
            widest[pair] = max(widest.get(pair, 0.0), apart)
    known = set(decided)
    suggestions = [
        Suggestion(*pair, times, fewer, round(widest[pair], 1))
        for pair, times in together.items()
        if pair not in known
        and times >= LEAST_TIMES
        and times >= LEAST_SHARE * (fewer := min(stays[pair[0]], stays[pair[1]]))
    ]
    suggestions.sort(key=lambda s: (-s.together, -s.together / s.of, s.first, s.second))
    return suggestions[:limit]


def _bursts(ordered: list[Arrival]) -> Iterable[list[Arrival]]:
    """Runs of arrivals at one place, each within seconds of the one before; no crowds."""
    group = ordered[:1]
    for before, arrival in pairwise(ordered):
        if arrival[0] == before[0] and arrival[1] - before[1] <= WITHIN_S:
            group.append(arrival)
        else:
            if 1 < len(group) <= CROWD:
                yield group
            group = [arrival]
    if 1 < len(group) <= CROWD:
        yield group
