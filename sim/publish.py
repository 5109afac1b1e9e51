"""`python -m sim.publish`: a producer process of its own, as anyone else's would be.

Progress is JSON lines on stdout, the last one the summary; the truth is written to `--out`.
"""

import argparse
import asyncio
import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson

from schemas.errors import UserError
from schemas.settings import load_settings
from schemas.topics import SCANS
from sim.codes import read_city
from sim.feed import Feed
from sim.kafka import Publisher
from sim.session import Session
from sim.simulate import DAYS, Simulation

TICK_S: Final = 0.02
PROGRESS_S: Final = 1.0
STEADY_AHEAD_S: Final = 1.5  # generation takes its time before the first scan is due
MOST_A_TICK: Final = 20_000

Clock = Callable[[], float]


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m sim.publish", description=__doc__)
    parser.add_argument("--city", type=Path, required=True, help="registered places, JSON")
    parser.add_argument("--out", type=Path, required=True, help="where the truth is written")
    parser.add_argument("--events", type=int, help="records to publish")
    parser.add_argument("--people", type=int, default=0, help="0: as many as the events need")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--until", type=datetime.fromisoformat, help="ISO time with its zone")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--bootstrap", required=True, help="HOST:PORT of Kafka")
    parser.add_argument("--data-dir", type=Path, help="whose settings say how Kafka is reached")
    parser.add_argument("--topic", default=SCANS.name)
    parser.add_argument("--producer", help="id of the producer; the city file's by default")
    parser.add_argument("--steady", action="store_true", help="people scanning now, by the clock")
    parser.add_argument("--rate", type=float, default=2000.0, help="steady: records a second")
    parser.add_argument("--seconds", type=float, default=60.0, help="steady: for how long")
    return parser.parse_args(argv)


def feed_of(options: argparse.Namespace, clock: Clock) -> Feed:
    """What is to be published, by the command line."""
    city = read_city(options.city)
    producer = options.producer or city.producer
    simulation = Simulation(city.places, options.seed, options.people, city.revoked, producer)
    if options.steady:
        events = options.events or round(options.rate * options.seconds)
        seconds = events / options.rate if options.events else options.seconds
        start = clock() + STEADY_AHEAD_S + events / 100_000
        made = simulation.steady(events, datetime.fromtimestamp(start, UTC), seconds)
        return Feed(made, options.out, city.origin, events)
    if options.events is None or options.until is None:
        raise UserError(
            "Không có --steady thì cần cả --events và --until. / "
            "Without --steady, both --events and --until are needed."
        )
    bulk = simulation.bulk(options.events, options.until, options.days)
    return Feed(bulk, options.out, city.origin, options.events)


async def publish_bulk(session: Session) -> None:
    """As fast as the broker takes it; the next chunk is made while one is sent."""
    making = asyncio.create_task(asyncio.to_thread(session.feed.next_chunk))
    try:
        while (chunk := await making) is not None and not session.stopping:
            making = asyncio.create_task(asyncio.to_thread(session.feed.next_chunk))
            await session.send(chunk)
    finally:
        await asyncio.wait([making])  # a thread cannot be cancelled


async def publish_steady(session: Session, clock: Clock) -> None:
    """Each record when the clock says so, never before."""
    while not session.stopping:
        chunk = session.feed.due_chunk(int(clock() * 1000), MOST_A_TICK)
        if chunk is None:
            return
        if len(chunk):
            await session.send(chunk)
            await session.publisher.flush(wait=False)
        if len(chunk) < MOST_A_TICK:
            await asyncio.sleep(TICK_S)


async def run(options: argparse.Namespace, clock: Clock) -> dict[str, object]:
    """Generates and publishes; returns the summary."""
    loop = asyncio.get_running_loop()
    settings = load_settings(options.data_dir).model_copy(
        update={"kafka_bootstrap": options.bootstrap}
    )
    async with Publisher(settings, options.topic) as publisher:
        feed = await asyncio.to_thread(feed_of, options, clock)
        with feed:
            session = Session(feed, publisher, clock, PROGRESS_S, say)
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, session.stop)
            if options.steady:
                await publish_steady(session, clock)
            else:
                await publish_bulk(session)
            await publisher.flush()
            return session.summary()


def say(line: dict[str, object]) -> None:
    """One JSON line on stdout."""
    sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0 when published (or stopped by a signal), 1 with one sentence when not."""
    options = arguments(argv)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the sentence says it once
    try:
        say(asyncio.run(run(options, time.time)))  # noqa: TID251 (the shell: time is taken here)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
