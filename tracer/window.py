"""The window of a case: when they may have passed it on."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from schemas.cases import Case
from schemas.clock import local_midnight
from tracer.ruleset import WindowRule


@dataclass(frozen=True)
class Window:
    """[`start`, `end`) in UTC, whole milliseconds. Empty if both are equal."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        assert self.start <= self.end

    @property
    def empty(self) -> bool:
        """Nothing lies in it: the case was isolated or negative before it would begin."""
        return self.start == self.end


def window_of(case: Case, rule: WindowRule, now: datetime) -> Window:
    """From local midnight of the days before onset to what ended it, at the latest `now`.

    Without an onset the days count from `sampled_on`. The end is the earliest of `now` and
    those of the rule's `until` that the case has; it is never before the start. Raises
    ValueError naming the fields if the case has neither onset nor sampling date.
    """
    if case.onset is not None:
        first = case.onset - timedelta(days=rule.days_before_onset)
    elif case.sampled_on is not None:
        first = case.sampled_on - timedelta(days=rule.days_before_sampling)
    else:
        raise ValueError(f"case {case.id}: onset or sampled_on is needed to know the window")
    start = local_midnight(first).astimezone(UTC)
    ended = [moment for field in rule.until if (moment := getattr(case, field)) is not None]
    end = min([now, *ended]).astimezone(UTC)
    end = end.replace(microsecond=end.microsecond // 1000 * 1000)
    return Window(start, max(start, end))
