"""Several ids of one person, a card and a phone: an officer has said so, and they are read as one.

`Same` maps an id (64 bits) to that of the person whose it is. Nothing is chained: `schemas.cases`
refuses that.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import polars as pl

from schemas.cases import Case, Said
from schemas.ids import person_bits

Same = Mapping[int, int]


def same_of(case: Case) -> Same:
    """What officers have said of this case's people."""
    return {person_bits(entry.person): person_bits(entry.of) for entry in case.same}


def ids_in(person: str | None, *runs: Mapping[str, Any]) -> set[str]:
    """All ids that are this person's by what any of these runs (their summaries) was told."""
    found = {
        entry["person"] for run in runs for entry in run.get("same", ()) if entry["of"] == person
    }
    return found if person is None else found | {person}


def as_one(frame: pl.DataFrame, same: Same) -> pl.DataFrame:
    """The frame, in its column `person` the one whose id each is."""
    if not same:
        return frame
    ids, whose = (pl.Series(some, dtype=pl.UInt64) for some in (list(same), list(same.values())))
    return frame.with_columns(pl.col("person").replace(ids, whose))


def by_person(case: Case) -> Case:
    """The case, with what officers entered of people under the one id of each.

    Of a person's several entries that of the id they are read as counts; of answers all that do
    not contradict it; of a named contact the later day. The case itself is nobody's contact, and
    who is excluded by one id is by all.
    """
    same = {entry.person: entry.of for entry in case.same}
    if not same:
        return case

    def whose(entry: Any) -> str:
        return str(same.get(entry.person, entry.person))

    def of_each(entries: Iterable[Any]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for entry in sorted(entries, key=lambda entry: entry.person in same):
            if whose(entry) != case.person:
                found.setdefault(whose(entry), []).append(entry)
        return found

    def one(entries: Iterable[Any], **of_all: Callable[[list[Any]], Any]) -> tuple[Any, ...]:
        return tuple(
            some[0].model_copy(
                update={"person": person} | {name: of(some) for name, of in of_all.items()}
            )
            for person, some in of_each(entries).items()
        )

    excluded = one(case.excluded)
    out = {entry.person for entry in excluded}
    named = one(case.named, last_contact=lambda some: max(entry.last_contact for entry in some))
    changed = {
        "excluded": excluded,
        "named": tuple(entry for entry in named if entry.person not in out),
        "decided": one(case.decided),
        "said": one(case.said, answers=_together),
    }
    return case.model_copy(update=changed)


def _together(some: list[Said]) -> dict[str, Any]:
    return {question: said for entry in reversed(some) for question, said in entry.answers.items()}


def every_id(ids: Iterable[int], same: Same) -> list[int]:
    """All ids, rising, of the persons whose these are."""
    plain, joined = ids_of({same.get(one, one) for one in ids}, same)
    return sorted({*plain, *joined})


def ids_of(persons: Iterable[int], same: Same) -> tuple[list[int], list[int]]:
    """All ids of these persons, rising: of those with one, and of those with several."""
    several = set(same.values())
    plain = [person for person in persons if person not in several]
    joined = {person for person in persons if person in several}
    others = [own for own, whose in same.items() if whose in joined]
    return sorted(plain), sorted({*joined, *others})
