"""What a line of a funnel is called on screen."""

from datetime import date

from console.coverage.funnel import By
from issuer.kinds import kinds, sectors
from issuer.units import ward


def name_of(by: By, key: str, *, english: bool = False) -> str:
    """The name of a ward, kind, sector or day; the key itself where it has none."""
    match by:
        case By.WARD:
            try:
                return ward(key).name
            except ValueError:
                return key
        case By.DAY:
            return f"{date.fromisoformat(key):%d/%m/%Y}"
        case By.KIND:
            about = kinds().get(key)
            names = about.name if about else None
        case By.SECTOR:
            names = sectors().get(key)
    if names is None:
        return key
    return names.en if english else names.vi
