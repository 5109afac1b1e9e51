"""Posters to print in a benchmark: the planned city's places, each with a signed code."""

from collections.abc import Iterator
from itertools import count, islice
from typing import Any, Final

from issuer.codes import code_url, issue
from issuer.keyring import KeyRing
from issuer.poster import Sheet, described
from issuer.units import HAI_PHONG, wards_of
from schemas.places import Code, Place, Site
from sim.city import plan_city

ORIGIN: Final = "HTTPS://TRUYVET.VN/C/"
RETENTION_DAYS: Final = 21
_RING: Final = KeyRing.parse("1:" + "5a" * 32)
_PEOPLE: Final = 20_000


def sheets(pages: int, seed: int) -> Iterator[Sheet]:
    """So many sheets, one after the other: when the city is through it begins again, with new ids.

    Every place has an id and so a symbol of its own.
    """
    return islice(_endless(seed), pages)


def _endless(seed: int) -> Iterator[Sheet]:
    plan = plan_city(wards_of(HAI_PHONG), seed, _PEOPLE)
    place_ids = count(1)
    for site_id in count(1):
        spec = plan.sites[(site_id - 1) % len(plan.sites)]
        site = Site(
            id=site_id,
            name=spec.name,
            kind=spec.kind,
            ward=spec.ward,
            sector=spec.sector,
            address=spec.address,
        )
        for one in spec.places:
            place_id = next(place_ids)
            version = place_id % 3 + 1
            code = Code(version=version, token=issue(_RING, place_id, version))
            place = Place(
                id=place_id,
                site=site_id,
                name=one.name,
                kind=one.kind,
                ward=spec.ward,
                sector=spec.sector,
            )
            yield Sheet(place, site, code)


def said(sheet: Sheet) -> dict[str, Any]:
    """The words of a page for the loop that has no template: those of `templates/common.typ`."""
    words, token, days = described(sheet), sheet.code.token, RETENTION_DAYS
    address = f", {sheet.site.address}" if sheet.site.address else ""
    return {
        "url": code_url(ORIGIN, token),
        "call_vi": "QUÉT MÃ KHI VÀO VÀ KHI RA",
        "call_en": "Scan when you enter and when you leave",
        "kind": f"Điểm quét · Place: {words['kind_vi']} · {words['kind_en']}",
        "place": sheet.place.name,
        "site_label": "Cơ quan, đơn vị · Site",
        "site": sheet.site.name + address,
        "steps": [
            ["Mở máy ảnh điện thoại,", "hướng vào mã này", "Point your phone camera here"],
            ["Bấm vào liên kết hiện ra,", "chọn VÀO", "Tap the link, choose IN"],
            ["Khi rời đi, quét lại", "và chọn RA", "Leaving: scan again, choose OUT"],
        ],
        "help_vi": "Không có điện thoại? Nhờ người trực ghi giúp, hoặc đưa thẻ của bạn.",
        "help_en": "No phone? Ask the staff, or show your card.",
        "kept_vi": "Chỉ để truy vết dịch. Lượt quét không ghi tên. "
        f"Sau {days} ngày không tra cứu được nữa, trừ hồ sơ ca bệnh.",
        "kept_en": "Used for tracing only. A scan holds no name. "
        f"Not searchable after {days} days, except in the file of a case.",
        "version_vi": f"Phiên bản {words['version']}: {words['version_vi']}",
        "version_en": f"Version {words['version']}: {words['version_en']}",
        "host": ORIGIN.lower(),
        "token": " ".join(token[i : i + 3] for i in range(0, len(token), 3)),
    }
