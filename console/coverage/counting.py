"""Counting a round into what its day keeps of it, and every funnel is read from."""

from collections.abc import Sequence

from console.coverage.stages import STAGES, Within, reached


def counted(by: Sequence[str], where: str, within: Within) -> str:
    """A row for each value of these columns of `coverage`, as SQL; none where nothing is counted.

    Columns: those of `by`, then required, scans, and by stage sites, required sites and places
    (arrays in the order of `STAGES`). A site counts at a stage when all its places have reached
    it; each required entry without a site is one that is required.
    """
    stages = reached(within)
    flags = ", ".join(f"min({stages[stage]})" for stage in STAGES)
    spots = ", ".join(f"countIf(place > 0 AND ({stages[stage]}))" for stage in STAGES)
    numbers = range(1, len(STAGES) + 1)
    group = f"GROUP BY {', '.join(by)}" if by else ""
    return f"""
SELECT {"".join(f"{one}, " for one in by)}sum(needed * if(site > 0, 1, entries)), sum(scans),
       [{", ".join(f"countIf(site > 0 AND whole[{n}])" for n in numbers)}],
       [{", ".join(f"countIf(site > 0 AND needed AND whole[{n}])" for n in numbers)}],
       sumForEach(spots)
FROM (
    SELECT {", ".join([*by, "site"])}, max(required) AS needed, count() AS entries,
           [{flags}] AS whole, [{spots}] AS spots, sum(scans) AS scans
    FROM coverage WHERE {where} GROUP BY {", ".join([*by, "site"])}
)
{group} HAVING count() > 0"""  # noqa: S608 (own columns; values are parameters)
