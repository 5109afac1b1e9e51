"""Coverage on the real tables, against a count of the same register by hand."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import pytest

from console.coverage import snapshot
from console.coverage.behind import behind
from console.coverage.funnel import Asked, By, Line, Reached, by_day, funnel, newest
from console.coverage.rows import tables_of
from console.coverage.stages import STAGES, Stage, Within
from console.coverage.weeks import stale_weeks
from schemas.clock import LOCAL
from schemas.errors import Retryable
from schemas.scan import format_timestamp
from streams.clickhouse import ClickHouse
from tests.contract.clickhouse_fixtures import migrated_engine

NOW: Final = datetime.now(UTC).replace(microsecond=0)
WITHIN: Final = Within(scanned_days=7, inspected_days=90)
WARDS: Final = ("11413", "11407", "00001")
KINDS: Final = (("market", "industry_trade"), ("office", "home_affairs"), ("hospital", "health"))
DAY: Final = timedelta(days=1)


@dataclass
class Site:
    id: int
    ward: str
    kind: str
    sector: str
    open: bool = True
    required: bool = False
    places: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Town:
    """A register made up by a seed; entries: (ward, kind, sector) required and not registered."""

    sites: list[Site] = field(default_factory=list)
    entries: list[tuple[str, str, str]] = field(default_factory=list)
    scans: list[tuple[int, datetime]] = field(default_factory=list)

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """As the two topics carry them: with what is older, and in no order."""
        found = [*self._records()]
        random.Random(1).shuffle(found)
        return iter(found)

    def _records(self) -> Iterator[tuple[bytes, bytes]]:
        yield record("list/a", id="a", name="A", keeper="Sở", as_of="2026-10-01", entries=9)
        yield record(
            "list/b", id="b", version=2, name="B", keeper="Sở", as_of="2026-10-01", entries=1,
            withdrawn=True,
        )  # fmt: skip
        where = {"ward": WARDS[0], "kind": "market", "sector": "industry_trade"}
        yield record("required/b/1", list="b", entry="1", **where)
        yield record("required/a/x", list="a", entry="x", version=2, exempt=True, **where)
        yield record("required/a/x", list="a", entry="x", version=1, **where)
        for n, (ward, kind, sector) in enumerate(self.entries):
            about = {"ward": ward, "kind": kind, "sector": sector}
            yield record(f"required/a/u{n}", list="a", entry=f"u{n}", **about)
        for site in self.sites:
            about = {"ward": site.ward, "kind": site.kind, "sector": site.sector}
            status = "active" if site.open else "closed"
            yield record(f"site/{site.id}", id=site.id, version=2, status=status, **about)
            yield record(f"site/{site.id}", id=site.id, **(about | {"ward": "00004"}))
            if site.required:
                entry = f"s{site.id}"
                yield record(f"required/a/{entry}", list="a", entry=entry, site=site.id, **about)
            for place in site.places:
                number = place["place"]["id"]
                yield record(f"place/{number}", **place["place"])
                if place["posting"]:
                    yield record(f"posting/{number}", place=number, **place["posting"])


def record(key: str, **value: Any) -> tuple[bytes, bytes]:
    return key.encode(), orjson.dumps(value)


def made_up(seed: int) -> Town:
    """Sites with up to four places each, in every state."""
    pick = random.Random(seed)
    town = Town()
    for number in range(1, 61):
        kind, sector = pick.choice(KINDS)
        site = Site(number, pick.choice(WARDS), kind, sector)
        site.open, site.required = pick.random() > 0.1, pick.random() < 0.5
        for n in range(pick.choice((0, 1, 1, 2, 4))):
            site.places.append(place(pick, number, number * 10 + n))
            for _ in range(pick.choice((0, 0, 1, 3))):
                town.scans.append((number * 10 + n, NOW - pick.uniform(0.01, 26) * DAY))
        town.sites.append(site)
    town.entries = [(pick.choice(WARDS), *pick.choice(KINDS)) for _ in range(12)]
    return town


def place(pick: random.Random, site: int, number: int) -> dict[str, Any]:
    codes = []
    for version in range(1, pick.randint(0, 3) + 1):
        code: dict[str, Any] = {"version": version, "token": "x"}
        if pick.random() < 0.5:
            code["valid_from"] = moment(pick.uniform(-40, 3))
        if pick.random() < 0.3:
            code["valid_to"] = moment(pick.uniform(-5, 5))
        if pick.random() < 0.2:
            code["revoked_at"] = moment(pick.uniform(-5, 5))
        codes.append(code)
    posting: dict[str, Any] = {}
    for fact in ("duty", "printed", "posted", "inspected"):
        if pick.random() < 0.5:
            posting[f"{fact}_at"] = moment(pick.uniform(-200, -1))
            if fact != "duty" and pick.random() < 0.5:
                posting[f"{fact}_version"] = pick.randint(1, 3)
    if "inspected_at" in posting:
        posting["inspected_good"] = pick.random() < 0.5
    status = "active" if pick.random() > 0.1 else "closed"
    about = {"id": number, "site": site, "version": 1, "status": status, "codes": codes}
    return {"place": about, "posting": posting}


def moment(days: float) -> str:
    return format_timestamp((NOW + days * DAY).replace(microsecond=0))


def reached_by_hand(town: Town, one: dict[str, Any], now: datetime) -> set[Stage]:
    """Which stages a place has reached."""
    text = format_timestamp(now)
    good = {
        code["version"]
        for code in one["place"]["codes"]
        if code.get("valid_from", "0") <= text
        and text < min(code.get("valid_to", "9"), code.get("revoked_at", "9"))
    }
    posting, number = one["posting"], one["place"]["id"]

    def hangs(fact: str) -> bool:
        version = posting.get(f"{fact}_version")
        return f"{fact}_at" in posting and (version is None or version in good)

    inspected = posting.get("inspected_at", "") > format_timestamp(now - 90 * DAY)
    scanned = any(p == number and at > now - 7 * DAY for p, at in town.scans)
    stages = {Stage.REGISTERED: True, Stage.CODE: bool(good), Stage.DUTY: "duty_at" in posting}
    stages |= {Stage.PRINTED: hangs("printed"), Stage.POSTED: hangs("posted")}
    stages |= {Stage.INSPECTED: inspected, Stage.SCANNED: scanned}
    return {stage for stage, yes in stages.items() if yes}


def by_hand(town: Town, wards: tuple[str, ...], now: datetime) -> tuple[int, dict[Stage, Reached]]:
    """Required, and how many have reached each stage, in these wards."""
    counts = {stage: [0, 0, 0] for stage in STAGES}
    here = [site for site in town.sites if site.open and site.ward in wards]
    gone = [s for s in town.sites if not s.open and s.required and s.ward in wards]
    required = sum(site.required for site in here) + len(gone)
    required += sum(ward in wards for ward, _, _ in town.entries)
    for site in here:
        open_places = [one for one in site.places if one["place"]["status"] == "active"]
        each = [reached_by_hand(town, one, now) for one in open_places]
        for stage in STAGES:
            whole = stage is Stage.REGISTERED or (bool(each) and all(stage in e for e in each))
            counts[stage][0] += whole
            counts[stage][1] += whole and site.required
            counts[stage][2] += sum(stage in e for e in each)
    return required, {stage: Reached(*count) for stage, count in counts.items()}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    with migrated_engine(tmp_path_factory.mktemp("coverage")) as clickhouse:
        yield clickhouse


@pytest.fixture(params=range(3))
def town(request: pytest.FixtureRequest, engine: ClickHouse) -> Town:
    """The engine with this town alone in it."""
    for table in (
        "scans", "register_sites", "register_places", "register_postings", "required_lists",
        "required_entries", "place_weeks", "coverage_weeks", "coverage", "coverage_rounds",
        "coverage_days",
    ):  # fmt: skip
        engine.command(f"TRUNCATE TABLE {table}")
    made = made_up(request.param)
    for table, rows in tables_of(made.records(), fail).items():
        engine.insert(table, rows, {})
    scanned(engine, made.scans)
    return made


def scanned(engine: ClickHouse, scans: list[tuple[int, datetime]]) -> None:
    rows = ", ".join(f"({p}, {int(at.timestamp() * 1000)})" for p, at in scans)
    engine.command(
        "INSERT INTO scans (event_id, person, place, scanned_at, direction, method) "
        "SELECT generateUUIDv4(), 1, place, fromUnixTimestamp64Milli(toInt64(at), 'UTC'), 'in', "
        f"'self' FROM VALUES('place UInt32, at Int64', {rows})"
    )


def fail(key: str, detail: str) -> None:
    raise AssertionError(f"{key}: {detail}")


def test_the_funnel_is_what_a_count_by_hand_gives(town: Town, engine: ClickHouse) -> None:
    made = snapshot.take(engine, NOW, WITHIN)
    assert newest(engine) == NOW
    [whole] = funnel(engine, Asked(), WITHIN).lines
    assert (whole.required, whole.stages) == by_hand(town, WARDS, NOW)
    assert made.places == whole.stages[Stage.REGISTERED].places
    found = funnel(engine, Asked(), WITHIN, (By.WARD,))
    for line in found.lines:
        assert (line.required, line.stages) == by_hand(town, line.key, NOW)
    [one] = funnel(engine, Asked("ward/11413"), WITHIN).lines
    assert one.stages == by_hand(town, ("11413",), NOW)[1]
    kinds = funnel(engine, Asked(), WITHIN, (By.KIND, By.SECTOR)).lines
    assert total(kinds) == total([whole])
    markets = funnel(engine, Asked(kind="market"), WITHIN).lines
    assert markets[0].stages == next(k for k in kinds if k.key[0] == "market").stages


def test_days_keep_the_last_round_of_each(town: Town, engine: ClickHouse) -> None:
    yesterday = NOW - DAY
    snapshot.take(engine, yesterday - timedelta(seconds=1), WITHIN)
    snapshot.take(engine, NOW, WITHIN)
    days = by_day(engine, Asked("ward/11413"), WITHIN, 7).lines
    assert [line.key[0] for line in days] == [
        str(at.astimezone(LOCAL).date()) for at in (yesterday - timedelta(seconds=1), NOW)
    ]
    assert (days[-1].required, days[-1].stages) == by_hand(town, ("11413",), NOW)


def test_places_behind_are_those_that_lack_the_stage(town: Town, engine: ClickHouse) -> None:
    snapshot.take(engine, NOW, WITHIN)
    for stage in STAGES:
        wanted = set()
        for site in (site for site in town.sites if site.open):
            for one in (one for one in site.places if one["place"]["status"] == "active"):
                has = reached_by_hand(town, one, NOW)
                seen = Stage.SCANNED in has or (
                    Stage.INSPECTED in has and one["posting"]["inspected_good"]
                )
                up = stage in (Stage.PRINTED, Stage.POSTED) and seen
                fit = stage in (Stage.REGISTERED, Stage.CODE) or Stage.CODE in has
                if stage not in has and fit and not up:
                    wanted.add(one["place"]["id"])
        found, after = [], ("", 0, 0)
        while some := behind(engine, Asked(), stage, WITHIN, limit=7, after=after)[1]:
            found += some
            after = (some[-1].ward, some[-1].site, some[-1].place)
        assert sorted(one.place for one in found if one.place) == sorted(wanted)


def test_late_scans_are_counted_and_nothing_is_counted_in_vain(
    town: Town, engine: ClickHouse
) -> None:
    snapshot.take(engine, NOW, WITHIN)
    assert stale_weeks(engine, NOW) == []
    silent = behind(engine, Asked(), Stage.SCANNED, WITHIN, limit=100)[1][0]
    scanned(engine, [(silent.place, NOW - 6 * DAY)])
    [week] = stale_weeks(engine, NOW)
    assert week.monday <= (NOW - 6 * DAY).date()
    later = NOW + timedelta(minutes=1)
    snapshot.take(engine, later, WITHIN)
    town.scans.append((silent.place, NOW - 6 * DAY))
    [whole] = funnel(engine, Asked(), WITHIN).lines
    assert whole.stages == by_hand(town, WARDS, later)[1]
    kept = engine.rows(
        "SELECT uniq(round) FROM place_weeks WHERE week = {w:Date}", {"w": week.monday}
    )
    assert kept == [(1,)]


def test_rounds_older_than_a_few_go(town: Town, engine: ClickHouse) -> None:
    for n in range(5):
        snapshot.take(engine, NOW + timedelta(seconds=n), WITHIN)
    assert engine.rows("SELECT uniq(round) FROM coverage") == [(3,)]
    assert town.sites


def test_before_the_first_round_it_says_so(town: Town, engine: ClickHouse) -> None:
    assert town.sites
    with pytest.raises(Retryable, match="not been counted"):
        funnel(engine, Asked(), WITHIN)


def total(lines: list[Line]) -> tuple[int, list[tuple[int, int, int]]]:
    sums = [
        tuple(
            sum(getattr(line.stages[s], n) for line in lines)
            for n in ("sites", "required", "places")
        )
        for s in STAGES
    ]
    return sum(line.required for line in lines), sums
