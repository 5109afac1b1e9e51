"""What a worker knows of places beside their codes, in columns: what traces stand on."""

from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from streams.by_place import NONE, ByPlace
from streams.changed import Changed, changed, together
from streams.place_records import ALWAYS, NEVER, NO_MINUTE, PlaceRows
from tracer.columns import I64
from tracer.frames import PLACES, TRIPS
from tracer.nesting import DEEPEST
from tracer.struck import Revoked

Item = TypeVar("Item", bound=tuple[object, ...])
_TYPES: Final[dict[str, Any]] = {
    "place": np.uint32, "version": np.int32, "site": np.uint32, "kind": np.int32,
    "sector": np.int32, "opens": np.int16, "closes": np.int16, "usual_stay": np.int16,
    "within": np.uint32, "enclosed": np.bool_, "small": np.bool_, "gate": np.bool_,
}  # fmt: skip
_NAMED: Final = ("kind", "sector")  # kept as the number of a name: there are some dozen
_AS_THEY_ARE: Final = tuple(name for name in _TYPES if name not in _NAMED)
# What stays and tiers depend on.
_SAID: Final = tuple(name for name in _TYPES if name not in ("place", "version", "site"))


class PlaceTable:
    """Some 35 bytes a place, its trips, and its codes that were revoked from before. One writer;
    readers see it as it was or as it is."""

    def __init__(self) -> None:
        self._row = ByPlace()
        self._columns = {name: np.zeros(1024, kind) for name, kind in _TYPES.items()}
        self._count = 0
        self._names: dict[str, int] = {}
        self._trips: dict[int, list[tuple[str, int, int]]] = {}
        self._revoked: dict[int, list[Revoked]] = {}
        self._trips_changed = 0
        self._trips_made: tuple[int, pl.DataFrame] | None = None

    def __len__(self) -> int:
        return self._count

    def versions(self, place: npt.NDArray[np.uint32]) -> npt.NDArray[np.int32]:
        """The version known of each, 0 where none is."""
        row = self._row.of(place)
        return np.where(row == NONE, 0, self._columns["version"][row])

    def put(self, rows: PlaceRows, chosen: npt.NDArray[np.int64]) -> Changed:
        """Take these rows of a batch over; each place is among them once. Returns, of those known
        before, the places of which now is said what changes stays or tiers, and all around them."""
        place = rows.place[chosen]
        row = self._row.of(place)
        new = row == NONE
        row[new] = np.arange(self._count, self._count + new.sum())
        self._grow(self._count + int(new.sum()))
        values = {name: getattr(rows, name)[chosen] for name in _AS_THEY_ARE}
        values |= {name: self._numbers(getattr(rows, name), chosen) for name in _NAMED}
        begin, end = self._put_lists(rows, chosen)
        for name in _SAID:
            other = self._columns[name][row] != values[name]
            begin[other], end[other] = ALWAYS, NEVER
        some = (begin <= end) & ~new
        others = changed(place[some], begin[some], end[some])
        before = self._around(others)
        for name, value in values.items():
            self._columns[name][row] = value
        self._row.put(place[new], row[new])
        self._count += int(new.sum())
        return together([*before, *self._around(others)])

    def _put_lists(self, rows: PlaceRows, chosen: npt.NDArray[np.int64]) -> tuple[I64, I64]:
        """The trips of these rows and the codes that were revoked from before; and row by row in
        what time they are others than until now, one that ends before it begins where none is."""
        trips: dict[int, list[tuple[str, int, int]]] = {}
        revoked: dict[int, list[Revoked]] = {}
        codes = rows.codes
        taken_back = np.flatnonzero(codes.taken_back_at != NEVER)
        kept = set(chosen.tolist()) if rows.trips or len(taken_back) else set()
        for of, *trip in rows.trips:
            if of in kept:
                trips.setdefault(int(rows.place[of]), []).append((*trip,))  # type: ignore[arg-type]
        for row in taken_back.tolist():
            if (of := int(codes.of[row])) in kept:
                place = int(rows.place[of])
                times = int(codes.revoked_at[row]), int(codes.taken_back_at[row])
                one = Revoked(place, int(codes.version[row]), *times)
                revoked.setdefault(place, []).append(one)
        places = rows.place[chosen]
        first = _replaced(self._trips, trips, places)
        if (first[0] <= first[1]).any():
            self._trips_changed += 1
        second = _replaced(self._revoked, revoked, places)
        return np.minimum(first[0], second[0]), np.maximum(first[1], second[1])

    def _around(self, others: Changed) -> list[Changed]:
        """These places, and those they lie within, for the same times."""
        found = [others]
        while len(others) and len(found) <= DEEPEST:
            row = self._row.of(others.place.astype(np.uint32))
            holder = np.where(row == NONE, 0, self._columns["within"][row])
            inside = holder != 0
            others = changed(holder[inside], others.begin[inside], others.end[inside])
            found.append(others)
        return found

    def frame(self) -> pl.DataFrame:
        """Every place, shape `tracer.frames.PLACES`."""
        count = self._count  # once: while this thread reads, the writer goes on
        known = {name: column[:count] for name, column in self._columns.items()}
        numbers = {name: known[name].copy() for name in _NAMED}
        names = pl.Series(list(self._names), dtype=pl.String)  # after the numbers: none lacks one
        frame = pl.DataFrame({name: known[name] for name in _AS_THEY_ARE}).with_columns(
            **{name: names.gather(of) for name, of in numbers.items()},
            opens=_null(pl.col("opens"), NO_MINUTE),
            closes=_null(pl.col("closes"), NO_MINUTE),
            usual_stay=_null(pl.col("usual_stay"), 0),
            within=_null(pl.col("within"), 0),
        )
        return frame.select(pl.col(name).cast(kind) for name, kind in PLACES.items())

    def trips(self) -> pl.DataFrame:
        """Every trip, shape `tracer.frames.TRIPS`."""
        changed, made = self._trips_changed, self._trips_made
        if made is None or made[0] != changed:
            made = self._trips_made = changed, self._all_trips()
        return made[1]

    def _all_trips(self) -> pl.DataFrame:
        rows = [(place, *trip) for place, trips in list(self._trips.items()) for trip in trips]
        numbers = {
            name: pl.Int64() if name.endswith("_at") else kind for name, kind in TRIPS.items()
        }
        frame = pl.DataFrame(rows, schema=numbers, orient="row")
        return frame.select(pl.col(name).cast(kind) for name, kind in TRIPS.items())

    def revoked(self) -> list[Revoked]:
        """The codes that were revoked from before."""
        return [one for some in list(self._revoked.values()) for one in some]

    def _numbers(self, names: list[str], chosen: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        known = self._names
        return np.array([known.setdefault(names[n], len(known)) for n in chosen], np.int32)

    def _grow(self, count: int) -> None:
        size = len(self._columns["place"])
        if count <= size:
            return
        bigger = {}
        for name, column in self._columns.items():
            bigger[name] = np.zeros(max(count, 2 * size), column.dtype)
            bigger[name][:size] = column
        self._columns = bigger


def _replaced(
    known: dict[int, list[Item]], now: dict[int, list[Item]], place: npt.NDArray[np.uint32]
) -> tuple[I64, I64]:
    """What is known of these places, and of no other, becomes that of now; of each the first and
    the last time (an item's last two are two) of what is in one of both only."""
    begin, end = np.full(len(place), NEVER), np.full(len(place), ALWAYS)
    for row in np.flatnonzero(np.isin(place, [*known, *now])).tolist():
        number = int(place[row])
        before, after = known.get(number, []), now.get(number, [])
        for *_, first, last in set(before) ^ set(after):
            begin[row], end[row] = min(begin[row], first), max(end[row], last)
        if after:
            known[number] = after  # at once: another thread reads them
        else:
            known.pop(number, None)
    return begin, end


def _null(column: pl.Expr, value: int) -> pl.Expr:
    return pl.when(column != value).then(column)
