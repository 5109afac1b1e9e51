"""What a worker knows of places beside their codes, in columns: what traces stand on."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from streams.by_place import NONE, ByPlace
from streams.place_records import NO_MINUTE, PlaceRows
from tracer.frames import PLACES, TRIPS
from tracer.nesting import DEEPEST

_TYPES: Final[dict[str, Any]] = {
    "place": np.uint32, "version": np.int32, "site": np.uint32, "kind": np.int32,
    "opens": np.int16, "closes": np.int16, "usual_stay": np.int16, "within": np.uint32,
    "enclosed": np.bool_, "small": np.bool_, "gate": np.bool_,
}  # fmt: skip
_AS_THEY_ARE: Final = tuple(name for name in _TYPES if name != "kind")
# What stays and tiers depend on.
_SAID: Final = tuple(name for name in _TYPES if name not in ("place", "version", "site"))


class PlaceTable:
    """Some 31 bytes a place, and its trips. One writer; readers see it as it was or as it is."""

    def __init__(self) -> None:
        self._row = ByPlace()
        self._columns = {name: np.zeros(1024, kind) for name, kind in _TYPES.items()}
        self._count = 0
        self._kinds: dict[str, int] = {}
        self._trips: dict[int, list[tuple[str, int, int]]] = {}

    def __len__(self) -> int:
        return self._count

    def versions(self, place: npt.NDArray[np.uint32]) -> npt.NDArray[np.int32]:
        """The version known of each, 0 where none is."""
        row = self._row.of(place)
        return np.where(row == NONE, 0, self._columns["version"][row])

    def put(self, rows: PlaceRows, chosen: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
        """Take these rows of a batch over; each place is among them once. Returns, of those known
        before, the places of which now is said what changes stays or tiers, and all around them."""
        place = rows.place[chosen]
        row = self._row.of(place)
        new = row == NONE
        row[new] = np.arange(self._count, self._count + new.sum())
        self._grow(self._count + int(new.sum()))
        numbers = [self._kinds.setdefault(rows.kind[n], len(self._kinds)) for n in chosen]
        values = {name: getattr(rows, name)[chosen] for name in _AS_THEY_ARE}
        values["kind"] = np.array(numbers, np.int32)
        other = self._put_trips(rows, chosen)
        for name in _SAID:
            other |= self._columns[name][row] != values[name]
        changed = place[other & ~new]
        before = self._around(changed)
        for name, value in values.items():
            self._columns[name][row] = value
        self._row.put(place[new], row[new])
        self._count += int(new.sum())
        return np.unique(np.concatenate([before, self._around(changed)]))

    def _put_trips(self, rows: PlaceRows, chosen: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """The trips of these rows; whether they are others than before, row by row."""
        trips: dict[int, list[tuple[str, int, int]]] = {}
        if rows.trips:
            kept = set(chosen.tolist())
            for of, *trip in rows.trips:
                if of in kept:
                    trips.setdefault(int(rows.place[of]), []).append((*trip,))  # type: ignore[arg-type]
        other = np.zeros(len(chosen), np.bool_)
        place = rows.place[chosen]
        for nth in np.flatnonzero(np.isin(place, [*self._trips, *trips])).tolist():
            number = int(place[nth])
            before, now = self._trips.pop(number, None), trips.get(number)
            other[nth] = before != now
            if now is not None:
                self._trips[number] = now
        return other

    def _around(self, place: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """These places and those they lie within."""
        found = [place]
        for _ in range(DEEPEST if len(place) else 0):
            row = self._row.of(place)
            holder = self._columns["within"][row[row != NONE]]
            place = np.unique(holder[holder != 0])
            found.append(place)
        return np.concatenate(found)

    def frame(self) -> pl.DataFrame:
        """Every place, shape `tracer.frames.PLACES`."""
        count = self._count  # once: while this thread reads, the writer goes on
        known = {name: column[:count] for name, column in self._columns.items()}
        kind = known["kind"].copy()  # before the names: none of its numbers is without one
        kinds = pl.Series(list(self._kinds), dtype=pl.String)
        frame = pl.DataFrame({name: known[name] for name in _AS_THEY_ARE}).with_columns(
            kind=kinds.gather(kind) if len(kinds) else pl.lit(None, pl.String),
            opens=_null(pl.col("opens"), NO_MINUTE),
            closes=_null(pl.col("closes"), NO_MINUTE),
            usual_stay=_null(pl.col("usual_stay"), 0),
            within=_null(pl.col("within"), 0),
        )
        return frame.select(pl.col(name).cast(kind) for name, kind in PLACES.items())

    def trips(self) -> pl.DataFrame:
        """Every trip, shape `tracer.frames.TRIPS`."""
        rows = [(place, *trip) for place, trips in list(self._trips.items()) for trip in trips]
        numbers = {
            name: pl.Int64() if name.endswith("_at") else kind for name, kind in TRIPS.items()
        }
        frame = pl.DataFrame(rows, schema=numbers, orient="row")
        return frame.select(pl.col(name).cast(kind) for name, kind in TRIPS.items())

    def _grow(self, count: int) -> None:
        size = len(self._columns["place"])
        if count <= size:
            return
        bigger = {}
        for name, column in self._columns.items():
            bigger[name] = np.zeros(max(count, 2 * size), column.dtype)
            bigger[name][:size] = column
        self._columns = bigger


def _null(column: pl.Expr, value: int) -> pl.Expr:
    return pl.when(column != value).then(column)
