"""One run of publishing: what has gone out, how fast, and when to stop."""

from collections.abc import Callable
from datetime import UTC, datetime

from schemas.scan import format_timestamp
from sim.feed import Chunk, Feed
from sim.kafka import Publisher


class Session:
    """Counts and reports; the clock is an argument."""

    def __init__(
        self,
        feed: Feed,
        publisher: Publisher,
        clock: Callable[[], float],
        progress_s: float,
        say: Callable[[dict[str, object]], None],
    ) -> None:
        self.feed, self.publisher, self.stopping = feed, publisher, False
        self._clock, self._progress_s, self._say = clock, progress_s, say
        self._first = self._told = clock()
        self._sent = 0
        feed.partition_by(publisher.partitions)

    def stop(self) -> None:
        """No further chunk is sent; what is sent is still acknowledged."""
        self.stopping = True

    async def send(self, chunk: Chunk) -> None:
        """Hands a chunk to the broker and reports now and then."""
        if self._sent == 0:
            self._first = self._clock()
        await self.publisher.send(chunk.keys, chunk.values, chunk.partitions)
        self.feed.published(chunk)
        self._sent += len(chunk)
        now = self._clock()
        if now - self._told >= self._progress_s:
            self._told = now
            self._say({"published": self.publisher.acknowledged, "of": self.feed.total})

    def summary(self) -> dict[str, object]:
        """The last line. Everything sent must have been acknowledged."""
        last = self._clock()
        assert self.publisher.acknowledged == self._sent
        seconds = max(last - self._first, 1e-6)
        return {
            "published": self._sent,
            "of": self.feed.total,
            "stopped": self._sent < self.feed.total,
            "expected": self.feed.expected(),
            "seconds": round(seconds, 3),
            "records_per_second": round(self._sent / seconds),
            "people": len(self.feed.made.people),
            "partitions": self.publisher.partitions,
            "first": format_timestamp(datetime.fromtimestamp(self._first, UTC)),
            "last": format_timestamp(datetime.fromtimestamp(last, UTC)),
        }
