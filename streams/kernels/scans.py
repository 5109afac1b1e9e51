"""Reading scans as programs write them: one pass over the bytes, each value straight to a number.

Read here is an object of texts in any order, without spaces, escapes or unknown fields, each field
once: what a JSON library writes by itself. Any other line, even one that is sound JSON, is left
for a parser that knows all of it.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from streams.kernels.compiled import kernel
from streams.kernels.hashes import text_hash
from streams.kernels.values import NO_TIME, few, moment, person, same, text, uuid, word

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
I8 = npt.NDArray[np.int8]
Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

FIELDS: Final = (
    "event_id", "person", "code", "direction", "scanned_at", "method", "producer", "device",
    "trip", "seat", "recorded_at", "companions",
)  # fmt: skip
(
    _EVENT_ID, _PERSON, _CODE, _DIRECTION, _SCANNED_AT, _METHOD, _PRODUCER, _DEVICE,
    _TRIP, _SEAT, _RECORDED_AT, _COMPANIONS,
) = range(len(FIELDS))  # fmt: skip
_REQUIRED: Final = (1 << _TRIP) - 1  # all before it
_UUID_WIDTH, _PERSON_WIDTH, _MOMENT_WIDTH, _CODE_WIDTH = 36, 13, 24, 18
_FREE: Final = -1  # of the slots that producers are found by
_QUOTE, _COMMA, _OPEN, _CLOSE = 34, 44, 123, 125


class Grammar(NamedTuple):
    """What a scan may look like. `names` are written as in a line, with quotes and colon and, where
    the value is a text, its opening quote; `most` are characters of a text; direction's and
    method's words count from 1."""

    names: Bytes
    sizes: I64
    most: I64
    directions: Bytes
    direction_sizes: I64
    methods: Bytes
    method_sizes: I64
    hexadecimal: Bytes
    base32: Bytes
    companions: int


class Found(NamedTuple):
    """What was read, a row a line; rows that are not `good` hold anything.

    `code` is zero unless 18 characters long, `recorded` NO_TIME if absent. `spans`, shape
    (3, 2, n), holds where device, trip and seat begin and how long they are, `producers`, (2, n),
    the same of each producer's first occurrence; `producer` counts these, `slots` is for finding
    them.
    """

    good: Mask
    event_hi: U64
    event_lo: U64
    person: U64
    key: Bytes
    code: Bytes
    direction: I8
    method: I8
    scanned: I64
    recorded: I64
    companions: Bytes
    producer: I32
    producers: I64
    slots: I32
    spans: I64


def room(lines: int) -> Found:
    """A place for what so many lines hold."""
    return Found(
        np.zeros(lines, np.bool_),
        np.empty(lines, np.uint64),
        np.empty(lines, np.uint64),
        np.empty(lines, np.uint64),
        np.empty((lines, _PERSON_WIDTH), np.uint8),
        np.zeros((lines, _CODE_WIDTH), np.uint8),
        np.empty(lines, np.int8),
        np.empty(lines, np.int8),
        np.empty(lines, np.int64),
        np.full(lines, NO_TIME, np.int64),
        np.zeros(lines, np.uint8),
        np.zeros(lines, np.int32),
        np.empty((2, lines), np.int64),
        np.full(1 << (2 * lines).bit_length(), _FREE, np.int32),
        np.zeros((3, 2, lines), np.int64),
    )


@kernel
def _field(data: Bytes, at: int, end: int, names: Bytes, sizes: I64, guess: int) -> int:
    """The field whose name stands there, or -1; `guess` is tried first."""
    if sizes[guess] < end - at and same(data, at, names, guess, sizes[guess]):
        return guess
    for k in range(len(sizes)):
        if sizes[k] < end - at and same(data, at, names, k, sizes[k]):
            return k
    return -1


@kernel
def _alike(data: Bytes, at: int, length: int, known: I64, k: int) -> bool:
    if known[1, k] != length:
        return False
    for j in range(length):  # noqa: SIM110 (a loop compiles to less)
        if data[known[0, k] + j] != data[at + j]:
            return False
    return True


