"""Pictures of measurements as SVG text, made on this machine without a browser."""

from typing import Any

import altair as alt
import vl_convert as vlc


def points(rows: list[dict[str, Any]]) -> str:
    """Milliseconds over scans, both logarithmic; a line for each `what`."""
    chart = (
        alt.Chart(_data(rows))
        .mark_line(point=True)
        .encode(
            x=alt.X("scans:Q", scale=alt.Scale(type="log"), title="scans in the table"),
            y=alt.Y("ms:Q", scale=alt.Scale(type="log"), title="a trace, ms"),
            color=alt.Color("what:N", title=None),
        )
        .properties(width=420, height=260)
    )
    return _svg(chart)


def bars(rows: list[dict[str, Any]]) -> str:
    """Milliseconds (logarithmic) by `what`, a row of bars for each `size`."""
    chart = (
        alt.Chart(_data(rows))
        .mark_point(filled=True, size=120)
        .encode(
            x=alt.X("ms:Q", scale=alt.Scale(type="log"), title="one case, p50, ms"),
            y=alt.Y("what:N", sort=alt.EncodingSortField("ms"), title=None),
            row=alt.Row("size:N", title=None),
        )
        .properties(width=420, height=110)
    )
    return _svg(chart)


def _data(rows: list[dict[str, Any]]) -> Any:
    return alt.InlineData(values=rows)


def _svg(chart: Any) -> str:
    found: str = vlc.vegalite_to_svg(chart.to_dict())
    return found
