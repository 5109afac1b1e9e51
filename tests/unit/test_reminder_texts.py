"""Words of reminders: whole in both languages, polite, never of a case, and read in a minute."""

from datetime import UTC, date, datetime
from importlib.resources import files

import pytest

from console.reminders.plan import Draft, Frame, Lagging, drafts, letter, once_aloud
from console.reminders.texts import (
    URGING,
    Channel,
    Lang,
    Reason,
    TextError,
    parse_texts,
    parse_urging,
    texts,
    urging,
    where,
)
from tests.console_kit import WARD

DATA = files("console.reminders") / "data"
REMINDERS = (DATA / "reminders.toml").read_text("utf-8")
URGE = (DATA / "urging.toml").read_text("utf-8")
LANGS: tuple[Lang, ...] = ("vi", "en")
AT = datetime(2026, 11, 26, 1, 5, tzinfo=UTC)


def frame(reason: Reason, text: str, lang: Lang = "vi") -> Frame:
    channel = texts().frames[text]["vi"].channel
    return Frame(reason, channel, text, lang, date(2026, 11, 29), AT, 7)


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("text", list(texts().frames))
@pytest.mark.parametrize("lang", LANGS)
def test_every_text_of_every_reason_is_whole(reason: Reason, text: str, lang: Lang) -> None:
    title, body = letter(frame(reason, text, lang), WARD, "Quán Phở Thìn", ["Cổng chính", "Bếp"])
    assert (title is not None) == (text in ("email", "webhook"))
    assert "{" not in body + (title or "")
    assert "29/11/2026" in body
    assert "Đằng Lâm" in body
    assert len(body) < 1000
    aloud = texts().frames[text]["vi"].channel is Channel.LOUDSPEAKER
    assert ("Quán Phở Thìn" in body) is not aloud, "a loudspeaker names nobody"
    assert ("Cổng chính, Bếp" in body) is not aloud


def test_every_channel_has_a_text() -> None:
    assert all(texts().of(channel) for channel in Channel)


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ("chưa dán áp phích", "có ca bệnh, chưa dán áp phích", "'ca bệnh'"),
        ("chưa dán áp phích", "sẽ bị xử phạt vì chưa dán", "'xử phạt'"),
        ("has not yet put up", "may be infected and has not put up", "'infected'"),
        ("{authority} kính gửi {site}", "{authority} kính gửi {phone}", "phone"),
        ("trên địa bàn {ward}.", "trên địa bàn {ward}: {site}.", "texts.loudspeaker.vi.body"),
        ("[reasons.duty.en]", "[reasons.duty.fr]", "reasons.duty"),
        ("[texts.zalo-short.en]\nchannel = \"zalo\"", "[texts.zalo-short.en]\nchannel = \"email\"", "zalo-short"),
        ("kính gửi {site}", "kính gửi {site", "texts.zalo.vi.body"),
    ],
)  # fmt: skip
def test_wrong_texts_are_named(was: str, becomes: str, says: str) -> None:
    assert was in REMINDERS
    with pytest.raises(TextError) as caught:
        parse_texts(REMINDERS.replace(was, becomes, 1), "reminders.toml")
    assert says in str(caught.value)


def test_a_text_that_is_too_long_to_read_aloud_is_refused() -> None:
    longer = URGE.replace("Xin cảm ơn bà con.", "Xin cảm ơn bà con. " * 40)
    with pytest.raises(TextError, match="30 to 60 s"):
        parse_urging(longer, "urging.toml")


@pytest.mark.parametrize("channel", URGING)
@pytest.mark.parametrize("lang", LANGS)
def test_a_ward_has_words_that_urge(channel: str, lang: Lang) -> None:
    words = urging(channel, WARD, lang)
    assert "Đằng Lâm" in words
    assert "{" not in words


def test_many_places_are_named_in_part() -> None:
    names = [f"Cổng {n}" for n in range(1, 8)]
    assert where(names, "vi") == ": Cổng 1, Cổng 2, Cổng 3, Cổng 4, Cổng 5 và 2 điểm khác"
    assert where([], "vi") == ""


def test_a_site_gets_one_message_and_a_loudspeaker_speaks_to_a_ward() -> None:
    lagging = [Lagging(f"place/{n}", f"site/{n // 2}", WARD) for n in range(4)]
    assert drafts(lagging, Channel.ZALO) == [
        Draft("site/0", WARD, ("place/0", "place/1")),
        Draft("site/1", WARD, ("place/2", "place/3")),
    ]
    [aloud] = drafts(lagging, Channel.LOUDSPEAKER)
    assert (aloud.to, len(aloud.items)) == (f"ward/{WARD}", 4)


def test_a_week_is_the_calendars() -> None:
    sunday, monday = date(2026, 11, 29), date(2026, 11, 30)
    assert once_aloud(Reason.POSTED, "ward/1", sunday) == "posted/ward/1/2026-W48"
    assert once_aloud(Reason.POSTED, "ward/1", monday) == "posted/ward/1/2026-W49"
