"""A table as text for `print`: aligned columns, the first rows, and below them what a cell is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from xpm_core.results.formats.sheet import Sheet, folded_text, is_folded, most_jobs, shown_text
from xpm_core.words.text import line, plural

SHOWN = 20
"""So many rows are printed."""
NOTES = 5
"""So many notes are printed."""
WIDEST = 60
"""Characters of a value that is no cell."""


def as_text(sheet: Sheet) -> str:
    """The table as text. Of a long one, the first rows, and how many there are.

    Example:
        >>> print(table.over("seed"))
        model  accuracy
        mlp    0.912 ± 0.008
        svm    0.88 ± 0.02 (n=4 of 5 seeds)
        Mean and 95 % t interval over 4 to 5 seeds.
    """
    shown = min(len(sheet.rows), SHOWN)
    most = most_jobs(sheet.rows)
    heads = [line(heading, WIDEST) for heading in sheet.headings]
    if sheet.spans:
        above = {at: span.text for span in sheet.spans for at in range(span.first, span.last + 1)}
        heads = [line(f"{above[at]}={head}", WIDEST) if at in above else head for at, head in enumerate(heads)]
    rows = [heads, *([_cell(sheet, row, at, most) for at in range(len(heads))] for row in range(shown))]
    widths = [max(len(row[at]) for row in rows) for at in range(len(heads))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    if not sheet.rows or not heads:
        lines = ["no columns" if sheet.rows else "no rows"]
    if shown < len(sheet.rows):
        lines.append(f"{shown} of {plural(len(sheet.rows), 'row')}")
    lines += [sheet.caption] * bool(sheet.caption) + ["* is bold in papers."] * bool(sheet.bold)
    lines += [line(note, 10_000) for note in sheet.notes[:NOTES]]
    if len(sheet.notes) > NOTES:
        lines.append(f"{plural(len(sheet.notes) - NOTES, 'more note')}: .notes has all")
    return "\n".join(lines)


def begun_with(sheet: Sheet, about: Mapping[str, Sequence[str]], *, without: str) -> Sheet:
    """The table with some columns before its own, by their headings, and without one of its own."""
    keep = [at for at, heading in enumerate(sheet.headings) if heading != without]
    return replace(
        sheet,
        headings=[*about, *(sheet.headings[at] for at in keep)],
        rows=[[*first, *(row[at] for at in keep)] for *first, row in zip(*about.values(), sheet.rows, strict=True)],
        labels=len(about) + sum(at < sheet.labels for at in keep),
    )


def _cell(sheet: Sheet, row: int, at: int, most: int) -> str:
    value, mark = sheet.rows[row][at], "*" if (row, at) in sheet.bold else ""
    if is_folded(value):
        return folded_text(value, most, mark)
    return line(shown_text(value, exact=at < sheet.labels), WIDEST) + mark
