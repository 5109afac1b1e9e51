"""`docs/poison.md` by the worker's steps alone; `tests/integration/test_poison.py` has the rest."""

from functools import cache

import pytest

from schemas.reasons import Reason
from tests.poison import Scan, cases, documented
from tests.unit.test_steps import World, directory, scan

BATCHES = {
    "neighbours_of_one_bad_line",
    "all_bad_lines",
    "at_the_topics_limit",
    "over_the_topics_limit",
    "compressed_20_mib",
    "compressed_750_mib",
    "compressed_copies",
    "no_key",
    "another_key",
}
POISON = cases(scan)
KNOWN = directory()  # none of these changes it
GOOD = 1_000_000  # event ids of the neighbours
# each fails at another point of the way: before it is parsed, while, and while it is converted
COMPANY = ("nan", "huge_integer", "trailing_comma", "text_as_number", "two_lines", "invalid_utf8")


def outcomes(*values: bytes | None) -> list[str]:
    """What each record of one batch becomes."""
    judged = World(known=KNOWN).judge(*values)  # type: ignore[arg-type]
    found = {
        offset: name
        for name, table in judged.rows.tables.items()
        for offset in table.column("kafka_offset").to_pylist()
    }
    found |= {r.index: r.reason.value for r in judged.verdicts.rejected}
    return [found[row] for row in range(len(values))]


def test_the_document_names_exactly_these_cases() -> None:
    assert set(documented()) == set(POISON) | BATCHES


def test_outcomes_are_tables_or_reasons() -> None:
    known = {"scans", "duplicates", "refused_by_broker", *(reason.value for reason in Reason)}
    assert set(documented().values()) <= known


@pytest.mark.parametrize("name", POISON)
def test_each_alone_and_between_good_ones(name: str) -> None:
    wanted = documented()[name]
    value = POISON[name]
    assert outcomes(value) == [wanted]
    good = [scan(event=GOOD + i) for i in range(40)]
    mixed = outcomes(*good[:20], value, *good[20:])
    assert mixed == ["scans"] * 20 + [wanted] + ["scans"] * 20


def test_all_in_one_batch() -> None:
    said = documented()
    assert outcomes(*POISON.values()) == [said[name] for name in POISON]


@pytest.mark.parametrize("name", POISON)
def test_in_the_company_of_each_other(name: str) -> None:
    # one that does not parse and one that parses and cannot be converted hide each other
    said = documented()
    for other in COMPANY:
        if other != name:
            pair = outcomes(POISON[other], POISON[name])
            assert pair == [said[other], said[name]], other


@pytest.mark.parametrize("name", POISON)
def test_a_batch_of_nothing_else(name: str) -> None:
    wanted = documented()[name]
    first, *rest = outcomes(*(made[name] for made in _fifty()))
    assert first == wanted
    assert set(rest) == {wanted}


@cache
def _fifty() -> list[dict[str, bytes | None]]:
    """Every case fifty times, made once for all of them: each maker makes every case."""
    make: Scan = scan
    return [cases(lambda i=i, **changes: make(**_other(changes, i))) for i in range(50)]


def _other(changes: dict[str, object], number: int) -> dict[str, object]:
    """Another event id, so that a written scan is no duplicate; a wrong one stays wrong."""
    event_id = str(changes["event_id"])
    if event_id.count("-") == 4 and "-9000-" in event_id:
        changes["event_id"] = event_id.replace("-9000-", f"-{0x9000 + number:04x}-")
    return changes


def test_good_lines_around_one_bad_one() -> None:
    values = [scan(event=i) for i in range(999)]
    values.insert(500, b"{garbage")
    assert outcomes(*values).count(documented()["neighbours_of_one_bad_line"]) == 999


def test_all_bad_lines() -> None:
    values = [b"\xff{" + bytes([i % 256]) * (i % 70) for i in range(1_000)]
    assert set(outcomes(*values)) == {documented()["all_bad_lines"]}
