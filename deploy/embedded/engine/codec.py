"""Compression of HTTP bodies: what the installed libraries can make, and no more."""

import zlib
from collections.abc import Callable
from typing import Any, Protocol

from backports import zstd
from lz4 import frame as lz4_frame  # type: ignore[import-untyped]

from deploy.embedded.engine.errors import EngineError, bad_argument


class Encoder(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Lz4Encoder:
    def __init__(self) -> None:
        self._frame = lz4_frame.LZ4FrameCompressor()
        self._head: bytes = self._frame.begin()

    def compress(self, data: bytes, /) -> bytes:
        head, self._head = self._head, b""
        return head + bytes(self._frame.compress(data))

    def flush(self) -> bytes:
        head, self._head = self._head, b""
        return head + bytes(self._frame.flush())


# In the order of preference: the cheapest for the engine's two cores first.
_ENCODERS: dict[str, Callable[[], Encoder]] = {
    "lz4": _Lz4Encoder,
    "zstd": lambda: zstd.ZstdCompressor(level=1),
    "gzip": lambda: zlib.compressobj(1, zlib.DEFLATED, 31),
    "deflate": lambda: zlib.compressobj(1, zlib.DEFLATED, 15),
}
_DECODERS: dict[str, Callable[[], Any]] = {
    "lz4": lz4_frame.LZ4FrameDecompressor,
    "zstd": zstd.ZstdDecompressor,
    "gzip": lambda: zlib.decompressobj(31),
    "deflate": lambda: zlib.decompressobj(15),
}


def choose(accept_encoding: str) -> str | None:
    """The encoding of an answer, or None for none that both sides can."""
    accepted = set()
    for item in accept_encoding.lower().split(","):
        name, _, weight = item.strip().partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0"):
            accepted.add(name.strip())
    return next((name for name in _ENCODERS if name in accepted), None)


def encoder(name: str) -> Encoder:
    return _ENCODERS[name]()


class Decoder:
    """Decodes one body of one or more frames; `finish` refuses a body that ends inside a frame."""

    def __init__(self, name: str) -> None:
        if name not in _DECODERS:
            raise bad_argument(f"Unknown Content-Encoding {name!r}, known: {', '.join(_DECODERS)}")
        self._new = _DECODERS[name]
        self._frame: Any = None
        self._name = name

    def feed(self, data: bytes) -> bytes:
        out = []
        try:
            while data:
                if self._frame is None:
                    self._frame = self._new()
                out.append(self._frame.decompress(data))
                data = b""
                if self._frame.eof:
                    data = self._frame.unused_data or b""
                    self._frame = None
        except (zlib.error, RuntimeError, zstd.ZstdError) as error:
            raise EngineError(
                354,
                "CANNOT_DECOMPRESS",
                f"Cannot decompress the {self._name} request body: {error}",
            ) from error
        return out[0] if len(out) == 1 else b"".join(out)

    def finish(self) -> None:
        if self._frame is not None:
            raise EngineError(
                354, "CANNOT_DECOMPRESS", f"The {self._name} request body ends inside a frame"
            )
