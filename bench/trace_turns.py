"""Two sizes in turn: how much longer a trace takes on the larger.

A machine's speed differs from one minute to another, and the sizes are filled and measured a
quarter of an hour apart. So what the smaller held is kept when its stack has ended, its segments
mapped, and its cases are traced in turn with those of the larger.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.trace_cases import Tracer, percentiles
from bench.trace_city import TraceCity
from bench.trace_peers import WARM_UP
from bench.trace_segments import all_of
from schemas.cases import Case
from schemas.places import Place
from streams.segments.files import warm
from streams.segments.held import Held
from tracer.queries import Client
from tracer.trace import TraceResult


@dataclass(frozen=True)
class Turns:
    """Milliseconds at p50 of `cases` traces on each size, in turn; `growth`: of the second to the
    first."""

    cases: int
    small_p50_ms: float
    large_p50_ms: float
    growth: float


class Kept(Tracer):
    """Traces on what was held at one moment, and asks nobody: its stack may have ended."""

    def __init__(
        self, client: Client, places: Sequence[Place], city: TraceCity, held: Held
    ) -> None:
        super().__init__(client, places, city)
        self._segments = all_of(held)

    def trace(self, case: Case) -> TraceResult:
        """On what was kept."""
        return self.trace_on(self._segments, case)

    def warm(self, count: int) -> None:
        """Have its files in memory, and some cases traced."""
        for segment in self._segments.every:
            warm(segment)
        for case in self.cases(WARM_UP, count):
            self.trace(case)


def in_turn(small: Kept, large: Kept, count: int) -> Turns:
    """As many cases of each, one after the other."""
    both = (small, large)
    for tracer in both:
        tracer.warm(count)
    seconds: tuple[list[float], list[float]] = ([], [])
    for cases in zip(*(tracer.cases(count) for tracer in both), strict=True):
        for tracer, case, own in zip(both, cases, seconds, strict=True):
            own.append(tracer.timed(case)[0])
    (small_ms, *_), (large_ms, *_) = (percentiles(own) for own in seconds)
    return Turns(len(seconds[0]), small_ms, large_ms, round(large_ms / small_ms, 3))
