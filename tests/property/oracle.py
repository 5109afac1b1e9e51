"""Stays and contacts the slow, obvious way: plain Python, from the words in `tracer.stays`.

Shares with `tracer` no code but the records `Parameters` and `RuleSet`. Times are milliseconds.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from tracer.parameters import Parameters
from tracer.ruleset import RuleSet

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
STARTS = ["scan_in", "scan_pass", "assumed"]
ENDS = [
    "scan_out",
    "answered",
    "next_elsewhere",
    "trip_end",
    "closing_time",
    "usual_stay",
    "cap",
]
TIERS = ["same_small_enclosed", "same_place", "same_time_only"]
MINUTE = 60_000


@dataclass(frozen=True)
class Scan:
    person: int
    place: int
    t: int
    direction: str
    partition: int
    offset: int
    trip: str | None = None

    @property
    def order(self) -> tuple[int, int, int, int, int]:
        rank = {"out": 0, "in": 1, "pass": 2}[self.direction]
        return (self.t, rank, self.place, self.partition, self.offset)


@dataclass(frozen=True)
class Place:
    id: int
    kind: str | None
    enclosed: bool
    small: bool
    gate: bool
    closes: int | None
    usual: int | None
    within: int | None = None
    opens: int | None = None
    sector: str | None = None


@dataclass(frozen=True)
class Answer:
    person: int
    place: int
    start: int
    end: int


@dataclass(frozen=True)
class Stay:
    person: int
    place: int
    start: int
    end: int
    started: str
    ended: str
    opening: Scan | None
    closing: Scan | None
    read: int  # position, among the person's scans, of the scan that made it
    closed: int = -1  # of the one that ended it

    def confidence(self, p: Parameters) -> float:
        return min(p.start_confidence[self.started], p.end_confidence[self.ended])


@dataclass(frozen=True)
class City:
    scans: list[Scan]
    places: dict[int, Place]
    arrivals: list[tuple[int, str, int, int]]  # place, trip, arrival, how long it took
    answers: list[Answer]
    parameters: Parameters

    def inside(self, place: int, holder: int) -> bool:
        """Whether the place lies within the holder, or within one that does."""
        around = []
        at = self.places.get(place)
        while at is not None and at.within is not None:
            if at.within in around or at.within == place:
                return False  # within each other: within nothing
            around.append(at.within)
            at = self.places.get(at.within)
        return holder in around

    def usual(self, place: int) -> int | None:
        return self.places[place].usual if place in self.places else None

    def most(self, place: int) -> int:
        """What no trip and no room inside prolongs."""
        p = self.parameters
        at_most = max(p.max_stay_minutes, p.max_long_stay_minutes or 0)
        return max(p.max_stay_minutes, min(self.usual(place) or 0, at_most)) * MINUTE

    def alone(self, place: int) -> int:
        """The longest interval that nothing inside prolongs."""
        p, longest = self.parameters, self.most(place)
        at_most = max(p.max_stay_minutes, p.max_long_stay_minutes or 0) * MINUTE
        for _, _, _, took in self.trips(place):
            longest = max(longest, min(took + 2 * p.cap_minutes * MINUTE, at_most))
        return longest

    def longest(self, place: int) -> int:
        p, longest = self.parameters, self.alone(place)
        at_most = max(p.max_stay_minutes, p.max_long_stay_minutes or 0) * MINUTE
        within = [self.alone(one) for one in self.places if self.inside(one, place)]
        cap = p.cap_minutes * MINUTE
        long = [min(one + cap, at_most) for one in within if one > p.max_stay_minutes * MINUTE]
        return max([longest, *long])

    def trips(self, place: int) -> list[tuple[int, str, int, int]]:
        return [trip for trip in self.arrivals if trip[0] == place and place in self.places]

    def trip_of(self, scan: Scan) -> tuple[int, str, int, int] | None:
        """The trip that the scan names."""
        cap = self.parameters.cap_minutes * MINUTE
        of_name = [trip for trip in self.trips(scan.place) if trip[1] == scan.trip]
        under_way = [trip for trip in of_name if trip[2] - trip[3] <= scan.t < trip[2]]
        if under_way:
            return max(under_way, key=lambda trip: trip[2])
        ahead = [trip for trip in of_name if scan.t < trip[2] - trip[3] <= scan.t + cap]
        if ahead:
            return min(ahead, key=lambda trip: (trip[2] - trip[3], -trip[2]))
        over = [trip for trip in of_name if trip[2] <= scan.t <= trip[2] + cap]
        return max(over, key=lambda trip: trip[2]) if over else None

    def longest_at(self, scan: Scan) -> int:
        """How long an interval of this opening may be."""
        p, named = self.parameters, self.trip_of(scan)
        cap = p.cap_minutes * MINUTE
        if named is not None:
            rides = [named]
        else:
            rides = [t for t in self.trips(scan.place) if t[2] - t[3] <= scan.t + cap]
        at_most = max(p.max_stay_minutes, p.max_long_stay_minutes or 0) * MINUTE
        return max(self.most(scan.place), *(min(t[2] + cap - scan.t, at_most) for t in rides), 0)

    def reach(self, place: int) -> int:
        usual = self.usual(place)
        minutes = self.parameters.cap_minutes if usual is None else usual
        return min(minutes * MINUTE, self.most(place))

    def bound(self, place: int) -> int:
        usual, p = self.usual(place), self.parameters
        ms = p.cap_minutes * MINUTE if usual is None else int(usual * MINUTE * p.within_usual)
        return min(ms, self.most(place))


def stays(city: City) -> list[Stay]:
    """All stays, by person, place, start."""
    found: list[Stay] = []
    for person in sorted({scan.person for scan in city.scans}):
        found += _stays_of(person, city)
    return sorted(found, key=lambda s: (s.person, s.place, s.start))


def _stays_of(person: int, city: City) -> list[Stay]:
    mine = [scan for scan in city.scans if scan.person == person]
    ordered = sorted(mine, key=lambda scan: _read_at(scan, mine, city))
    read: list[Scan] = []
    for i, scan in enumerate(ordered):
        before = ordered[i - 1] if i else None
        if (
            before is not None
            and (before.place, before.direction) == (scan.place, scan.direction)
            and scan.t - before.t <= city.parameters.double_tap_seconds * 1000
        ):
            continue
        read.append(scan)

    intervals: dict[int, list[Stay]] = defaultdict(list)
    open_until: dict[int, int] = {}
    for i, scan in enumerate(read):
        if scan.direction == "out":
            continue
        if scan.direction == "pass" and scan.t < open_until.get(scan.place, -1):
            continue
        end, ended, closing = _end(scan, read[i + 1 :], city)
        closed = next((n for n, one in enumerate(read) if one is closing), -1)
        open_until[scan.place] = max(end, open_until.get(scan.place, -1))
        intervals[scan.place].append(
            Stay(person, scan.place, scan.t, end, f"scan_{scan.direction}", ended, scan, closing, i,
                 closed)
        )  # fmt: skip
    ending = {
        stay.closing.offset
        for of_place in intervals.values()
        for stay in of_place
        if stay.ended == "scan_out" and stay.closing is not None
    }
    for i, scan in enumerate(read):
        if scan.direction == "out" and scan.offset not in ending:
            start = scan.t - city.reach(scan.place)
            others = [s for s in read[:i] if not city.inside(s.place, scan.place)]
            if others:
                start = max(start, others[-1].t)
            intervals[scan.place].append(
                Stay(person, scan.place, start, scan.t, "assumed", "scan_out", None, scan, i)
            )
    base = [stay for of_place in intervals.values() for stay in of_place]
    for stay in base:
        intervals[stay.place] += _going_on(stay, base, read, city)
    return [stay for of_place in intervals.values() for stay in _united(of_place)]


def _read_at(scan: Scan, mine: list[Scan], city: City) -> tuple[float, ...]:
    """By what a scan is read: as `order`, but that a scan out may come after a scan in."""
    t, rank, place, *rest = scan.order
    deep = sum(city.inside(place, other) for other in city.places)
    if _one_of_two(scan, mine):
        before = [s for s in mine if s.place == scan.place and s.t < t and not _one_of_two(s, mine)]
        last = max(before, key=lambda s: s.order, default=None)
        went_back = (
            last is not None and last.direction != "out" and t - last.t <= city.longest(scan.place)
        )
        if not went_back:
            return t, 0.5, deep, place, scan.direction == "out", *rest
    return t, rank, -deep if scan.direction == "out" else deep, place, 0, *rest


def _one_of_two(scan: Scan, mine: list[Scan]) -> bool:
    """Whether it is a scan in or out, and the other is there too, then."""
    there = {s.direction for s in mine if (s.place, s.t) == (scan.place, scan.t)}
    return scan.direction != "pass" and {"in", "out"} <= there


def _going_on(outer: Stay, base: list[Stay], read: list[Scan], city: City) -> list[Stay]:
    """Rule 8: who is in a room is still in the building."""
    if outer.opening is None or outer.ended not in ("closing_time", "usual_stay", "cap"):
        return []
    t, longest = outer.start, city.longest(outer.place)
    until, left = len(read), None
    opening = {stay.read for stay in base if stay.opening is not None}
    for i, scan in enumerate(read[outer.read + 1 :], outer.read + 1):
        if city.inside(scan.place, outer.place):
            continue
        if scan.place == outer.place and scan.direction == "pass" and i not in opening:
            continue
        until = i  # decisive, or another opening here
        if scan.place != outer.place or scan.direction == "out":
            left = scan.t
            break
        left = next(
            (
                s.t
                for s in read[i:]
                if not city.inside(s.place, outer.place)
                and (s.place != outer.place or s.direction == "out")
            ),
            None,
        )
        break
    found = []
    for inner in base:
        if not city.inside(inner.place, outer.place) or not outer.read < inner.read < until:
            continue
        end = inner.end if left is None else min(inner.end, left)
        closing = _next_closing(t, city.places.get(outer.place))
        closed = closing is not None and closing < read[inner.read].t
        if outer.end < end <= t + longest and not closed:
            found.append(replace(
                outer, end=end, ended=inner.ended, closing=inner.closing, closed=inner.closed
            ))  # fmt: skip
    return found


def _end(scan: Scan, later: list[Scan], city: City) -> tuple[int, str, Scan | None]:
    t, longest = scan.t, city.longest_at(scan)
    ride = city.trip_of(scan)
    later = [s for s in later if not city.inside(s.place, scan.place)]
    decisive = next((s for s in later if s.place != scan.place or s.direction == "out"), None)
    elsewhere = decisive if decisive is not None and decisive.place != scan.place else None
    gone = elsewhere
    if decisive is not None and elsewhere is None:
        gone = _return(scan, later[: later.index(decisive)], city)

    def plausible(end: int) -> bool:
        return t < end <= t + longest and (gone is None or end <= gone.t)

    if decisive is not None and gone is None and decisive.t - t <= longest:
        return decisive.t, "scan_out", decisive
    answers = [a for a in city.answers if (a.person, a.place) == (scan.person, scan.place)]
    before = [a for a in answers if a.start <= t]
    if before:
        answer = max(before, key=lambda a: (a.start, a.end))
        if plausible(answer.end):
            return answer.end, "answered", None
    after = [a for a in answers if t < a.start <= t + city.reach(scan.place)]
    if after:
        soonest = min(a.start for a in after)
        end = max(a.end for a in after if a.start == soonest)
        if plausible(end):
            return end, "answered", None
    if elsewhere is not None:
        riding = ride is not None and elsewhere.t <= ride[2] <= t + longest
        if riding or elsewhere.t - t <= city.bound(scan.place):
            return elsewhere.t, "next_elsewhere", elsewhere
    if ride is not None and plausible(ride[2]):
        return ride[2], "trip_end", None
    closing = _next_closing(t, city.places.get(scan.place))
    if closing is not None and closing - t <= city.bound(scan.place):
        return closing, "closing_time", None
    ended = "cap" if city.usual(scan.place) is None else "usual_stay"
    return t + city.reach(scan.place), ended, None


def _return(opening: Scan, before_out: list[Scan], city: City) -> Scan | None:
    """The first `in` here that is a return."""
    last = opening
    for scan in before_out:
        if scan.place != opening.place:
            continue
        closing = _next_closing(last.t, city.places.get(scan.place))
        ride = city.trip_of(scan)
        same_ride = ride is not None and ride == city.trip_of(last)
        if (
            scan.direction == "in"
            and not same_ride
            and (
                scan.t - last.t > city.bound(scan.place)
                or (closing is not None and closing < scan.t)
            )
        ):
            return scan
        last = scan
    return None


def _next_closing(t: int, place: Place | None) -> int | None:
    if place is None or place.closes is None or place.closes == place.opens:
        return None
    local = datetime.fromtimestamp(t / 1000, UTC).astimezone(LOCAL)
    closing = local.replace(
        hour=place.closes // 60, minute=place.closes % 60, second=0, microsecond=0
    )
    if closing <= local:
        closing += timedelta(days=1)
    return round(closing.timestamp() * 1000)


def _united(intervals: list[Stay]) -> list[Stay]:
    """Unite any two that overlap or touch until none do."""
    rest = list(intervals)
    while True:
        pair = next(
            (
                (a, b)
                for i, a in enumerate(rest)
                for b in rest[i + 1 :]
                if a.start <= b.end and b.start <= a.end
            ),
            None,
        )
        if pair is None:
            return [_tidy(part) for part in rest]
        rest = [s for s in rest if s is not pair[0] and s is not pair[1]]
        rest.append(_unite(*pair))


@dataclass(frozen=True)
class United(Stay):
    """A stay of several intervals, which it remembers."""

    parts: tuple[Stay, ...] = ()


def _parts(stay: Stay) -> tuple[Stay, ...]:
    return stay.parts if isinstance(stay, United) else (stay,)


def _unite(a: Stay, b: Stay) -> Stay:
    parts = _parts(a) + _parts(b)
    head = min(parts, key=lambda s: (s.start, STARTS.index(s.started), s.read))
    tail = min(parts, key=lambda s: (-s.end, ENDS.index(s.ended), s.read, s.closed))
    return United(
        head.person, head.place, head.start, tail.end, head.started, tail.ended,
        head.opening, tail.closing, head.read, tail.closed, parts,
    )  # fmt: skip


def _tidy(stay: Stay) -> Stay:
    return Stay(
        stay.person, stay.place, stay.start, stay.end, stay.started, stay.ended,
        stay.opening, stay.closing, 0,
    )  # fmt: skip


@dataclass(frozen=True)
class Exposure:
    person: int
    place: int
    start: int
    end: int
    tier: str
    clauses: list[str]
    questions: list[str]
    confidence: float
    case_stay: Stay
    their_stay: Stay

    @property
    def minutes(self) -> float:
        return (self.end - self.start) / MINUTE


def exposures(
    city: City, case: int, window: tuple[int, int], rules: RuleSet, now: int
) -> list[Exposure]:
    """All exposures to one person in a window, by person, start, place."""
    everyone = stays(city)
    found = []
    for mine in everyone:
        for theirs in everyone:
            if mine.person != case or theirs.person == case or mine.place != theirs.place:
                continue
            start = max(mine.start, theirs.start, window[0])
            end = min(mine.end, theirs.end, window[1])
            if start < end:
                found.append(_exposure(mine, theirs, start, end, city, rules, now))
    return sorted(found, key=lambda e: (e.person, e.start, e.place, e.end))


def tier_of(city: City, where: int) -> str:
    """The tier of those who are there at the same time."""
    place = city.places.get(where, Place(where, None, False, False, False, None, None))
    if place.gate or not place.enclosed or place.kind in ("supermarket", "hotel"):
        return "same_time_only"
    return "same_small_enclosed" if place.small else "same_place"


def _exposure(
    mine: Stay, theirs: Stay, start: int, end: int, city: City, rules: RuleSet, now: int
) -> Exposure:
    unknown = Place(mine.place, None, False, False, False, None, None)
    place = city.places.get(mine.place, unknown)
    minutes = (end - start) / MINUTE
    longer = end == now or any(
        (stay.started in ("assumed", "scan_pass") and stay.start == start)
        or (stay.ended in ("trip_end", "usual_stay", "cap") and stay.end == end)
        for stay in (mine, theirs)
    )
    could = [
        clause
        for clause in rules.clauses
        if (longer or minutes >= clause.min_minutes)
        and (
            not (clause.place_kinds or clause.place_sectors)
            or place.kind is None
            or place.kind in clause.place_kinds
            or (not place.gate and place.sector in clause.place_sectors)
        )
    ]
    needed = {question for clause in could for question in clause.questions}
    if place.enclosed and place.small:
        needed.discard("within_2_m")
    return Exposure(
        theirs.person,
        mine.place,
        start,
        end,
        tier_of(city, mine.place),
        [clause.id for clause in could],
        [question.id for question in rules.questions if question.id in needed],
        _there(mine, start, city.parameters) * _there(theirs, start, city.parameters),
        replace(mine),
        replace(theirs),
    )


def _there(stay: Stay, moment: int, p: Parameters) -> float:
    """The chance that somebody whose stay this is was there at the moment an exposure begins."""
    still = p.end_confidence[stay.ended]
    if stay.ended in p.still_there:
        chances = p.still_there[stay.ended]
        quarters = 4 * (moment - stay.start)
        length = stay.end - stay.start
        passed = next(n for n in (3, 2, 1, 0) if quarters >= n * length)
        between = (quarters - passed * length) / length
        still = chances[passed] + (chances[passed + 1] - chances[passed]) * between
    return min(p.start_confidence[stay.started], still)


@dataclass(frozen=True)
class Contact:
    person: int
    tier: str
    minutes: float
    exposures: int
    last: int
    confidence: float
    clauses: set[str]
    questions: set[str]


def contacts(found: list[Exposure]) -> list[Contact]:
    """One a person; minutes together counted in steps of the grid between all their ends."""
    result = []
    for person in {e.person for e in found}:
        own = [e for e in found if e.person == person]
        tier = min((e.tier for e in own), key=TIERS.index)
        # of whom to call, what they have only been at an open place counts for nothing
        near = [e for e in own if e.tier != "same_time_only"] or own
        cuts = sorted({e.start for e in near} | {e.end for e in near})
        together = sum(
            b - a for a, b in pairwise(cuts) if any(e.start <= a and b <= e.end for e in near)
        )
        result.append(
            Contact(
                person,
                tier,
                together / MINUTE,
                len(own),
                max(e.end for e in near),
                max(e.confidence for e in own if e.tier == tier),
                {clause for e in own for clause in e.clauses},
                {question for e in own for question in e.questions},
            )
        )
    return sorted(result, key=lambda c: (TIERS.index(c.tier), -c.minutes, -c.last, c.person))
