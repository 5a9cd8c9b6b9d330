"""Columns that nobody has chosen: the names in which jobs differ, each as short as is clear."""

from __future__ import annotations

from typing import Any

from xpm_cli.page.desk.differing import Differing
from xpm_core.filters import Vocabulary, parse_columns
from xpm_core.index.entries import Entry
from xpm_core.reading.listing.row import JobRow


def row(tags: dict[str, Any], params: dict[str, Any]) -> JobRow:
    entry = Entry("3f" * 32)
    entry.task, entry.tags, entry.params = "sweep:Train", tags, params
    return JobRow(entry, None)


def names(*rows: JobRow) -> list[str]:
    found = Differing()
    found.update(rows)
    parse_columns(",".join(found.names), Vocabulary.of(rows)) if found.names else None  # each means something
    return found.names


def test_only_what_differs_is_a_column() -> None:
    assert names(row({"model": "a"}, {"lr": 0.1, "depth": 3}), row({"model": "b"}, {"lr": 0.1, "depth": 4})) == [
        "model",
        "depth",
    ]


def test_a_parameter_that_repeats_a_tag_is_left_out() -> None:
    same = [row({"lr": value}, {"lr": value}) for value in (1, 2, 3)]
    assert names(*same) == ["lr"]
    other = row({"lr": 3}, {"lr": 4})
    assert names(*same, other) == ["lr", "param.lr"]


def test_paths_that_end_alike_are_written_in_full() -> None:
    assert names(row({}, {"a.rate": 1, "b.rate": 1}), row({}, {"a.rate": 2, "b.rate": 2})) == [
        "param.a.rate",
        "param.b.rate",
    ]


def test_a_name_of_a_field_and_an_odd_name_still_mean_what_they_say() -> None:
    assert names(row({"host": "a"}, {"x": 1}), row({"host": "b"}, {"x": 2})) == ["tag.host", "x"]
    odd = [row({"learning rate": number}, {}) for number in (1, 2)]
    assert names(*odd) == ["'learning rate'"] or names(*odd) == ['"learning rate"']


def test_one_and_true_differ() -> None:
    assert names(row({}, {"x": 1}), row({}, {"x": True})) == ["x"]
