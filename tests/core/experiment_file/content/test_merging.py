"""A file and its bases: what counts, and the line of each value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.yaml_files import document, write
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.errors import ExperimentFileError, YamlError
from xpm_core.experiment_file.content import merging
from xpm_core.experiment_file.content.merging import FileLines, merge


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_file_goes_before_its_bases_and_a_later_base_before_an_earlier_one(tmp_path: Path) -> None:
    found = document(
        tmp_path,
        "base: [one.yaml, two.yaml]\nconfig: {c: 3}\n",
        one="config: {a: 1, b: 1, c: 1}\nqueue: gpu\n",
        two="base: zero.yaml\nconfig: {b: 2, c: 2}\n",
        zero="config: {b: 0, z: 0}\n",
    )
    assert found.values == {"queue": "gpu", "config": {"a": 1, "b": 2, "c": 3, "z": 0}}


def test_each_value_keeps_the_line_of_its_own_file(tmp_path: Path) -> None:
    found = document(
        tmp_path, "base: one.yaml\nconfig:\n  model:\n    width: 2\n", one="config:\n  model:\n\n    depth: 1\n"
    )
    assert found.at("config", "model", "width") == "sweep.yaml:4"
    assert found.at("config", "model", "depth") == "one.yaml:4"
    assert found.at("config", "model") == "sweep.yaml:3"
    assert found.at("config", "nothing", "here") == "sweep.yaml:2"
    assert found.at() == "sweep.yaml:1"


def test_lists_and_grids_and_other_classes_replace_as_a_whole(tmp_path: Path) -> None:
    found = document(
        tmp_path,
        "base: one.yaml\nconfig: {a: [9], b: {range: [3]}, c: {class: Sgd}, d: {class: Adam, k: 2}, e: 1, f: {x: 1}}\n",
        one="""
            config:
              a: [1, 2]
              b: {grid: [1, 2]}
              c: {class: Adam, beta: 1}
              d: {class: Adam, beta: 1}
              e: {grid: [1]}
              f: {grid: [1]}
        """,
    )
    assert found.values["config"] == {
        "a": [9],
        "b": {"range": [3]},
        "c": {"class": "Sgd"},
        "d": {"class": "Adam", "beta": 1, "k": 2},
        "e": 1,
        "f": {"x": 1},
    }


def test_a_base_lies_relative_to_the_file_that_names_it_and_may_be_reached_twice(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        {
            "a/sweep.yaml": "base: [../b/one.yaml, ../b/two.yaml]\n",
            "b/one.yaml": "base: zero.yaml\n",
            "b/two.yaml": "base: zero.yaml\n",
            "b/zero.yaml": "queue: gpu\n",
        },
    )
    assert merging.read(file).values == {"queue": "gpu"}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"sweep.yaml": "base: one.yaml\n", "one.yaml": "\nbase: sweep.yaml\n"},
         "one.yaml:2: it is a base of itself (sweep.yaml → one.yaml → sweep.yaml). Break the circle."),
        ({"sweep.yaml": "base: [one.yml]\n", "one.yaml": ""},
         "sweep.yaml:1: base: there is no file one.yml. Did you mean 'one.yaml'?"),
        ({"sweep.yaml": "base: far/away.yaml\n"},
         "base: there is no file far/away.yaml. Name a YAML file, relative to this one."),
        ({"sweep.yaml": "base:\n  - 3\n"},
         "sweep.yaml:2: base: expected the path of a YAML file, or a list of them, got 3"),
        ({"sweep.yaml": "base: one.yaml\n", "one.yaml": "a: 1\nlr: 3\n"}, "one.yaml:1: unknown key 'a'."),
        ({"sweep.yaml": "- a\n"},
         "sweep.yaml:1: expected a dict of workspace, experiment, run, ..., got ['a'] (list)."),
        ({"sweep.yaml": "base: one.yaml\n", "one.yaml": "a: [1\n"}, "one.yaml:2: it is no YAML"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_an_error_with_its_line(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises((ExperimentFileError, YamlError)) as caught:
        merging.read(write(tmp_path, files))
    assert said in str(caught.value)


def test_an_empty_file_has_no_values(tmp_path: Path) -> None:
    assert document(tmp_path, "# nothing yet\n").values == {}


leaves = st.integers() | st.lists(st.integers(), max_size=2) | st.none()
trees = st.recursive(leaves, lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3), max_leaves=8)
dicts = st.dictionaries(st.sampled_from("abcd"), trees, max_size=4)


def flat(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """The leaves of a tree, by path; an empty dict is a leaf."""
    if not isinstance(value, dict) or not value:
        return {path: value}
    return {place: leaf for key, each in value.items() for place, leaf in flat(each, (*path, key)).items()}


@given(dicts, dicts)
def test_every_leaf_of_the_upper_one_is_there_and_each_of_the_lower_one_unless_replaced(
    lower: dict[str, Any], upper: dict[str, Any]
) -> None:
    found, above, below = (flat(each) for each in (merge(lower, upper, FileLines(("", 1))), upper, lower))
    for path, leaf in above.items():
        if path and leaf != {}:
            assert found[path] == leaf
    for path, leaf in below.items():
        covered = any(path[: len(other)] == other or other[: len(path)] == path for other in above if other)
        if path and not covered:
            assert found[path] == leaf
    assert set(found) <= set(above) | set(below) | {()}


@given(dicts)
def test_merging_with_nothing_or_itself_changes_nothing(values: dict[str, Any]) -> None:
    lines = FileLines(("", 1))
    assert merge({}, values, lines) == merge(values, {}, lines) == merge(values, values, lines) == values
