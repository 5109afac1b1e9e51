"""A dashboard in the few words that differ between panels; the rest is the same everywhere."""

from dataclasses import dataclass
from typing import Any, Final, Literal

Kind = Literal["timeseries", "stat", "bargauge", "table"]
Unit = Literal["s", "bytes", "short", "percentunit", "reqps", "dateTimeFromNow", "none"]

WIDTH: Final = 24  # Grafana's grid
SCHEMA: Final = 39  # of Grafana 10.4; later ones read it
HEIGHT: Final = 8
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Ask:
    """One query, and what its lines are called (`{{label}}` is the label's value)."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """`good` says what good looks like, so that who has never seen it can tell.

    `bad_above`, `bad_below`: where it turns red.
    """

    vi: str
    en: str
    good_vi: str
    good_en: str
    asks: tuple[Ask, ...]
    unit: Unit = "short"
    kind: Kind = "timeseries"
    width: int = 12
    bad_above: float | None = None
    bad_below: float | None = None
    most: float | None = None

    @property
    def title(self) -> str:
        """Both languages."""
        return f"{self.vi} / {self.en}"


@dataclass(frozen=True)
class Board:
    """A dashboard: the question it answers, and its panels from left to right, top to bottom."""

    uid: str
    vi: str
    en: str
    panels: tuple[Panel, ...]
    variables: tuple[tuple[str, str], ...] = ()
    """Name, and the query of its values."""

    @property
    def title(self) -> str:
        """Both languages."""
        return f"{self.vi} / {self.en}"


def rendered(board: Board) -> dict[str, Any]:
    """The dashboard as Grafana reads it from a file."""
    return {
        "uid": board.uid,
        "title": board.title,
        "tags": ["truyvet"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "Asia/Ho_Chi_Minh",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "annotations": {"list": []},
        "links": [
            {"type": "dashboards", "tags": ["truyvet"], "title": "truyvet", "asDropdown": True}
        ],
        "templating": {"list": [_source(), *(_variable(*v) for v in board.variables)]},
        "panels": _placed(board.panels),
    }


def _source() -> dict[str, Any]:
    return {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Nguồn"}


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _placed(panels: tuple[Panel, ...]) -> list[dict[str, Any]]:
    """In rows, as text is set: a panel that does not fit begins the next one."""
    placed, x, y = [], 0, 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > WIDTH:
            x, y = 0, y + HEIGHT
        where = {"x": x, "y": y, "w": panel.width, "h": HEIGHT}
        placed.append(_panel(panel, number, where))
        x += panel.width
    return placed


def _panel(panel: Panel, number: int, where: dict[str, int]) -> dict[str, Any]:
    limits: dict[str, Any] = {} if panel.most is None else {"max": panel.most}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": f"Tốt: {panel.good_vi}\n\nGood: {panel.good_en}",
        "datasource": SOURCE,
        "gridPos": where,
        "targets": [
            {
                "refId": chr(ord("A") + n),
                "datasource": SOURCE,
                "expr": ask.expr,
                "legendFormat": ask.legend or "__auto",
                "instant": panel.kind in ("table", "bargauge"),
                "range": panel.kind not in ("table", "bargauge"),
                "format": "table" if panel.kind == "table" else "time_series",
            }
            for n, ask in enumerate(panel.asks)
        ],
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": 0,
                **limits,
                "noValue": "không biết / not known",
                "thresholds": {"mode": "absolute", "steps": _steps(panel)},
                "color": {
                    "mode": "palette-classic" if panel.kind == "timeseries" else "thresholds"
                },
                "custom": _custom(panel),
            },
            "overrides": [],
        },
        "options": _options(panel),
    }


def _steps(panel: Panel) -> list[dict[str, Any]]:
    if panel.bad_below is not None:
        return [{"color": "red", "value": None}, {"color": "green", "value": panel.bad_below}]
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.bad_above is not None:
        steps.append({"color": "red", "value": panel.bad_above})
    return steps


def _custom(panel: Panel) -> dict[str, Any]:
    if panel.kind != "timeseries":
        return {}
    limited = panel.bad_above is not None or panel.bad_below is not None
    return {
        "lineWidth": 1,
        "fillOpacity": 10,
        "spanNulls": False,
        "thresholdsStyle": {"mode": "line" if limited else "off"},
    }


def _options(panel: Panel) -> dict[str, Any]:
    match panel.kind:
        case "timeseries":
            return {"legend": {"displayMode": "list", "placement": "bottom"}}
        case "table":
            return {"showHeader": True}
        case "stat" | "bargauge":
            return {"reduceOptions": {"calcs": ["lastNotNull"], "values": False}}
