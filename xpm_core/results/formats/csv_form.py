"""A table as comma-separated values (RFC 4180), for spreadsheets and other programs. Numbers have all their digits."""

from __future__ import annotations

from xpm_core.results.formats.sheet import Sheet, flat
from xpm_core.words.csv_line import csv_line


def as_csv(sheet: Sheet) -> str:
    """The table as CSV, the names of the columns first. Lines end with a carriage return and a line feed.

    Folded cells take several columns: `accuracy.mean`, `.sd`, `.n`, `.low`, `.high`, `.method`. A value that is missing
    is empty. nan and inf are written so. Texts are written as they are: a spreadsheet may take one that begins with `=`
    for a formula.
    """
    columns = flat(sheet)
    rows = zip(*columns.values(), strict=True)
    return "".join(csv_line(row, end="\r\n") for row in (columns, *rows))
