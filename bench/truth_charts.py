"""The pictures of `truyvet bench truth`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench.charts import Spec, write_svg
from bench.truth import GRID, Result, ranges
from bench.truth_cases import METHODS, OURS
from bench.truth_city import percent
from bench.truth_confidence import Group
from bench.truth_rules import BASELINES
from tracer.parameters import Parameters

F_FILE: Final = "truth-f-measure.svg"
RELIABILITY_FILE: Final = "truth-confidence.svg"
_COLOURS: Final = (
    "#c1121f", "#1f5fa8", "#4aa3df", "#1b998b", "#8d6e63", "#c9a227", "#6a4c93", "#b8a9d9",
)  # fmt: skip
_SHADES: Final = {"high": "#dcefe3", "medium": "#fff3d1", "low": "#f9dfdc"}
_ZOOM: Final = 0.7


def write_charts(directory: Path, result: Result) -> None:
    """Both pictures."""
    write_svg(directory / F_FILE, f_chart(result))
    write_svg(directory / RELIABILITY_FILE, reliability_chart(result))


def f_chart(result: Result) -> Spec:
    """F-measure over how many scan out, a panel for each share that scans in."""
    labels = [_label(method) for method in METHODS]
    rows = [
        {
            "panel": f"{percent(setting.scan_in)} scan in",
            "out": percent(setting.scan_out),
            "method": _label(method),
            "f": round(score.f, 4),
            "low": round(score.low, 4),
            "high": round(score.high, 4),
        }
        for setting in GRID
        for method, score in result.cell(setting).table.items()
    ]
    colour = {
        "field": "method",
        "type": "nominal",
        "sort": labels,
        "scale": {"domain": labels, "range": list(_COLOURS)},
        "legend": {
            "orient": "bottom",
            "columns": 2,
            "rowPadding": 4,
            "columnPadding": 24,
            "symbolOpacity": 1,
            "symbolType": "stroke",
            "symbolSize": 260,
        },
    }
    outs = list(dict.fromkeys(row["out"] for row in rows))
    x = {
        "field": "out",
        "type": "ordinal",
        "sort": outs,
        "axis": {"title": "of them, also scan out", "labelAngle": 0},
    }
    y = {
        "field": "f",
        "type": "quantitative",
        "scale": {"domain": [0.3, 1], "zero": False, "clamp": True},
        "axis": {"title": "F-measure of contacts"},
    }
    ours = {"condition": {"test": f"datum.method === '{_label(OURS)}'", "value": 3.5}, "value": 1.5}
    base = {"x": x, "color": colour}
    panels = list(dict.fromkeys(row["panel"] for row in rows))
    return {
        "title": {
            "text": "Who is found, and who is named for nothing",
            "subtitle": (
                "F-measure of proposed contacts against who was really there; "
                "bars are 95 % by bootstrap over cases"
            ),
        },
        "data": {"values": rows},
        "facet": {"column": {"field": "panel", "type": "ordinal", "sort": panels}},
        "spec": {
            "width": 190,
            "height": 260,
            "layer": [
                {
                    "mark": {"type": "rule", "opacity": 0.35},
                    "encoding": {**base, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
                },
                {
                    "mark": {"type": "line"},
                    "encoding": {**base, "y": y, "strokeWidth": ours},
                },
                {
                    "mark": {"type": "circle", "opacity": 1, "size": 36},
                    "encoding": {**base, "y": y},
                },
            ],
        },
    }


def reliability_chart(result: Result) -> Spec:
    """What was said against what was so: before fitting, now, and now from `_ZOOM` up."""
    before, now = result.before, result.parameters
    old, new = result.reliability(before), result.reliability(now)
    panels = [
        _panel(f"{before.id}: assumed", old, before, 0.0),
        _panel(f"{now.id}: fitted", new, now, 0.0),
        _panel(f"fitted, from {_ZOOM:g} up", new, now, _ZOOM),
    ]
    return {
        "title": {
            "text": "Is confidence a probability?",
            "subtitle": [
                "Share of proposed exposures that were real, by the confidence they were given; "
                "on the line it is one.",
                "Cities and settings that nothing was fitted on. Bars: 95 % by bootstrap over "
                "cases. Shaded: the bands low, medium, high.",
            ],
        },
        "hconcat": panels,
    }


def _panel(
    title: str, groups: Sequence[Group], parameters: Parameters, lowest: float
) -> dict[str, Any]:
    rows = [group.record() for group in groups if group.confidence >= lowest]
    points = [
        {**row, "low": max(row["real_95"][0], lowest), "high": row["real_95"][1]} for row in rows
    ]
    scale = {"domain": [lowest, 1], "zero": False, "nice": False, "clamp": True}
    x = {
        "field": "confidence",
        "type": "quantitative",
        "scale": scale,
        "axis": {"title": "confidence given", "tickCount": 5},
    }
    y = {
        "field": "real",
        "type": "quantitative",
        "scale": scale,
        "axis": {"title": "share that was real", "tickCount": 5},
    }
    shades = [
        {"from": max(begin, lowest), "to": end, "band": name}
        for name, (begin, end) in ranges(parameters).items()
        if end > lowest
    ]
    colours = {"domain": list(_SHADES), "range": list(_SHADES.values())}
    size = {
        "field": "exposures",
        "type": "quantitative",
        "scale": {"range": [30, 420], "domain": [0, max(row["exposures"] for row in rows)]},
        "legend": None,
    }
    return {
        "title": {"text": title, "fontSize": 12, "offset": 8},
        "width": 220,
        "height": 220,
        "layer": [
            {
                "data": {"values": shades},
                "mark": {"type": "rect", "opacity": 0.8},
                "encoding": {
                    "x": {**x, "field": "from"},
                    "x2": {"field": "to"},
                    "color": {"field": "band", "type": "nominal", "scale": colours, "legend": None},
                },
            },
            {
                "data": {"values": [{"a": lowest, "b": lowest}, {"a": 1, "b": 1}]},
                "mark": {"type": "line", "color": "#8a929c", "strokeDash": [4, 3]},
                "encoding": {"x": {**x, "field": "a"}, "y": {**y, "field": "b"}},
            },
            {
                "data": {"values": points},
                "mark": {"type": "rule", "color": "#1f5fa8", "strokeWidth": 1.5},
                "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
            },
            {
                "data": {"values": points},
                "mark": {"type": "circle", "color": "#1f5fa8", "opacity": 0.85},
                "encoding": {"x": x, "y": y, "size": size},
            },
        ],
    }


def _label(method: str) -> str:
    return OURS if method == OURS else BASELINES[method][1]
