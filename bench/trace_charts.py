"""The pictures of `bench trace`: how a trace grows with the table, and the others beside it."""

from typing import Any, Final

from bench.charts import to_svg

Rows = list[dict[str, Any]]
_LOG: Final = {"type": "log"}


def points(rows: Rows) -> str:
    """Milliseconds over scans, both logarithmic; a line for each `what`."""
    scans = {"field": "scans", "type": "quantitative", "scale": _LOG, "title": "scans in the table"}
    took = {"field": "ms", "type": "quantitative", "scale": _LOG, "title": "a trace, ms"}
    return to_svg(
        {
            "data": {"values": rows},
            "mark": {"type": "line", "point": True},
            "encoding": {"x": scans, "y": took, "color": {"field": "what", "type": "nominal"}},
            "width": 420,
            "height": 260,
        }
    )


def bars(rows: Rows) -> str:
    """Milliseconds (logarithmic) by `what`, a row of points for each `size`."""
    took = {"field": "ms", "type": "quantitative", "scale": _LOG, "title": "one case, p50, ms"}
    what = {"field": "what", "type": "nominal", "sort": {"field": "ms"}, "title": None}
    return to_svg(
        {
            "data": {"values": rows},
            "mark": {"type": "point", "filled": True, "size": 120},
            "encoding": {"x": took, "y": what, "row": {"field": "size", "type": "nominal"}},
            "width": 420,
            "height": 110,
        }
    )
