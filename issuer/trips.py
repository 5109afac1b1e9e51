"""Trips of a vehicle as they are planned and corrected: pure, times as arguments.

A trip is known by its name within the vehicle, and a scan says it (`trip`): so a name is used
once, with the day in it. The tracer ends a passenger's stay at the arrival of the trip that
their scan names (`tracer/stays.py`, rule 5).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from issuer.kinds import kinds
from schemas.clock import LOCAL
from schemas.places import Place, Trip

MOST_TRIPS: Final = 1_000  # of a vehicle: a record on the topic stays far below 1 MiB
# Hà Nội to Sài Gòn by coach is 36. A stay is believed for 72, with four hours at both ends of a
# trip for boarding early and for delays (`tracer/data`).
LONGEST: Final = timedelta(hours=64)
SAME_TRIP: Final = timedelta(hours=24)  # by how much it may be moved and be the same still
FURTHEST: Final = timedelta(days=62)


class TripError(ValueError):
    """What is wrong with a trip or its vehicle, in both languages."""

    def __init__(self, vi: str, en: str) -> None:
        super().__init__(f"{vi} / {en}")
        self.vi, self.en = vi, en


def trip_name(departs_at: datetime) -> str:
    """The name of a trip that has none: `261127-0805`, its local departure."""
    return f"{departs_at.astimezone(LOCAL):%y%m%d-%H%M}"


def check_trip(trip: Trip, now: datetime, cut_off: datetime | None) -> None:
    """Raises TripError for times that cannot be. `cut_off`: what arrived before is not kept."""
    if trip.arrives_at <= trip.departs_at:
        raise TripError("giờ đến phải sau giờ đi", "it arrives before it departs")
    if trip.arrives_at - trip.departs_at > LONGEST:
        hours = LONGEST // timedelta(hours=1)
        raise TripError(f"chuyến dài hơn {hours} giờ", f"it lasts more than {hours} hours")
    if trip.departs_at > now + FURTHEST:
        days = FURTHEST.days
        raise TripError(f"còn hơn {days} ngày nữa mới đi", f"it is more than {days} days ahead")
    if cut_off is not None and trip.arrives_at < cut_off:
        raise TripError("chuyến đã quá hạn lưu giữ", "it is older than the retention")


def check_same(trip: Trip, known: Trip | None, cut_off: datetime | None) -> None:
    """Raises TripError if the vehicle's trip of this name is of another day: it would be lost, and
    with it the ends of its passengers' stays. What arrived before `cut_off` is not kept anyway."""
    if known is None or (cut_off is not None and known.arrives_at < cut_off):
        return
    if abs(trip.departs_at - known.departs_at) <= SAME_TRIP:
        return
    day = known.departs_at.astimezone(LOCAL)
    raise TripError(
        f"tên {trip.id} đã là của chuyến ngày {day:%d/%m/%Y}: hãy đặt tên riêng cho mỗi chuyến "
        "(thêm ngày), hoặc bỏ chuyến đó trước",
        f"{trip.id} is already a trip of {day:%Y-%m-%d}: give each trip a name of its own (with "
        "its day), or take that one out first",
    )


def with_trips(
    place: Place,
    added: Iterable[Trip] = (),
    removed: Iterable[str] = (),
    *,
    cut_off: datetime | None,
) -> Place:
    """The vehicle with these trips, by departure; one of the same name is corrected.

    Trips that arrived before `cut_off` go; without a difference it is the place as it was. Raises
    TripError for what is no vehicle, for more than `MOST_TRIPS`, and as `check_same` does.
    """
    kind = kinds().get(place.kind)
    if kind is None or not kind.vehicle:
        raise TripError(
            f"điểm quét {place.id} ({place.kind}) không phải phương tiện",
            f"place {place.id} ({place.kind}) is no vehicle",
        )
    trips = {trip.id: trip for trip in place.trips}
    for trip in added:
        check_same(trip, trips.get(trip.id), cut_off)
        trips[trip.id] = trip
    gone = set(removed)
    kept = [
        trip
        for trip in trips.values()
        if trip.id not in gone and (cut_off is None or trip.arrives_at >= cut_off)
    ]
    if len(kept) > MOST_TRIPS:
        raise TripError(
            f"{len(kept)} chuyến, nhiều nhất {MOST_TRIPS}: hãy ghi ít ngày hơn",
            f"{len(kept)} trips, at most {MOST_TRIPS}: plan fewer days",
        )
    after = tuple(sorted(kept, key=lambda trip: (trip.departs_at, trip.id)))
    if after == place.trips:
        return place
    return place.model_copy(update={"trips": after, "version": place.version + 1})
