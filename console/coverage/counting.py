"""Counting a round into what its day keeps of it, and every funnel is read from."""

from console.coverage.stages import STAGES, Within, reached


def counted(at: str, within: Within) -> str:
    """A row for each ward, kind and sector of the round `at`, as SQL over `coverage`.

    Columns: these, then required, scans, and by stage sites, required sites and places (arrays in
    the order of `STAGES`). A site counts at a stage when all its places have reached it; each
    required entry without a site is one that is required.
    """
    stages = reached(within)
    flags = ", ".join(f"min({stages[stage]})" for stage in STAGES)
    spots = ", ".join(f"countIf(place > 0 AND ({stages[stage]}))" for stage in STAGES)
    numbers = range(1, len(STAGES) + 1)
    return f"""
SELECT ward, kind, sector, sum(needed * if(site > 0, 1, entries)), sum(scans),
       [{", ".join(f"countIf(site > 0 AND whole[{n}])" for n in numbers)}],
       [{", ".join(f"countIf(site > 0 AND needed AND whole[{n}])" for n in numbers)}],
       sumForEach(spots)
FROM (
    SELECT ward, kind, sector, site, max(required) AS needed, count() AS entries,
           [{flags}] AS whole, [{spots}] AS spots, sum(scans) AS scans
    FROM coverage WHERE round = {at} GROUP BY ward, kind, sector, site
)
GROUP BY ward, kind, sector"""  # noqa: S608 (own values)
