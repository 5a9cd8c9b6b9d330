"""The forms of a grid, and the numbers that they stand for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.errors import ExperimentFileError
from xpm_core.experiment_file.content.grid_forms import LONGEST, is_grid, logspace, options
from xpm_core.language.dict_form.yaml_files import parsed


def values(text: str) -> list[Any]:
    """The values of a grid."""
    form, lines = parsed(text, "sweep.yaml")
    return [option.plain for option in options(form, lines, "Settings.lr")]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{grid: [1, a, null]}", [1, "a", None]),
        ("{range: [3]}", [0, 1, 2]),
        ("{range: [0, 10, 2]}", [0, 2, 4, 6, 8]),
        ("{range: [3, 0, -1]}", [3, 2, 1]),
        ("{logspace: [1e-5, 1e-1, 5]}", [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]),
        ("{logspace: [1, 1000, 4]}", [1, 10, 100, 1000]),
        ("{logspace: [1, 10, 3]}", [1.0, 3.16227766017, 10.0]),
    ],
)
def test_a_form_stands_for_its_values(text: str, wanted: list[Any]) -> None:
    found = values(text)
    assert found == wanted
    assert list(map(type, found)) == list(map(type, wanted))


def test_names_and_lines_are_those_of_the_file() -> None:
    form, lines = parsed("grid:\n  small: 1\n  large:\n    9\n", "sweep.yaml")
    found = options(form, lines, "Settings.size")
    assert [(option.name, option.plain, option.place[1]) for option in found] == [("small", 1, 2), ("large", 9, 3)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{grid: []}", "sweep.yaml:1: Settings.lr: grid: it has no values. Give at least one."),
        ("{grid: 3}", "grid: expected a list of values, or values by name, got 3. Write {grid: [3, ...]}."),
        ("{range: []}", "range: expected [END], [START, END] or [START, END, STEP] in whole numbers, got []."),
        ("{range: [0, 1, 0.1]}", "in whole numbers, got [0, 1, 0.1]. Write other numbers as {grid: [...]}."),
        ("{range: [0, 4, 0]}", "range: the step is 0. Give another one."),
        ("{range: [true]}", "in whole numbers, got [True]"),
        ("{range: [100000000000000000000000000]}", f"range: it has more than {LONGEST} values. Give fewer."),
        ("{logspace: [0, 1, 4]}", "with FIRST and LAST above 0 and COUNT from 2 to 10000, got [0, 1, 4]."),
        ("{logspace: [1, 10, 1]}", "got [1, 10, 1]. Write {logspace: [1e-5, 1e-1, 5]}."),
        ("{logspace: [1, .inf, 3]}", "got [1, inf, 3]"),
    ],
)
def test_a_wrong_form_is_refused_with_the_right_one(text: str, said: str) -> None:
    with pytest.raises(ExperimentFileError) as caught:
        values(text)
    assert said in str(caught.value)


def test_a_long_list_is_refused() -> None:
    with pytest.raises(ExperimentFileError, match=f"it has {LONGEST + 1} values, {LONGEST} are allowed"):
        values(f"{{grid: {list(range(LONGEST + 1))}}}")


def test_only_a_dict_of_one_entry_of_that_name_is_a_grid() -> None:
    assert is_grid({"range": 3})
    assert not any(map(is_grid, [{}, {"grid": [1], "range": [1]}, {"values": [1]}, [1], "grid", None]))


@given(st.floats(1e-12, 1e12), st.floats(1e-12, 1e12), st.integers(2, 200))
def test_logspace_has_exact_ends_and_goes_one_way(first: float, last: float, count: int) -> None:
    found = logspace(first, last, count)
    assert (len(found), found[0], found[-1]) == (count, first, last)
    if max(first, last) / min(first, last) > 1.001:
        assert found == sorted(found, reverse=first > last)
