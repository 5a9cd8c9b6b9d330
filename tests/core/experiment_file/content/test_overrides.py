"""Values that are given on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.yaml_files import document
from yaml_tasks import Many, Settings

from xpm_core.errors import ConfigurationError, ExperimentFileError
from xpm_core.experiment_file.content.overrides import override
from xpm_core.experiment_file.content.values import combinations

FILE = "config:\n  optimizer: &o {lr: 0.1}\n  epochs: 3\n"


def read(folder: Path, *words: str, cls: Any = Settings, file: str = FILE) -> Any:
    """The first configuration of a file, with words of the command line."""
    found = document(folder, file)
    override(found, words)
    return combinations(cls, found).configs[0]


def test_a_word_goes_before_the_file_and_a_later_one_before_an_earlier_one(tmp_path: Path) -> None:
    config = read(tmp_path, "epochs=4", "optimizer.lr=1e-3", "epochs=5")
    assert (config.epochs, config.optimizer.lr, config.name) == (5, 0.001, "first")


def test_what_the_file_does_not_have_is_added(tmp_path: Path) -> None:
    config = read(tmp_path, "optimizer.lr=1", "epochs=2", file="workspace: w\n")
    assert config.to_dict() == {"optimizer": {"lr": 1.0}, "epochs": 2, "name": "first", "amp": False}
    assert read(tmp_path, "optimizer.class=Momentum", "optimizer.momentum=0.5").optimizer.momentum == 0.5


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("name=10", "10"),
        ("name=no", "no"),
        ("name=a: b", "a: b"),
        ("name=[1]", "[1]"),
        ("name=", ""),
        ("name='10'", "10"),
        ("name=x=y", "x=y"),
        ("amp=true", True),
    ],
)
def test_the_type_of_the_parameter_says_what_a_word_is(tmp_path: Path, word: str, value: object) -> None:
    assert getattr(read(tmp_path, word), word.partition("=")[0]) == value


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("widths=[1, 2]", [1, 2]),
        ("sizes={a: 1}", {"a": 1}),
        ("maybe=null", None),
        ("either=3", 3),
        ("either=three", "three"),
        ("file=2024", Path("2024")),
        ("anything=0.5", 0.5),
    ],
)
def test_a_word_can_be_any_yaml(tmp_path: Path, word: str, value: object) -> None:
    assert getattr(read(tmp_path, word, cls=Many, file="{}"), word.partition("=")[0]) == value


def test_a_word_can_be_a_grid(tmp_path: Path) -> None:
    found = document(tmp_path, FILE)
    override(found, ("name={grid: [a, b]}", "epochs={range: [1, 3]}"))
    assert [(each.name, each.epochs) for each in combinations(Settings, found).configs] == [
        ("a", 1), ("b", 1), ("a", 2), ("b", 2)
    ]  # fmt: skip


def test_a_dict_that_an_anchor_shares_is_changed_in_one_place_only(tmp_path: Path) -> None:
    found = document(tmp_path, "config:\n  a: &o {lr: 0.1}\n  b: *o\n")
    override(found, ("a.lr=0.2",))
    assert found.values["config"]["b"] == {"lr": 0.1}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("epochs", "Argument: expected NAME=VALUE with the name of a parameter, got 'epochs'. Write lr=0.1"),
        ("1a=3", "Argument: expected NAME=VALUE"),
        ("epochs=ten", "Settings.epochs: expected int, got 'ten' (str), set at the argument epochs=ten."),
        ("epochs=0", "Settings.epochs: expected int >= 1, got 0 (int), set at the argument epochs=0."),
        ("epoch=1", "unknown parameter 'epoch', set at the argument epoch=1. Did you mean 'epochs'?"),
        ("optimizer.lrr=1", "Settings.optimizer: unknown parameter 'lrr', set at the argument optimizer.lrr=1."),
        (
            "epochs.x=1",
            "the argument epochs.x=1: epochs is no dict, but 3 (sweep.yaml:3). Give all of it: epochs={...}.",
        ),
    ],
)
def test_a_wrong_word_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, said: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, word)
    assert said in str(caught.value)


def test_a_part_of_a_grid_cannot_be_given(tmp_path: Path) -> None:
    found = document(tmp_path, "config:\n  optimizer: {grid: {a: {lr: 1}}}\n")
    with pytest.raises(ExperimentFileError, match=r"optimizer is a grid .*Give all of it: optimizer=\{\.\.\.\}\."):
        override(found, ("optimizer.lr=1",))


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("workers=3", "set at the argument workers=3. Write --workers 3: arguments are values of the configuration."),
        (
            "queue=gpu",
            "It is a key of the file: write it there, queue: gpu. Arguments are values of the configuration.",
        ),
        ("config.epochs=3", "set at the argument config.epochs=3. Write it without config: epochs=3."),
        ("epoch=3", "set at the argument epoch=3. Did you mean 'epochs'?"),
    ],
)
def test_a_key_of_the_file_is_no_argument(tmp_path: Path, word: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, word)
    assert str(caught.value).endswith(said)
