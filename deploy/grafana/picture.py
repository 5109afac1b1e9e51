"""A picture of a dashboard's data without Grafana: each panel's queries, asked of a Prometheus.

It shows what the panels would show, not how Grafana draws it.
"""

import math
import time
from collections.abc import Callable, Iterator
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Final

from deploy.grafana.panels import WIDTH, Ask, Board, Panel

# `query_range` or `query` with its parameters: the `data` of Prometheus' answer.
Get = Callable[..., Any]
Point = dict[str, Any]

_PIXELS: Final = 1240
_HEIGHT: Final = 150
_STEP_S: Final = 2
_UNKNOWN: Final = "không biết / not known"
_APART: Final = {"scale": {"color": "independent"}, "legend": {"color": "independent"}}
_CONFIG: Final = {
    "background": "white",
    "font": "Helvetica, Arial, sans-serif",
    "view": {"stroke": "#d9dde3"},
    "title": {
        "anchor": "start",
        "fontSize": 13,
        "subtitleColor": "#5b6470",
        "subtitleFontSize": 11,
    },
    "axis": {"labelColor": "#5b6470", "gridColor": "#eceff3", "title": None, "labelFontSize": 10},
    "legend": {"title": None, "orient": "bottom", "labelFontSize": 10, "columns": 4},
}


def draw(board: Board, get: Get, path: Path, minutes: float) -> None:
    """Ask for the last minutes and write an SVG. Raises ModuleNotFoundError without the extra
    `bench`."""
    import vl_convert

    end = time.time()
    spec = picture(board, get, end - 60 * minutes, end)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(vl_convert.vegalite_to_svg(spec, vl_version="5.21"), "utf-8")


def picture(board: Board, get: Get, begin: float, end: float) -> dict[str, Any]:
    """The Vega-Lite specification."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "config": _CONFIG,
        "padding": 14,
        "title": {"text": board.title, "fontSize": 18, "offset": 16},
        "resolve": _APART,
        "vconcat": [
            {"hconcat": [_panel(p, get, begin, end) for p in row], "resolve": _APART}
            for row in _rows(board.panels)
        ],
    }


def _rows(panels: tuple[Panel, ...]) -> Iterator[list[Panel]]:
    """As Grafana's grid breaks them."""
    row, taken, numbered = 0, 0, []
    for panel in panels:
        if taken + panel.width > WIDTH:
            row, taken = row + 1, 0
        taken += panel.width
        numbered.append((row, panel))
    for _, members in groupby(numbered, key=lambda pair: pair[0]):
        yield [panel for _, panel in members]


def _panel(panel: Panel, get: Get, begin: float, end: float) -> dict[str, Any]:
    width = int(_PIXELS * panel.width / WIDTH) - 90
    base = {
        "width": width,
        "height": _HEIGHT,
        "title": {
            "text": [panel.vi, panel.en],
            "subtitle": f"Good: {panel.good_en}",
            "limit": width + 60,
        },
    }
    points = [point for ask in panel.asks for point in _points(panel, ask, get, begin, end)]
    if panel.kind == "stat" or not points:
        return base | _words(panel, points)
    if panel.kind == "timeseries":
        return base | _lines(panel, points, [1000 * begin, 1000 * end])
    return base | _bars(panel, points)


def _points(panel: Panel, ask: Ask, get: Get, begin: float, end: float) -> Iterator[Point]:
    query = ask.expr.replace("$instance", ".*")
    if panel.kind == "timeseries":
        times = {"start": str(begin), "end": str(end), "step": str(_STEP_S)}
        found = get("query_range", query=query, **times)["result"]
    else:
        found = [r | {"values": [r["value"]]} for r in get("query", query=query)["result"]]
    for series in found:
        name = _named(ask.legend, series["metric"]) or panel.en
        known = [(float(at), float(v)) for at, v in series["values"] if math.isfinite(float(v))]
        for (before, _), (at, value) in pairwise([(math.inf, 0.0), *known]):
            if at - before > 2 * _STEP_S:  # nothing was known: the line must not go on
                yield {"at": 1000 * (before + _STEP_S), "series": name, "value": None}
            yield {"at": 1000 * at, "series": name, "value": value}


def _named(legend: str, labels: dict[str, str]) -> str:
    for name, value in labels.items():
        legend = legend.replace("{{" + name + "}}", value)
    return legend


def _lines(panel: Panel, points: list[Point], span: list[float]) -> dict[str, Any]:
    line = {
        "data": {"values": points},
        "mark": {"type": "line", "strokeWidth": 1.5, "clip": True},
        "encoding": {
            "x": {
                "field": "at",
                "type": "temporal",
                "scale": {"domain": span},
                "axis": {"format": "%H:%M:%S", "tickCount": 6},
            },
            "y": {"field": "value", "type": "quantitative", "axis": _axis(panel)},
            "color": {"field": "series", "type": "nominal"},
        },
    }
    limit = panel.bad_above if panel.bad_above is not None else panel.bad_below
    highest = max(point["value"] or 0.0 for point in points)
    if limit is None or limit > 4 * highest:
        return line
    rule = {
        "data": {"values": [{"limit": limit}]},
        "mark": {"type": "rule", "color": "#c62828", "strokeDash": [4, 3]},
        "encoding": {"y": {"field": "limit", "type": "quantitative", "axis": _axis(panel)}},
    }
    return {"layer": [line, rule]}


def _bars(panel: Panel, points: list[Point]) -> dict[str, Any]:
    return {
        "data": {"values": points},
        "mark": {"type": "bar", "color": "#3b6fb6"},
        "encoding": {
            "y": {"field": "series", "type": "nominal", "sort": "-x", "axis": {"labelLimit": 160}},
            "x": {"field": "value", "type": "quantitative", "axis": _axis(panel)},
        },
    }


def _words(panel: Panel, points: list[Point]) -> dict[str, Any]:
    value = points[-1]["value"] if points else None
    bad = (
        value is not None
        and ((panel.bad_above is not None and value >= panel.bad_above)
             or (panel.bad_below is not None and value < panel.bad_below))
    )  # fmt: skip
    unit = {"s": " s", "percentunit": " %"}.get(panel.unit, "")
    shown = "–" if value is None else f"{100 * value if '%' in unit else value:,.4g}{unit}"
    return {
        "data": {"values": [{"text": shown if points else _UNKNOWN}]},
        "mark": {
            "type": "text",
            "fontSize": 34 if points else 14,
            "color": "#c62828" if bad else "#2e7d32" if points else "#5b6470",
        },
        "encoding": {"text": {"field": "text", "type": "nominal"}},
    }


def _axis(panel: Panel) -> dict[str, Any]:
    return {"format": ".3~p"} if panel.unit == "percentunit" else {"format": "~s"}
