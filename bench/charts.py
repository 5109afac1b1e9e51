"""Pictures of benchmarks: a Vega-Lite specification to an SVG file, without a browser."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

Spec = Mapping[str, Any]
_FONT: Final = "Helvetica, Arial, sans-serif"
_GREY: Final = "#5b6470"
_CONFIG: Final = {
    "background": "white",
    "font": _FONT,
    "padding": 12,
    "view": {"stroke": "#d9dde3"},
    "title": {"anchor": "start", "fontSize": 15, "subtitleColor": _GREY, "offset": 14},
    "axis": {
        "gridColor": "#eceff3",
        "labelFlush": False,
        "domainColor": "#b6bdc7",
        "tickColor": "#b6bdc7",
        "labelColor": _GREY,
        "titleColor": "#222",
        "titleFontWeight": "normal",
        "labelFontSize": 11,
        "titleFontSize": 12,
    },
    "header": {"labelFontSize": 12, "labelFontWeight": "bold", "title": None},
    "legend": {"labelFontSize": 11, "labelLimit": 420, "symbolStrokeWidth": 3, "title": None},
}


def write_svg(path: Path, spec: Spec) -> None:
    """Draw and write. Raises ModuleNotFoundError without the extra `bench`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_svg(spec), encoding="utf-8")


def to_svg(spec: Spec) -> str:
    """The picture as text, in the style of all of them."""
    import vl_convert

    whole = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "config": _CONFIG}
    return vl_convert.vegalite_to_svg({**whole, **spec}, vl_version="5.21")
