"""Issue, rotate, revoke, close: what becomes of a place, and when it is left alone."""

from datetime import UTC, datetime, timedelta

import pytest

from issuer.codes import KeyRing, code_at, first_code, issue, verify
from issuer.rotation import (
    CLOSED_REASON,
    FURTHEST,
    RECENT,
    WHY_LEFT,
    Left,
    closed,
    issued,
    revoked,
    rotated,
    too_far,
    usable,
)
from schemas.places import Code, Place, Status

RING = KeyRing.parse("1:" + "11" * 16)
NOW = datetime(2021, 12, 1, 8, tzinfo=UTC)
DAY = timedelta(days=1)
BARE = Place(id=5, site=9, name="Cổng", kind="gate", ward="11413", sector="health")
ONE = first_code(BARE, RING)


def placed(found: Place | Left) -> Place:
    assert isinstance(found, Place), found
    return found


def test_a_place_without_a_code_gets_one_and_no_second() -> None:
    after = placed(issued(BARE, RING, NOW))
    assert [(c.version, c.valid_from) for c in after.codes] == [(1, NOW)]
    assert verify(RING, after.codes[0].token)
    assert after.version == BARE.version + 1
    assert issued(after, RING, NOW + DAY) is Left.HAS_CODE


def test_a_place_whose_codes_are_all_gone_gets_the_next_version() -> None:
    gone = placed(revoked(ONE, None, NOW, "lost"))
    again = placed(issued(gone, RING, NOW + DAY))
    assert [c.version for c in again.codes] == [1, 2]
    assert code_at(again, NOW + DAY) == again.codes[1]


def test_two_versions_are_good_while_posters_are_changed() -> None:
    after = placed(rotated(ONE, RING, NOW, 14 * DAY, now=NOW))
    assert [usable(c, NOW) for c in after.codes] == [True, True]
    assert [usable(c, NOW + 14 * DAY) for c in after.codes] == [False, True]


def test_a_rotation_begun_again_changes_nothing() -> None:
    after = placed(rotated(ONE, RING, NOW, 14 * DAY, now=NOW))
    later = NOW + timedelta(minutes=5)
    assert rotated(after, RING, later, 14 * DAY, now=later) is Left.CHANGING
    assert rotated(after, RING, NOW, 14 * DAY, now=later) is Left.SINCE
    # without an overlap the same --from is what tells
    at_once = placed(rotated(ONE, RING, NOW, timedelta(0), now=NOW))
    assert rotated(at_once, RING, NOW, timedelta(0), now=later) is Left.SINCE
    planned = placed(rotated(ONE, RING, NOW + DAY, DAY, now=NOW))
    assert rotated(planned, RING, NOW + DAY, DAY, now=later) is Left.SINCE


def test_a_third_version_is_made_if_it_is_wanted_and_after_the_overlap() -> None:
    after = placed(rotated(ONE, RING, NOW, 14 * DAY, now=NOW))
    wanted = placed(rotated(after, RING, NOW + DAY, DAY, now=NOW + DAY, again=True))
    assert [c.version for c in wanted.codes] == [1, 2, 3]
    over = NOW + 14 * DAY
    assert len(placed(rotated(after, RING, over, DAY, now=over)).codes) == 3


def test_a_revoked_newest_version_does_not_hold_a_rotation_up() -> None:
    two = placed(rotated(ONE, RING, NOW, 14 * DAY, now=NOW))
    back = placed(revoked(two, 2, NOW + DAY, "photographed"))
    assert [usable(c, NOW + DAY) for c in back.codes] == [True, False]
    assert placed(rotated(back, RING, NOW + DAY, DAY, now=NOW + DAY)).codes[-1].version == 3


def test_revoking_takes_one_version_or_all_and_can_make_the_next() -> None:
    two = placed(rotated(ONE, RING, NOW, 14 * DAY, now=NOW))
    assert code_at(placed(revoked(two, None, NOW, "lost")), NOW) is None
    only = placed(revoked(two, 1, NOW, "lost", ring=RING))
    assert code_at(only, NOW) == two.codes[1]  # another is good: none is made
    after = placed(revoked(two, None, NOW, "lost", ring=RING))
    assert after.version == two.version + 1
    assert [c.version for c in after.codes] == [1, 2, 3]
    assert code_at(after, NOW) == after.codes[2]
    # asked again with the version, as a retry does, nothing changes
    assert revoked(after, 2, NOW + DAY, "lost", ring=RING) is Left.NONE_IN_FORCE
    with pytest.raises(ValueError, match="reason"):
        revoked(two, 1, NOW, "  ")


