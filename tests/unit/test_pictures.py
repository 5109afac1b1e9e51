"""Photos lose what the camera wrote into their files, and nothing of the picture."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageOps

from console.inspections.pictures import Damaged, bare
from tests.inspections_kit import picture

MAKE, ORIENTATION, GPS, LATITUDE = 0x010F, 0x0112, 0x8825, 2
OWNER = "Nguyen Van An"
SIDEWAYS = 6  # the camera was turned: the picture is upright when turned by a quarter


def exif(way_up: int = 1) -> Any:
    told = Image.Exif()
    told[MAKE], told[0xA430] = "Phone 12", OWNER
    if way_up != 1:
        told[ORIENTATION] = way_up
    told.get_ifd(GPS)[LATITUDE] = (20.0, 49.0, 33.0)
    return told


def opened(data: bytes) -> Image.Image:
    shown = Image.open(BytesIO(data))
    shown.load()
    return shown


@pytest.mark.parametrize(
    ("form", "more"),
    [
        ("JPEG", {"comment": b"at home", "quality": 90}),
        ("JPEG", {"progressive": True, "icc_profile": b"colours" * 20}),
        ("PNG", {}),
        ("WEBP", {"lossless": True, "xmp": b"<x:xmpmeta>at home</x:xmpmeta>"}),
    ],
)
@pytest.mark.parametrize("way_up", [1, SIDEWAYS])
def test_position_device_and_owner_are_gone_and_the_picture_is_the_same(
    form: str, more: dict[str, Any], way_up: int
) -> None:
    # what phones append after the picture is no part of it: a film, a second picture
    sent = picture(form, (24, 16), exif=exif(way_up), **more)
    appended = sent + b"ftypmp42 20.82,106.69"
    assert opened(sent).getexif().get_ifd(GPS)
    kept = bare(appended)
    for told in (b"Phone 12", OWNER.encode(), b"at home", b"106.69", b"xmpmeta"):
        assert told not in kept
    before, after = opened(sent), opened(kept)
    assert not after.getexif().get_ifd(GPS)
    assert set(after.getexif()) <= {ORIENTATION}
    assert after.tobytes() == before.tobytes(), "not one pixel is another"
    assert after.info.get("icc_profile") == before.info.get("icc_profile")
    upright = ImageOps.exif_transpose(after)
    assert upright.size == ((16, 24) if way_up == SIDEWAYS else (24, 16))
    assert bare(kept) == kept


def test_a_file_that_ends_too_early_is_damaged() -> None:
    for form in ("JPEG", "PNG", "WEBP"):
        whole = picture(form)
        for end in range(len(whole) - 1):
            with pytest.raises(Damaged):
                bare(whole[:end])
    with pytest.raises(Damaged):
        bare(b"\xff\xd8\xff" + b"j" * 50)


def test_what_says_which_side_is_up_wrongly_is_taken_as_upright() -> None:
    for told in (b"", b"II*\x00", b"MM\x00*\x00\x00\x00\x08\xff\xff", b"??" * 9):
        kept = bare(picture("JPEG", exif=b"Exif\x00\x00" + told))
        assert b"Exif" not in kept
