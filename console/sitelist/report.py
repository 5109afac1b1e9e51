"""What a list would become, or became, as one document: the same for the command line and HTTP."""

from dataclasses import asdict
from typing import Any

from console.sitelist.run import Plan


def document(made: Plan, source: str, places: int | None) -> dict[str, Any]:
    """`places`: how many are registered of it now; None if it was a dry run."""
    understood, groups = made.understood, made.grouped
    return {
        "source": source,
        "applied": places is not None,
        "columns": {
            c.heading: c.field.value if c.field else None
            for c in understood.heading.columns
            if c.heading
        },
        "left_out": understood.left_out,
        "rows": len(understood.listed),
        "refused": [asdict(one) for one in understood.refused],
        "repeated_rows": [one.row for one in groups.again],
        "sites": len(groups.sites),
        "new_sites": made.new_sites,
        "closed_sites": len(made.closed),
        "places": groups.places,
        "gates_assumed": groups.gates,
        "kinds_guessed": understood.guessed,
        "by_kind": dict(understood.by_kind().most_common()),
        "likely": [asdict(pair) for pair in made.likely],
        "registered_places": places,
    }
