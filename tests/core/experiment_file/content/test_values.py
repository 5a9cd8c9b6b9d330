"""The configurations of a file: one for each combination of its grids."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import pytest
from helpers.yaml_files import document
from hypothesis import given
from hypothesis import strategies as st
from yaml_tasks import Checked, Learn, Many, Momentum, Scheduler, Settings

from xpm_core.errors import ConfigurationError
from xpm_core.experiment_file.content.merging import Document, FileLines
from xpm_core.experiment_file.content.values import combinations


def read(folder: Path, text: str, cls: Any = Settings) -> list[Any]:
    """The configurations of a file with these values."""
    return combinations(cls, document(folder, text)).configs


def test_without_a_grid_there_is_one_configuration_without_tags(tmp_path: Path) -> None:
    (config,) = read(tmp_path, "config: {optimizer: {lr: 1}, epochs: 2}\n")
    assert (config.optimizer.lr, config.epochs, config.tags()) == (1.0, 2, {})


def test_the_last_grid_varies_fastest_and_values_are_tagged_with_their_types(tmp_path: Path) -> None:
    found = read(tmp_path, "config: {optimizer: {lr: {grid: [1, 0.5]}}, epochs: {range: [1, 3]}}\n")
    assert [each.tags() for each in found] == [
        {"epochs": 1, "lr": 1.0}, {"epochs": 2, "lr": 1.0}, {"epochs": 1, "lr": 0.5}, {"epochs": 2, "lr": 0.5}
    ]  # fmt: skip
    assert type(found[0].tags()["lr"]) is float
    assert [Learn.C(lr=each.optimizer.lr).tags() for each in found[1:3]] == [{"lr": 1.0}, {"lr": 0.5}]


def test_a_list_is_a_list(tmp_path: Path) -> None:
    (config,) = read(tmp_path, "config: {widths: [1, 2]}\n", Many)
    assert config.widths == [1, 2]


def test_values_of_a_grid_can_have_names(tmp_path: Path) -> None:
    text = "config:\n  optimizer: {grid: {slow: {lr: 0.1}, fast: {class: Momentum, lr: 1}}}\n  epochs: 1\n"
    slow, fast = read(tmp_path, text)
    assert (slow.optimizer.tags(), fast.optimizer.tags()) == ({"optimizer": "slow"}, {"optimizer": "fast"})
    assert type(fast.optimizer) is Momentum
    one, two = read(tmp_path, "config: {widths: {grid: {none: [], two: [1, 2]}}}\n", Many)
    assert (one.widths, two.widths, two.tags()) == ([], [1, 2], {"widths": "two"})


def test_other_values_than_numbers_and_texts_are_tagged_where_they_stand(tmp_path: Path) -> None:
    found = read(tmp_path, "config: {scheduler: {grid: [CONSTANT, COSINE]}, maybe: {grid: [null, 3]}}\n", Many)
    assert [(each.scheduler, each.maybe) for each in found[1:3]] == [(Scheduler.CONSTANT, 3), (Scheduler.COSINE, None)]
    assert found[3].tags() == {"maybe": 3, "scheduler": "COSINE"}


def test_a_grid_that_an_anchor_repeats_is_one_grid(tmp_path: Path) -> None:
    found = read(tmp_path, "config: {low: &n {grid: [1, 2]}, high: {grid: [5]}}\n", Checked)
    assert len(found) == 2
    text = "config: {maybe: &n {grid: [1, 2]}, either: *n}\n"
    assert [(each.maybe, each.either) for each in read(tmp_path, text, Many)] == [(1, 1), (2, 2)]


def test_a_dict_where_the_type_takes_such_a_dict_is_that_dict(tmp_path: Path) -> None:
    (config,) = read(tmp_path, "config: {sizes: {grid: 3}}\n", Many)
    assert config.sizes == {"grid": 3}
    assert [each.anything for each in read(tmp_path, "config: {anything: {grid: [1, a]}}\n", Many)] == [1, "a"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("config:\n  epochs: 1\n  optimizer:\n    lr: fast\n",
         "Settings.optimizer.lr: expected float, got 'fast' (str), set at sweep.yaml:4. Pass a float."),
        ("config:\n  epochs: 1\n  optimizer:\n    lr:\n      grid:\n        - 1\n        - fast\n",
         "Settings.optimizer.lr: expected float, got 'fast' (str), set at sweep.yaml:7. Pass a float."),
        ("config:\n  epoch: 1\n", "Settings: unknown parameter 'epoch', set at sweep.yaml:2. Did you mean 'epochs'?"),
        ("config:\n  launcher: slurm\n", "unknown parameter 'launcher', set at sweep.yaml:2. Start workers where"),
        ("\nconfig:\n  epochs: 1\n", "Settings.optimizer: it has no value in sweep.yaml:2. Write it below config:"),
        ("workspace: w\n", "Settings.optimizer: it has no value in sweep.yaml:1; nor has Settings.epochs."),
        ("config:\n  epochs: 1\n  optimizer: {}\n", "Settings.optimizer.lr: it has no value in sweep.yaml:3."),
        ("config:\n  epochs: [1, 2]\n  optimizer: {lr: 1}\n",
         "expected int, got [1, 2] (list), set at sweep.yaml:2. For several values, write a grid: {grid: [1, 2]}."),
        ("config:\n  epochs: [1, x]\n  optimizer: {lr: 1}\n", "got [1, 'x'] (list), set at sweep.yaml:2. Pass an int."),
        ("config:\n  epochs: []\n  optimizer: {lr: 1}\n", "got [] (list), set at sweep.yaml:2. Pass an int."),
        ("config: 3\n", "Settings: expected Settings, got 3 (int), set at sweep.yaml:1."),
        ("config:\n  epochs: {grid: [1, 0]}\n  optimizer: {lr: 1}\n",
         "expected int >= 1, got 0 (int), set at sweep.yaml:2."),
        ("config:\n  epochs: {grid: [1, 1]}\n  optimizer: {lr: 1}\n",
         "sweep.yaml:2: the grid of epochs has 1 twice. Keep one of them."),
        ("config:\n  epochs: {range: [1, 9999]}\n  optimizer: {lr: {grid: [1, 2]}}\n",
         "its grids have 19996 combinations (epochs 9998 x lr 2), 10000 are allowed. Give fewer values."),
        ("config:\n  optimizer: {grid: [{lr: 1}]}\n  epochs: 1\n",
         "sweep.yaml:2: Settings.optimizer: Optimizer is no type of tags, so the values of the grid need names."),
        ("config:\n  optimizer:\n    grid:\n      a:\n        lr: {grid: [1]}\n  epochs: 1\n",
         "Settings.optimizer.lr: a grid stands inside of the grid of Settings.optimizer. Write it beside that grid."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)


def test_a_grid_of_a_part_of_a_value_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"sweep\.yaml:1: Many\.widths\[0\]: a grid stands for a part of a value"
    ):
        read(tmp_path, "config: {widths: [{grid: [1]}, 3]}\n", Many)


def test_a_class_refuses_its_values_before_anything_begins(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"low is not below high.*made at .*sweep\.yaml:1"):
        read(tmp_path, "config: {low: {grid: [1, 10]}}\n", Checked)


sizes = st.lists(st.integers(1, 4), min_size=2, max_size=2)


@given(sizes)
def test_there_are_as_many_configurations_as_combinations_and_all_differ(counts: list[int]) -> None:
    grids = [{"grid": [float(n) for n in range(counts[0])]}, {"range": [1, counts[1] + 1]}]
    values = {"config": {"optimizer": {"lr": grids[0]}, "epochs": grids[1]}}
    found = combinations(Settings, Document(values, FileLines(("sweep.yaml", 1)))).configs
    assert len(found) == prod(counts) == len({each.identity for each in found})