@kernel
def _spelling(
    data: Bytes, at: int, length: int, known: I64, slots: I32, count: int, guess: int,
    salt: np.uint64,
) -> int:  # fmt: skip
    """Which of the different texts so far this is; a new one becomes number `count`.

    `guess` is tried first: of most lines it is the one of the line before.
    """
    if guess < count and _alike(data, at, length, known, guess):
        return guess
    mask = np.uint64(len(slots) - 1)
    slot = text_hash(data, at, length, salt) & mask
    while slots[slot] != _FREE:
        number: int = slots[slot]
        if _alike(data, at, length, known, number):
            return number
        slot = slot + np.uint64(1) & mask
    slots[slot] = count
    known[0, count], known[1, count] = at, length
    return count


@kernel
def read(
    data: Bytes, begins: I64, lengths: I64, grammar: Grammar, salt: np.uint64, out: Found
) -> int:
    """Read the line at each of these positions into `out`; how many producers there are.

    `salt` is nobody's to guess: who knew it could make names that are slow to find.

    One loop, because arrays that are handed to a function for every line are counted each time,
    and several loops would fetch the lines anew.
    """
    (names, sizes, most, directions, direction_sizes, methods, method_sizes, hexadecimal, base32,
     companions_most) = grammar  # fmt: skip
    (good, event_hi, event_lo, persons, key, code, direction, method, scanned, recorded, companions,
     producer, producers, slots, spans) = out  # fmt: skip
    order = np.arange(len(sizes))  # the fields as the line before had them
    spellings = which = 0
    for row in range(len(begins)):
        at, end = begins[row], begins[row] + lengths[row]
        if end - at < 2 or data[at] != _OPEN:
            continue
        seen = 0
        for position in range(len(sizes)):
            at += 1
            field = _field(data, at, end, names, sizes, order[position])
            if field < 0 or seen >> field & 1:
                break
            order[position] = field
            seen |= 1 << field
            at += sizes[field]

            fine = True
            if field == _COMPANIONS:
                value, width = few(data, at, end, companions_most)
                companions[row] = value
            elif field == _EVENT_ID:
                width = _UUID_WIDTH
                fine = at + width < end
                if fine:
                    event_hi[row], event_lo[row], fine = uuid(data, at, hexadecimal)
            elif field == _PERSON:
                width = _PERSON_WIDTH
                fine = at + width < end
                if fine:
                    persons[row], fine = person(data, at, base32)
                    for k in range(width):
                        key[row, k] = data[at + k]
            elif field == _SCANNED_AT or field == _RECORDED_AT:  # noqa: SIM109 (numba)
                width = _MOMENT_WIDTH
                ms = moment(data, at) if at + width < end else NO_TIME
                fine = ms != NO_TIME
                if field == _SCANNED_AT:
                    scanned[row] = ms
                else:
                    recorded[row] = ms
            else:
                width = text(data, at, end)
                if width < 1 or width > most[field]:
                    break
                if field == _CODE:
                    if width == _CODE_WIDTH:
                        for k in range(width):
                            code[row, k] = data[at + k]
                elif field == _DIRECTION:
                    direction[row] = word(data, at, width, directions, direction_sizes)
                    fine = direction[row] > 0
                elif field == _METHOD:
                    method[row] = word(data, at, width, methods, method_sizes)
                    fine = method[row] > 0
                elif field == _PRODUCER:
                    which = _spelling(data, at, width, producers, slots, spellings, which, salt)
                    producer[row] = which
                    spellings = max(spellings, which + 1)
                else:
                    spans[field - _DEVICE, 0, row] = at
                    spans[field - _DEVICE, 1, row] = width
            if not fine or width < 1:
                break

            at += width
            if field != _COMPANIONS:
                if data[at] != _QUOTE:  # `width` ended before the end
                    break
                at += 1
            if at >= end:
                break
            if data[at] == _CLOSE:
                good[row] = at + 1 == end and seen & _REQUIRED == _REQUIRED
                break
            if data[at] != _COMMA:
                break
    return spellings
