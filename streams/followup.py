"""What follows from a batch once its rows can be read: dead letters, alerts, cases to look at."""

from schemas import metrics as m
from schemas.meters import Metrics
from streams.alerts import alert_message, trace_requests
from streams.pending import Pending
from streams.publish import Item, Publisher
from streams.watch import OpenCases
from streams.watcher import CaseWatcher


class FollowUp:
    """Called with each batch, before it is acknowledged; returns when the broker has it all."""

    def __init__(
        self, open_cases: OpenCases, watcher: CaseWatcher, publisher: Publisher, metrics: Metrics
    ) -> None:
        self._open_cases = open_cases
        self._watcher = watcher
        self._publisher = publisher
        self._metrics = metrics
        self._rebalanced = False

    def rebalanced(self) -> None:
        """Other partitions may be ours from now on: look at all open cases again."""
        self._rebalanced = True

    async def __call__(self, pending: Pending) -> None:
        """Not before the rows can be read: a case's run and this look must not both miss a scan."""
        look = self._open_cases.look(pending.rows)
        messages: list[Item] = list(pending.letters)
        messages += [alert_message(name, alert) for name, alert in look.alerts]
        messages += trace_requests(look, pending.rows)
        if messages:
            await self._publisher.send(messages)
        if look.alerts:
            self._metrics.counter(m.ALERTS, "scan_in_window").inc(len(look.alerts))
        if self._rebalanced:
            self._rebalanced = False
            self._watcher.look_again()
