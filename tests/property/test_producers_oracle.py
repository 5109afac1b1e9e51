"""Who may report what: as one producer after the other and one scan after the other would say."""

from random import Random

import pytest

from issuer.codes import KeyRing, issue
from schemas.places import Code, Place, Producer, place_key
from schemas.reasons import Reason
from schemas.scan import Method
from streams.decode import decode
from streams.directory import Directory
from streams.resolve import resolve
from streams.validate import validate
from tests.scans import raw_batch, scan_json

RING = KeyRing.parse("1:" + "ab" * 32)
WARDS = ("11413", "11296", "10075", "99")
NOWHERE = "00000"  # a ward without a place
PLACES = range(1, 40)
NOT_REGISTERED = "the producer is not registered, not active, or may not use this method"
NOT_HERE = "the producer may not report this place"


def a_place(number: int) -> Place:
    return Place(
        id=number, site=1, name="x", kind="cafe", ward=WARDS[number % len(WARDS)], sector="x",
        codes=(Code(version=1, token=issue(RING, number, 1)),),
    )  # fmt: skip


def a_producer(r: Random, number: int, version: int) -> Producer:
    odd = (0, -1, 2**30, 2**31, 2**32 + 1, 2**70)
    some = tuple(r.sample([*PLACES, 77, *odd], r.randrange(9)))
    return Producer(
        id=f"gate-{number}",
        version=version,
        name="x",
        active=r.random() < 0.8,
        methods=r.choice((None, None, (), tuple(r.sample(list(Method), 2)))),
        places=r.choice((None, some)),
        wards=r.choice((None, None, tuple(r.sample((*WARDS, NOWHERE), r.randrange(4))))),
    )


def told(known: dict[str, Producer], name: str, method: str, place: Place) -> str | None:
    producer = known.get(name)
    if producer is None or not producer.active:
        return NOT_REGISTERED
    if producer.methods is not None and method not in producer.methods:
        return NOT_REGISTERED
    if producer.places is None and producer.wards is None:
        return None
    here = place.id in (producer.places or ()) or place.ward in (producer.wards or ())
    return None if here else NOT_HERE


@pytest.mark.parametrize("seed", range(12))
def test_each_scan_is_its_producers_to_report_or_refused(seed: int) -> None:
    r = Random(seed)
    directory, known = Directory(RING), dict[str, Producer]()
    places = {number: a_place(number) for number in PLACES}
    hidden = r.sample(list(PLACES), 12)  # theirs may be a ward's first places

    def register(numbers: list[int]) -> None:
        records = [(place_key(n), places[n].model_dump_json().encode()) for n in numbers]
        assert directory.put_site_records(records) == []

    register([n for n in PLACES if n not in hidden])
    many = r.choice((1, 5, 300, 700))
    for turn in range(1, 5):
        for _ in range(r.randrange(2 * many) if turn > 1 else 2 * many):
            one = a_producer(r, r.randrange(many), turn)
            if r.random() < 0.1:
                directory.put_producer(one.id, None)
                known.pop(one.id, None)
                continue
            directory.put_producer(one.id, one.model_dump_json().encode())
            if one.id not in known or turn > known[one.id].version:
                known[one.id] = one
        if turn == 3:
            register(hidden)
        seen = [n for n in PLACES if turn >= 3 or n not in hidden]
        compare(r, directory, known, [places[n] for n in seen], many + 5)


def compare(
    r: Random, directory: Directory, known: dict[str, Producer], places: list[Place], many: int
) -> None:
    """A batch of all of them, some lines written as no program writes them."""
    values, expected = [], dict[int, str]()
    for index in range(r.choice((0, 1, 900))):
        place, name = r.choice(places), f"gate-{r.randrange(many)}"
        method = r.choice(list(Method))
        value = scan_json(
            event_id=f"0193f6d0-7c1f-7000-8000-{index:012x}", code=place.codes[0].token,
            producer=name, method=method.value,
        )  # fmt: skip
        values.append(value.replace(b",", b", ") if r.random() < 0.1 else value)
        detail = told(known, name, method, place)
        if detail is not None:
            expected[index] = detail
    verdicts = decode(raw_batch(values))
    validate(verdicts, directory, 0)
    resolve(verdicts, directory)
    assert all(one.reason == Reason.PRODUCER_NOT_ALLOWED for one in verdicts.rejected)
    assert {one.index: one.detail for one in verdicts.rejected} == expected
    assert verdicts.scans.index.tolist() == [i for i in range(len(values)) if i not in expected]
