"""What differs among jobs, and values as people read them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from xpm_cli.output.tables.cells import differences, text_of
from xpm_core.filters import ABSENT, UNKNOWN
from xpm_core.index.entries import Entry
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import State


def rows(*jobs: tuple[dict[str, Any], dict[str, Any]]) -> list[JobRow]:
    """Jobs with these tags and parameters."""
    return [
        JobRow(Entry(f"{number:064x}", "sweep:Train", tags, params), State.DONE)
        for number, (tags, params) in enumerate(jobs)
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"), (True, "true"), (None, "null"), ("bm25", "bm25"), ("", '""'), ("a\nb", '"a\\nb"'), ("é", "é"),
        ([1, "a"], '[1, "a"]'), ({"path": "/data"}, "/data"), ({"path": "model.bin", "in": "job"}, "model.bin"),
        ({"enum": "RED"}, "RED"), ({"job": "Prepare/1d22f0a"}, "Prepare/1d22f0a"), (ABSENT, "-"), (UNKNOWN, "?"),
        ({"enum": "study:Colour.RED"}, "RED"), ({"beta": 0.9}, '{"beta": 0.9}'), ({"frozenset": [1, 2]}, "[1, 2]"),
        (math.nan, "nan"), (-math.inf, "-inf"),
    ],
)  # fmt: skip
def test_value_is_written_as_people_read_it(value: Any, text: str) -> None:
    assert text_of(value) == text


def test_what_differs_is_told_from_what_all_have_in_common() -> None:
    found = rows(({"lr": 0.1}, {"seed": 0, "name": "a"}), ({"lr": 0.01}, {"seed": 0, "name": "a"}))
    assert differences(found) == ({"lr": [0.1, 0.01]}, {"seed": 0, "name": "a"})


def test_one_job_differs_from_none() -> None:
    assert differences(rows(({"lr": 0.1}, {"seed": 0}))) == ({}, {"lr": 0.1, "seed": 0})


def test_parameter_has_its_last_name_if_that_is_clear() -> None:
    found = rows(({}, {"optim.lr": 1, "a.size": 1, "b.size": 2}), ({}, {"optim.lr": 2, "a.size": 2, "b.size": 3}))
    assert list(differences(found)[0]) == ["lr", "a.size", "b.size"]


def test_parameter_that_repeats_a_tag_is_no_second_column() -> None:
    found = rows(({"rate": 1}, {"optim.lr": 1, "rate": 9}), ({"rate": 2}, {"optim.lr": 2, "rate": 8}))
    assert differences(found)[0] == {"rate": [1, 2], "param.rate": [9, 8]}
    found = rows(({}, {"fold": 1, "seed": 1}), ({}, {"fold": 2, "seed": 2}))
    assert differences(found)[0] == {"fold": [1, 2], "seed": [1, 2]}


def test_parameter_stays_if_a_job_lacks_the_tag_of_its_name() -> None:
    found = rows(({"layers": 3}, {"layers": 3}), ({}, {"layers": 5}), ({}, {"layers": 6}))
    assert differences(found)[0] == {"param.layers": [3, 5, 6]}


def test_what_only_some_have_differs_only_if_they_do() -> None:
    found = rows(({}, {"layers": 1, "depth": 3}), ({}, {"layers": 2, "depth": 3}), ({}, {}))
    assert differences(found) == ({"layers": [1, 2, ABSENT]}, {})


def test_values_of_two_types_differ() -> None:
    assert differences(rows(({}, {"a": 1}), ({}, {"a": 1.0}), ({}, {"a": True})))[0] == {"a": [1, 1.0, True]}
