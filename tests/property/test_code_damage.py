"""A hundred thousand random damages of tokens: none is accepted as another place."""

import random
import string
from collections import Counter
from collections.abc import Callable

from issuer.codes import BadToken, KeyRing, issue
from issuer.delivered import read_text
from tests.layouts import french, german, inverted, telex, vni

RING = KeyRing.parse("1:" + "5a" * 32)
PRINTABLE = string.ascii_letters + string.digits + string.punctuation + " "
CHANCE = random.Random(20261126)
# how many of each, and how many of them are read back as what was printed
KINDS: dict[str, tuple[int, int]] = {
    "one": (20_000, 275),
    "two": (20_000, 2),
    "swap": (20_000, 25),
    "case": (20_000, 20_000),
    "azerty": (4_000, 4_000),
    "qwertz": (4_000, 4_000),
    "shifted": (4_000, 4_000),
    "telex": (4_000, 3_441),
    "vni": (4_000, 2_824),
}


def replaced(token: str, count: int, chance: random.Random = CHANCE) -> str:
    characters = list(token)
    for at in chance.sample(range(len(token)), count):
        characters[at] = chance.choice(PRINTABLE.replace(token[at], ""))
    return "".join(characters)


def swapped(token: str, chance: random.Random = CHANCE) -> str:
    characters = list(token)
    i = chance.randrange(len(token))
    j = chance.choice([at for at, character in enumerate(token) if character != token[i]])
    characters[i], characters[j] = characters[j], characters[i]
    return "".join(characters)


def another_case(token: str, chance: random.Random = CHANCE) -> str:
    return "".join(c.lower() if chance.random() < 0.5 else c for c in token)


DAMAGE: dict[str, Callable[[str], str]] = {
    "one": lambda token: replaced(token, 1),
    "two": lambda token: replaced(token, 2),
    "swap": swapped,
    "case": another_case,
    "azerty": french,
    "qwertz": german,
    "shifted": inverted,
    "telex": telex,
    "vni": vni,
}


def test_no_damage_of_a_token_is_accepted_as_another_place() -> None:
    places = [(CHANCE.randrange(1, 2**30), CHANCE.randrange(1, 1024)) for _ in range(4_000)]
    tokens = [issue(RING, place, version) for place, version in places]
    read: Counter[str] = Counter()
    for kind, (count, _) in KINDS.items():
        damage = DAMAGE[kind]
        for i in range(count):
            token = tokens[i % len(tokens)]
            damaged = damage(token)
            try:
                found = read_text(RING, damaged)
            except BadToken:
                continue
            if found.ours:
                assert found.token == token, (kind, token, damaged)
                read[kind] += 1
    assert sum(count for count, _ in KINDS.values()) == 100_000
    assert read == {kind: back for kind, (_, back) in KINDS.items()}, "docs/codes.md has these"
