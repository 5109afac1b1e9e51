"""Which scan ended a stay does not depend on who else is read with its person."""

from datetime import timedelta

import polars as pl

from tests.unit.test_stays import PARAMETERS, local, place
from tracer.frames import SCANS
from tracer.places import ground_at
from tracer.stays import stays

WARD, BED, CANTEEN = 1, 2, 3  # the last two within the first
PLACES = [
    place(WARD, usual_stay=60),
    place(BED, within=WARD, usual_stay=60),
    place(CANTEEN, within=WARD, usual_stay=40),
]


def test_of_two_rooms_that_end_a_stay_at_one_time_it_is_the_scan_read_first() -> None:
    """Both of their scans out are at ten; alone, and with more and more others."""
    one = [
        (1, WARD, local("08:00"), "in", 0, 1, None), (1, BED, local("09:50"), "in", 0, 2, None),
        (1, BED, local("10:00"), "out", 0, 3, None), (1, CANTEEN, local("10:00"), "in", 0, 4, None),
        (1, CANTEEN, local("10:00"), "out", 0, 5, None),
    ]  # fmt: skip
    ground = ground_at(PLACES, PARAMETERS)
    for others in range(40):
        more = [
            (person, at, local(hour) + timedelta(seconds=person), "in", 1, 10 * person + n, None)
            for person in range(2, 2 + others)
            for n, (at, hour) in enumerate(((WARD, "08:00"), (BED, "09:00")))
        ]
        found = stays(pl.DataFrame(one + more, schema=dict(SCANS), orient="row"), ground)
        theirs = found.filter((pl.col("person") == 1) & (pl.col("place") == WARD))
        assert theirs["closing_offset"].to_list() == [3], f"beside {others} others"