def test_from_before_takes_back_what_was_scanned_since() -> None:
    monday = NOW - 2 * DAY
    after = placed(revoked(ONE, None, NOW, "posted online", ring=RING, since=monday))
    old, new = after.codes
    assert (old.revoked_at, old.taken_back_at, new.valid_from) == (monday, NOW, NOW)
    soon = NOW + timedelta(minutes=1)
    again = revoked(after, None, soon, "posted online", ring=RING, since=monday)
    assert again is Left.SINCE, "given twice"
    assert placed(revoked(ONE, 1, NOW, "lost", since=NOW)).codes[0].taken_back_at is None
    # known to be copied since earlier than it was first revoked for, and never later
    lost = placed(revoked(ONE, 1, NOW, "lost"))
    [code] = placed(revoked(lost, 1, soon, "posted online", since=monday)).codes
    assert (code.revoked_at, code.taken_back_at) == (monday, soon)
    assert revoked(placed(revoked(ONE, 1, NOW, "lost", since=monday)), 1, soon, "x") is (
        Left.NONE_IN_FORCE
    )
    two = placed(rotated(ONE, RING, NOW, timedelta(0), now=NOW))
    all_since = placed(revoked(two, None, soon, "posted online", since=monday))
    assert [c.taken_back_at for c in all_since.codes] == [soon, None], "what hung up later is good"
    forgot = placed(revoked(ONE, None, NOW, "posted online", ring=RING))
    mended = placed(revoked(forgot, None, soon, "posted online", ring=RING, since=monday))
    assert [(c.revoked_at, c.taken_back_at) for c in mended.codes] == [(monday, soon), (None, None)]
    late = NOW + DAY
    assert revoked(mended, None, late, "posted online", ring=RING, since=monday) is (
        Left.NONE_IN_FORCE
    )


@pytest.mark.parametrize("ring", [RING, None])
def test_a_code_that_began_after_the_moment_is_named_or_stays(ring: KeyRing | None) -> None:
    """Its poster may be what was copied, or what replaced it: an officer says which."""
    [old] = ONE.codes
    begun = ONE.model_copy(update={"codes": (old.model_copy(update={"valid_from": NOW - DAY}),)})
    before = NOW - 2 * DAY
    assert revoked(begun, None, NOW, "posted online", ring=ring, since=before) is Left.NONE_THEN
    named = placed(revoked(begun, 1, NOW, "posted online", ring=ring, since=before))
    assert (named.codes[0].revoked_at, named.codes[0].taken_back_at) == (before, NOW)


def test_a_code_is_not_revoked_since_a_moment_that_is_no_slip() -> None:
    assert too_far(NOW, NOW) is None
    assert too_far(NOW - FURTHEST, NOW) is None
    assert too_far(NOW + DAY, NOW) == ("thời điểm ở tương lai", "it is in the future")
    assert too_far(NOW - FURTHEST - DAY, NOW) == (
        "hơn 90 ngày trước",
        "it is more than 90 days ago",
    )


def test_a_closed_place_keeps_its_codes_revoked_and_gets_no_new_one() -> None:
    after = closed(ONE, NOW)
    assert (after.status, after.version) == (Status.CLOSED, ONE.version + 1)
    assert (after.codes[0].revoked_at, after.codes[0].revoked_reason) == (NOW, CLOSED_REASON)
    assert closed(after, NOW + DAY) is after
    assert issued(after, RING, NOW) is Left.CLOSED
    assert rotated(after, RING, NOW, DAY, now=NOW) is Left.CLOSED
    assert revoked(after, None, NOW, "lost", ring=RING) is Left.NONE_IN_FORCE


def test_the_last_version_is_not_a_fault() -> None:
    last = Code(version=1023, token=issue(RING, 5, 1023))
    full = BARE.model_copy(update={"codes": (last,)})
    assert rotated(full, RING, NOW, DAY, now=NOW) is Left.USED_UP
    after = placed(revoked(full, None, NOW, "lost", ring=RING))
    assert code_at(after, NOW) is None


def test_every_reason_has_its_words() -> None:
    assert set(WHY_LEFT) == set(Left)


def test_a_command_given_twice_is_done_once() -> None:
    once = placed(rotated(ONE, RING, NOW, 0 * DAY, now=NOW))
    soon, later = NOW + RECENT / 2, NOW + RECENT
    assert rotated(once, RING, soon, 0 * DAY, now=soon) is Left.SINCE
    assert len(placed(rotated(once, RING, soon, 0 * DAY, now=soon, again=True)).codes) == 3
    assert len(placed(rotated(once, RING, later, 0 * DAY, now=later)).codes) == 3
    first = rotated(ONE, RING, soon, 0 * DAY, now=soon)
    assert isinstance(first, Place), "a first code may be rotated at once"

    replaced = placed(revoked(ONE, None, NOW, "photographed", ring=RING))
    assert revoked(replaced, None, soon, "photographed", ring=RING) is Left.SINCE
    for again in (
        revoked(replaced, None, later, "photographed", ring=RING),
        revoked(replaced, None, soon, "the new one, too", ring=RING),
        revoked(replaced, 2, soon, "photographed", ring=RING),
        revoked(replaced, None, soon, "photographed"),
    ):
        assert placed(again).codes[1].revoked_at is not None
    two = placed(rotated(ONE, RING, NOW, 14 * DAY, now=NOW))
    both = placed(revoked(two, None, soon, "photographed", ring=RING))
    assert [code.revoked_at for code in both.codes] == [soon, soon, None]
