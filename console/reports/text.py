"""The report as a text to copy into a message: what a phone shows on one screen."""

from console.reports.sheet import Sheet, number, percent, signed

MOST: int = 2_000  # characters: what a Zalo message holds


def text_of(sheet: Sheet) -> str:
    """The rows and the facts, without the parts, and the first notes. At most `MOST` long."""
    lines = [
        sheet.title.upper(),
        f"{sheet.area}, {sheet.day}",
        sheet.as_of,
        "",
    ]
    for row in sheet.rows:
        share = f" ({percent(row.sites, row.of)})" if row.all_sites is not None else ""
        change = f" [{signed(row.change, sheet.lang)}]" if row.change else ""
        lines.append(f"- {row.name}: {number(row.sites, sheet.lang)}{share}{change}")
    known = [row for row in sheet.rows if row.all_sites is not None]
    if any(row.all_sites != row.sites for row in known):
        every = (f"{row.name.lower()} {number(row.all_sites or 0, sheet.lang)}" for row in known)
        lines.append(f"- {sheet.heads[4]}: {'; '.join(every)}")
    lines.append("")
    lines += [f"{label}: {said}" for label, said in sheet.facts]
    lines.append("")
    length = sum(len(line) + 1 for line in lines)
    for note in sheet.notes:
        if length + len(note) + 1 <= MOST:
            lines.append(note)
            length += len(note) + 1
    return "\n".join(lines).rstrip() + "\n"
