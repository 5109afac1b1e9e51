"""What the console's routes work with, made once per process."""

from dataclasses import dataclass, field

from fastapi import Request

from console.access import KeyRoom
from console.admission import Admission
from console.broker import Publisher
from console.gateway.activity_counts import KnownCounts
from console.gateway.cards import CardRoom
from console.gateway.flow import Flow
from console.gateway.rates import KeyRates
from console.gateway.recent import Recent
from console.relay import Relay
from console.store.engine import Store
from console.vault import IdentityVault, NoVault
from schemas.meters import Metrics
from schemas.settings import Settings
from streams.clickhouse import ClickHouse
from streams.segments.held import Held
from streams.spans import Spans
from tracer.columns import U64
from tracer.struck import Revoked


@dataclass(frozen=True)
class Console:
    """The parts of the console. `publisher` is the gateway's; the relay has its own.

    `clickhouse` is asked for case work; `reading` is another way to the same, and gives way to it.
    """

    settings: Settings
    metrics: Metrics
    store: Store
    keys: KeyRoom
    relay: Relay
    publisher: Publisher
    clickhouse: ClickHouse
    reading: ClickHouse
    admission: Admission
    flow: Flow
    rates: KeyRates
    recent: Recent
    cards: CardRoom
    activity: KnownCounts
    rule_sets: frozenset[str]
    spans: Spans
    held: Held | None = None
    vault: IdentityVault = field(default_factory=NoVault)
    struck: dict[Revoked, U64] = field(default_factory=dict)  # remembered for `tracer.struck`


def console_of(request: Request) -> Console:
    """The console this request came to, for `Depends`."""
    console = request.app.state.console
    assert isinstance(console, Console)
    return console


async def console_at_once(request: Request) -> Console:
    """`console_of` for the routes that are called most: FastAPI takes what is not a coroutine to
    a thread and back, which costs a tenth of a millisecond.
    """
    return console_of(request)
