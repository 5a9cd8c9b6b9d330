"""A table as a notebook shows it below a cell."""

from __future__ import annotations

from xpm_core.results.formats.sheet import Sheet, count_of, is_folded, text_of
from xpm_core.states import State
from xpm_core.words import html
from xpm_core.words.text import plural

SHOWN = 50
"""How many rows a notebook shows."""
MOST_NOTES = 10


def as_html(sheet: Sheet) -> html.Html:
    """The table as HTML. Of a long one, the first rows, and how many there are."""
    heads = [html.text(heading, bold=True) for heading in sheet.headings]
    rows = [[_cell(sheet, row, at) for at in range(len(heads))] for row in range(min(len(sheet.rows), SHOWN))]
    above = [_spans(sheet)] if sheet.spans else []
    parts = [html.table([*above, heads, *rows])]
    if len(sheet.rows) > SHOWN:
        parts.append(html.line(html.text(f"{SHOWN} of {plural(len(sheet.rows), 'row')}: to_csv() has all", muted=True)))
    said = [*([sheet.caption] if sheet.caption else []), *sheet.notes]
    parts += [html.line(html.text(note, muted=True)) for note in said[:MOST_NOTES]]
    if len(said) > MOST_NOTES:
        parts.append(html.line(html.text(f"{len(said) - MOST_NOTES} more notes: .notes has all", muted=True)))
    return html.frame(*parts)


def _spans(sheet: Sheet) -> list[html.Html]:
    above = {span.first: span.text for span in sheet.spans}
    return [html.text(above.get(at, ""), muted=True) for at in range(len(sheet.headings))]


def _cell(sheet: Sheet, row: int, column: int) -> html.Html:
    value, bold = sheet.rows[row][column], (row, column) in sheet.bold
    text = text_of(value, exact=column < sheet.labels)
    if isinstance(value, State):
        return html.text(text, state=value)
    if not is_folded(value):
        return html.text(text, bold=bold)
    return html.Html(f"{html.text(text, bold=bold)} {html.text(count_of(value), muted=True)}")
