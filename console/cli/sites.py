"""`truyvet sites`: the establishments of the register."""

import typer

from console.cli.site_import import add_import


def add_to(app: typer.Typer) -> None:
    """These commands."""
    sites = typer.Typer(no_args_is_help=True, help="Cơ sở. / Establishments.")
    add_import(sites)
    app.add_typer(sites, name="sites")
