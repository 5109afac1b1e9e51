"""In which order `truyvet --help` names the commands: a panel for each kind of work."""

from typing import Any, Final

from typer.core import TyperGroup

PANELS: Final = {
    "Hệ thống / System": (
        *("up", "down", "status", "doctor", "counts", "dlq", "keys", "producers", "logs"),
        *(
            "migrate",
            "maintenance",
            "backup",
            "restore",
            "rebuild",
            "topics",
            "retention",
            "persons",
            "serve",
            "worker",
            "support-bundle",
        ),
    ),
    "Sổ đăng ký, mã, áp phích / Register, codes, posters": (
        *("sites", "places", "trips", "codes", "posters", "cards"),
    ),
    "Độ phủ, kiểm tra, đôn đốc / Coverage, inspections, reminders": (
        *("required", "coverage", "behind", "inspections", "reminders", "staff", "report"),
    ),
    "Ca bệnh, truy vết / Cases, tracing": ("case", "contacts", "f2", "list", "rules"),
    "Thử và đo / Try and measure": ("demo", "simulate", "import", "bench"),
}
_NAMES: Final = [name for names in PANELS.values() for name in names]
_ORDER: Final = {name: at for at, name in enumerate(_NAMES)}


def panel_of(command: str | None) -> str | None:
    """The panel of a command of the root; None if it is in none."""
    return next((panel for panel, names in PANELS.items() if command in names), None)


class Ordered(TyperGroup):
    """The root's commands in the order of the panels."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (as in TyperGroup)
        """As `--help` shows them."""
        return sorted(self.commands, key=lambda name: _ORDER.get(name, len(_ORDER)))
