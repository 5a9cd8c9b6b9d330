"""YAML as configurations need it: strict, and with the line of each value."""

from __future__ import annotations

from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from dict_samples import Adam, Learn

from xpm_core.config import state_of
from xpm_core.errors import (
    ParameterTypeError,
    UnknownParameterError,
    YamlError,
)


def write(folder: Path, text: str) -> Path:
    file = folder / "learn.yaml"
    file.write_text(text)
    return file


def test_yaml_errors_name_the_line_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = write(tmp_path, "epochs: 3\noptimizer:\n  class: Adam\n  lr: fast\n")
    with pytest.raises(ParameterTypeError) as error:
        Learn.from_yaml(file)
    assert str(error.value) == (
        "Learn.optimizer.lr: expected float, got 'fast' (str), set at learn.yaml:4. Pass a float."
    )
    write(tmp_path, "layers:\n- 1\n- 2\n- x\n")
    with pytest.raises(ParameterTypeError, match=r"Learn\.layers\[2\]: .*set at learn\.yaml:4\."):
        Learn.from_yaml("learn.yaml")
    write(tmp_path, "epochs: 3\nepoch: 4\n")
    with pytest.raises(UnknownParameterError, match=r"Learn: unknown parameter 'epoch', set at learn\.yaml:2"):
        Learn.from_yaml("learn.yaml")


def test_configuration_of_yaml_remembers_its_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    learn = Learn.from_yaml(write(tmp_path, "epochs: 3\noptimizer:\n  lr: 0.5\n"))
    assert state_of(learn).created == "learn.yaml:1"
    assert state_of(learn.optimizer).place("lr") == "learn.yaml:3"


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("lr: 1e-4", "lr", 1e-4),
        ("lr: .5", "lr", 0.5),
        ("lr: -.inf", "lr", float("-inf")),
        ("lr: 3", "lr", 3.0),
        ("name: no", "name", "no"),
        ("name: 12:30", "name", "12:30"),
        ("name: 2024-01-01", "name", "2024-01-01"),
        ("since: 2024-01-01", "since", date(2024, 1, 1)),
        ("epochs: 010", "epochs", 10),
        ("epochs: 0x10", "epochs", 16),
        ("epochs: 0o10", "epochs", 8),
        ("amp: true", "amp", True),
        ("maybe: ~", "maybe", None),
        ("maybe:", "maybe", None),
        ("name: '3'", "name", "3"),
        ("a: &a {lr: 0.7}\noptimizer: {<<: *a}", "a", None),
    ],
)
def test_yaml_means_what_it_looks_like(text: str, name: str, value: Any) -> None:
    if name == "a":
        with pytest.raises(UnknownParameterError, match="unknown parameter 'a'"):
            Learn.from_yaml(StringIO(text))
        return
    found = getattr(Learn.from_yaml(StringIO(text)), name)
    assert (type(found), found) == (type(value), value)


def test_yaml_merges_entries_of_an_anchor() -> None:
    learn = Learn.from_yaml(StringIO("optimizers:\n  a: &a {lr: 0.7}\n  b: {<<: *a, class: Adam, beta: 0.5}\n"))
    assert isinstance(learn.optimizers["b"], Adam)
    assert (learn.optimizers["b"].lr, learn.optimizers["b"].beta) == (0.7, 0.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epochs: 3\nlr: 0.1\nepochs: 4\n", "learn.yaml:3: 'epochs' stands twice, first in line 1. Keep one of them."),
        ("epochs: [3\n", "learn.yaml:2: it is no YAML (expected ',' or ']', but got '<stream end>'). Correct it."),
        ("epochs: !!python/object:os.system {}\n", "learn.yaml:1: it is no YAML (could not determine a constructor"),
        ("a: 1\n---\nb: 2\n", "learn.yaml:2: it is no YAML (but found another document). Correct it."),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, text)
    with pytest.raises(YamlError) as error:
        Learn.from_yaml("learn.yaml")
    assert str(error.value).startswith(said)


def test_file_that_is_not_there_or_empty_is_told(tmp_path: Path) -> None:
    with pytest.raises(YamlError, match=r"none\.yaml: cannot be read \(.*No such file"):
        Learn.from_yaml(tmp_path / "none.yaml")
    with pytest.raises(ParameterTypeError, match=r"Learn: expected Learn, got None \(NoneType\)"):
        Learn.from_yaml(write(tmp_path, ""))
