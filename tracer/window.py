"""The window of a case: when they may have passed it on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from schemas.cases import Case, Symptoms
from schemas.clock import local_midnight
from tracer.ruleset import RuleSet, WarningRule, WindowRule


@dataclass(frozen=True)
class Window:
    """[`start`, `end`) in UTC, whole milliseconds. Empty if both are equal. `goes_on`: nothing has
    ended it yet, its end is only how far time had come."""

    start: datetime
    end: datetime
    goes_on: bool = False

    def __post_init__(self) -> None:
        assert self.start <= self.end

    @property
    def empty(self) -> bool:
        """Nothing lies in it: the case was isolated or negative before it would begin."""
        return self.start == self.end


def window_of(
    case: Case, rule_set: RuleSet, now: datetime, ahead: timedelta = timedelta(0)
) -> Window:
    """When the rule-set says that the case may have passed it on, at the latest until `now`, or
    until so long after it.

    By `window`: from local midnight of the days before onset to what ended it. Without an onset
    the days count from `sampled_on`. The end is the earliest of `now` and of what ended it
    (`ends_of`); it is never before the start. Of place-time points alone: from the first to the
    last of them. By `warning`: from the first UTC day that weighs something to the end of the
    last. Raises ValueError naming the fields if the case
    has neither onset nor sampling date where one is needed.
    """
    end = now.astimezone(UTC) + ahead
    if rule_set.warning is not None:
        return _of_days(weighted_days(case, rule_set.warning, now), end)
    assert rule_set.window is not None, "a rule-set has a window or a warning"
    if case.person is None:
        first, last = min(p.begin for p in case.points), max(p.end for p in case.points)
        return _whole(first.astimezone(UTC), min(end, last.astimezone(UTC)))
    return _before_onset(case, rule_set.window, end)


def weighted_days(case: Case, rule: WarningRule, now: datetime) -> Mapping[date, float]:
    """The UTC days that weigh more than nothing, with the weight of a minute."""
    if case.onset is not None:
        levels = {case.onset + timedelta(days=n): level for n, level in rule.from_onset.items()}
    else:
        registered = case.registered_at.astimezone(UTC).date()
        # symptoms whose onset nobody knows are as if nothing was known of them
        without = case.symptoms in (None, Symptoms.NO)
        listed = rule.without_symptoms if without else rule.symptoms_unknown
        levels = {registered - timedelta(days=n): level for n, level in enumerate(listed)}
    oldest = now.astimezone(UTC).date() - timedelta(days=rule.max_age_days)
    weights = {day: rule.weights[level - 1] for day, level in sorted(levels.items())}
    return {day: weight for day, weight in weights.items() if weight > 0 and day >= oldest}


def ends_of(case: Case, rule: WindowRule) -> list[datetime]:
    """What ended it, in UTC: not a negative result of a test before the one that was positive."""
    fields = [f for f in rule.until if f != "negative_at" or not tested_before(case)]
    ended = [moment for field in fields if (moment := getattr(case, field)) is not None]
    return [moment.astimezone(UTC) for moment in ended]


def tested_before(case: Case) -> bool:
    """Whether the negative result is of a local day before the positive test's, or before onset
    where that day is not known: then it says nothing of when the case ceased to be infectious."""
    since = case.sampled_on or case.onset
    if case.negative_at is None or since is None:
        return False
    return case.negative_at < local_midnight(since)


def _before_onset(case: Case, rule: WindowRule, now: datetime) -> Window:
    if case.onset is not None:
        first = case.onset - timedelta(days=rule.days_before_onset)
    elif case.sampled_on is not None:
        first = case.sampled_on - timedelta(days=rule.days_before_sampling)
    else:
        raise ValueError(f"case {case.id}: onset or sampled_on is needed to know the window")
    start = local_midnight(first).astimezone(UTC)
    ends = ends_of(case, rule)
    return _whole(start, min([now, *ends]), goes_on=all(now < end for end in ends))


def _of_days(days: Mapping[date, float], now: datetime) -> Window:
    if not days:
        return _whole(now, now)
    start = datetime.combine(min(days), time(), UTC)
    over = datetime.combine(max(days), time(), UTC) + timedelta(days=1)
    return _whole(start, min(now, over), goes_on=now < over)


def _whole(start: datetime, end: datetime, *, goes_on: bool = False) -> Window:
    """To whole milliseconds, and not ending before it begins."""
    start, end = (m.replace(microsecond=m.microsecond // 1000 * 1000) for m in (start, end))
    return Window(start, max(start, end), goes_on)
