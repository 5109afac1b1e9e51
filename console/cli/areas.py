"""The options that say of which area: at most one of a ward, a district and a city."""

from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import UserError

if TYPE_CHECKING:
    from console.coverage.funnel import Asked

Ward = Annotated[str | None, typer.Option(help="Mã xã, phường: 11413. / A ward.")]
District = Annotated[str | None, typer.Option(help="Mã quận, huyện: 306. / A district.")]
City = Annotated[str | None, typer.Option(help="Mã tỉnh, thành phố: 31. / A city.")]
Sector = Annotated[str | None, typer.Option(help="Ngành: health, transport… / A sector.")]
Kind = Annotated[str | None, typer.Option(help="Loại hình: market… / A kind.")]


def area_of(ward: str | None, district: str | None, city: str | None) -> str:
    """As `issuer.units` writes it; everywhere if none is given. Raises UserError."""
    from issuer.units import EVERYWHERE, check_area

    given = {"ward": ward, "district": district, "city": city}
    named = [f"{level}/{code}" for level, code in given.items() if code is not None]
    if len(named) > 1:
        raise UserError(
            "Nêu nhiều nhất một trong --ward, --district, --city. / "
            "Give at most one of --ward, --district and --city."
        )
    if not named:
        return EVERYWHERE
    try:
        return check_area(named[0])
    except ValueError as error:
        level, _, code = named[0].partition("/")
        raise UserError(f"--{level}: không có mã {code}. / --{level}: {error}.") from None


def asked_of(
    ward: str | None,
    district: str | None,
    city: str | None,
    sector: str | None = None,
    kind: str | None = None,
) -> "Asked":
    """Which part of the register. Raises UserError that names the option and what there is."""
    from console.coverage.funnel import Asked

    area = area_of(ward, district, city)
    check_asked(sector, kind)
    return Asked(area, sector, kind)


def check_asked(sector: str | None, kind: str | None) -> None:
    """Raises UserError for a sector or a kind of sites that there is not."""
    from console.editcheck import wrong_asked

    if wrong := wrong_asked(sector, kind):
        vi = " ".join(f"--{one.field}: {one.vi}" for one in wrong)
        en = " ".join(f"--{one.field}: {one.en}" for one in wrong)
        raise UserError(f"{vi} / {en}")
