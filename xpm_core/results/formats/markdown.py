"""A table as Markdown, aligned so that it can be read as it is, too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from xpm_core.results.formats.sheet import Sheet, count_of, is_folded, is_number, text_of

_ESCAPED = re.compile(r"[\\`*\[\]<>|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=#?\w+;)")
"""What Markdown, or the HTML in it, would take for more than text. A `_` within a word is none of it."""


def as_markdown(sheet: Sheet) -> str:
    """The table as Markdown. Below it stands what a cell is, and the notes."""
    heads = [escaped(heading) for heading in sheet.headings]
    if sheet.spans:
        above = {at: span.text for span in sheet.spans for at in range(span.first, span.last + 1)}
        heads = [f"{escaped(above[at])}: {head}" if at in above else head for at, head in enumerate(heads)]
    rows = [[_cell(sheet, at, column) for column in range(len(heads))] for at in range(len(sheet.rows))]
    widths = [max([3, len(head), *(len(row[at]) for row in rows)]) for at, head in enumerate(heads)]
    right = [_is_right(sheet.column(at)) for at in range(len(heads))]
    lines = [_line(heads, widths, right)] if heads else []
    lines += ["| " + " | ".join(_rule(width, side) for width, side in zip(widths, right, strict=True)) + " |"] * bool(
        heads
    )
    lines += [_line(row, widths, right) for row in rows]
    below = [escaped(said) for said in _said(sheet)]
    return "\n\n".join(["\n".join(lines), *below]) + "\n"


def escaped(text: str) -> str:
    """A text that Markdown shows as it is, in one line.

    Example:
        >>> escaped("a|b <script> train_loss")
        'a\\\\|b \\\\<script\\\\> train_loss'
    """
    line = "".join(each if each.isprintable() else " " for each in text)
    return _ESCAPED.sub(lambda found: f"\\{found[0]}", line)


def _said(sheet: Sheet) -> Iterator[str]:
    if sheet.caption:
        yield sheet.caption
    yield from sheet.notes


def _cell(sheet: Sheet, row: int, column: int) -> str:
    value = sheet.rows[row][column]
    text = escaped(text_of(value, exact=column < sheet.labels))
    if is_folded(value):
        text = f"{text} ({escaped(count_of(value))})"
    return f"**{text}**" if (row, column) in sheet.bold else text


def _is_right(values: Sequence[object]) -> bool:
    return any(is_number(value) or is_folded(value) for value in values) and not any(
        isinstance(value, str) for value in values
    )


def _rule(width: int, right: bool) -> str:
    return "-" * (width - 1) + (":" if right else "-")


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = [
        cell.rjust(width) if side else cell.ljust(width) for cell, width, side in zip(cells, widths, right, strict=True)
    ]
    return "| " + " | ".join(padded) + " |"
