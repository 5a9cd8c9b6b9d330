"""One line of comma-separated values (RFC 4180), as every table of xpm is written."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable


def csv_line(cells: Iterable[object], end: str = "\n") -> str:
    """A line of comma-separated values. None is empty; cells with a line end of any kind are quoted.

    A NUL character becomes U+FFFD: neither spreadsheets nor Python 3.10 take it.

    Args:
        cells: The values.
        end: How the line ends.

    Example:
        >>> csv_line(["a,b", 0.5, None])
        '"a,b",0.5,\\n'
    """
    out = io.StringIO(newline="")
    csv.writer(out).writerow([cell.replace("\0", "\ufffd") if isinstance(cell, str) else cell for cell in cells])
    return out.getvalue().removesuffix("\r\n") + end
