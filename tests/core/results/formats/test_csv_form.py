"""CSV that other programs read back as it was."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from helpers.result_jobs import FakeJob, table
from helpers.sheets import HOSTILE
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.results.formats.csv_form import as_csv
from xpm_core.results.formats.sheet import Sheet
from xpm_core.states import State

VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8"))


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def shown(text: str) -> str:
    return text.replace("\0", "\ufffd")


@given(st.lists(st.lists(VALUES, min_size=2, max_size=2), max_size=8), st.text(st.characters(codec="utf-8")))
def test_what_is_written_is_read_back(rows: list[list[Any]], heading: str) -> None:
    found = read(as_csv(Sheet([heading, "other"], rows)))
    assert found[0][0] == shown(heading)
    assert found[1:] == [["" if value is None else shown(str(value)) for value in row] for row in rows]


def test_numbers_keep_all_their_digits() -> None:
    value = 0.1 + 0.2
    assert float(read(as_csv(Sheet(["x"], [[value]])))[1][0]) == value


def test_lines_end_as_the_rfc_says_and_one_empty_value_is_no_empty_line() -> None:
    assert as_csv(Sheet(["a", "b"], [["x,y", 'q"']])) == 'a,b\r\n"x,y","q"""\r\n'
    assert as_csv(Sheet(["a"], [[None]])) == 'a\r\n""\r\n'


def test_folded_cells_take_columns_of_their_own(tmp_path: Path) -> None:
    jobs = [
        FakeJob({"lr": lr, "seed": seed}, {"f1": lr + seed / 10, "kind": "x"}) for lr in (1, 2) for seed in range(3)
    ]
    waiting = FakeJob({"lr": 3, "seed": 0}, {}, State.WAITING)
    cells = table([*jobs, waiting]).over("seed").select("f1")
    head, *rows = read(cells.to_csv())
    assert head == ["lr", "f1.mean", "f1.sd", "f1.n", "f1.low", "f1.high", "f1.method"]
    assert [row[3] for row in rows] == ["3", "3", "0"]
    assert (float(rows[0][1]), float(rows[0][4])) == (cells[0]["f1"].mean, cells[0]["f1"].interval.low)
    assert rows[2] == ["3", "", "", "0", "", "", ""]
    assert cells.to_csv(tmp_path / "a.csv") is None
    assert (tmp_path / "a.csv").read_bytes().decode() == cells.to_csv()


def test_hostile_texts_stay_as_they_are() -> None:
    assert [row[0] for row in read(as_csv(Sheet(["a"], [[text] for text in HOSTILE])))[1:]] == list(map(shown, HOSTILE))


def test_lists_states_and_paths_are_texts() -> None:
    sheet = Sheet(["a", "b", "c"], [[{"x": [1, "é"]}, State.DONE, Path("/x")]])
    assert read(as_csv(sheet))[1] == ['{"x": [1, "é"]}', "done", "/x"]


def test_columns_of_one_name_stay_two() -> None:
    assert read(as_csv(Sheet(["a", "a"], [[1, 2]]))) == [["a", "a (2)"], ["1", "2"]]
