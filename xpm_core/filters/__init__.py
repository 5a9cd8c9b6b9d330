"""One language of filters for jobs: `state=failed,blocked and lr>0.01`. Sorting and columns use the same names.

A text is parsed to a `Filter`. `bind` finds out what its names mean among the jobs that are known, and gives a filter
that can be asked about a `Row`. It answers None if that depends on facts that are not known.

Owns: the grammar, the names, the comparisons, and the errors about them. It reads nothing: neither files nor Redis.
May import the modules that lie directly in `xpm_core`.
"""

from __future__ import annotations

from xpm_core.filters.columns import Column, Order, field_of, parse_columns, parse_sort
from xpm_core.filters.filter import BoundFilter, Filter, from_options, parse
from xpm_core.filters.row import ABSENT, UNKNOWN, Row
from xpm_core.filters.vocabulary import FIELDS, Vocabulary

__all__ = [
    "ABSENT",
    "FIELDS",
    "UNKNOWN",
    "BoundFilter",
    "Column",
    "Filter",
    "Order",
    "Row",
    "Vocabulary",
    "field_of",
    "from_options",
    "parse",
    "parse_columns",
    "parse_sort",
]
