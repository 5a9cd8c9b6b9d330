"""A line of CSV is read back as it was written."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.words.csv_line import csv_line


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=2),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_is_read_back(cells: list[str], end: str) -> None:
    assert list(csv.reader(io.StringIO(csv_line(cells, end), newline=""), strict=True)) == [cells]


@pytest.mark.parametrize("cell", ["a\rb", "a\nb", 'a"b', "a,b"])
def test_a_cell_that_would_end_or_break_the_line_is_quoted(cell: str) -> None:
    assert csv_line([cell, 1, None]) == '"{}",1,\n'.format(cell.replace('"', '""'))


def test_what_no_spreadsheet_takes_is_replaced() -> None:
    assert csv_line(["a\0b", 0.1]) == "a\ufffdb,0.1\n"
