"""What the user says beside a list, checked. What is wrong is named as on the command line."""

from collections.abc import Sequence

from console.sitelist.headings import Field
from console.sitelist.understand import Options, known_kind
from issuer.units import check_area, wards_in
from schemas.errors import UserError


def options_of(area: str, ward: str | None, kind: str | None, columns: Sequence[str]) -> Options:
    """`columns`: each `FIELD=Heading`. Raises UserError that names what is wrong."""
    try:
        check_area(area)
    except ValueError as error:
        raise UserError(
            f"--area: không có địa bàn {area!r}; viết city/31, district/306 hoặc ward/11413. / "
            f"--area: {error}"
        ) from None
    wards = wards_in(area)
    if ward is not None and ward not in {unit.code for unit in wards}:
        raise UserError(
            f"--ward: không có mã {ward!r} trong địa bàn. / --ward: there is no code {ward!r} in "
            f"the area {area}."
        )
    if kind is not None and not known_kind(kind):
        raise UserError(
            f"--kind: không có loại cơ sở {kind!r}. / --kind: there is no kind of sites {kind!r}: "
            "see issuer/data/kinds.toml."
        )
    given: dict[Field, str] = {}
    for text in columns:
        name, equals, heading = text.partition("=")
        if not equals or name not in list(Field) or not heading.strip():
            raise UserError(
                f"--column {text!r}: viết name='Tiêu đề'. / --column {text!r}: write "
                f"FIELD='Heading', a field is one of {', '.join(Field)}."
            )
        given[Field(name)] = heading
    return Options(wards, kind, ward, given)
