"""Configurations in directories."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from helpers.fresh_process import run

from xpm_core.config import Config, DataPath, Meta, Param, PathGenerator, field
from xpm_core.errors import PayloadError
from xpm_core.identity import seal
from xpm_core.wire.saving import load, save


class Vocabulary(Config):
    words: DataPath


class Model(Config):
    layers: Param[list[int]]
    vocabulary: Param[Vocabulary]
    weights: DataPath
    out: Meta[Path] = field(default_factory=PathGenerator("out"))


@pytest.fixture
def model(tmp_path: Path) -> Model:
    words, weights = tmp_path / "words.txt", tmp_path / "weights"
    words.write_text("a b c")
    weights.mkdir()
    (weights / "1.bin").write_bytes(b"1")
    return Model.C(layers=[1, 2], vocabulary=Vocabulary.C(words=words), weights=weights)


def test_saved_configuration_is_loaded_with_its_data_after_a_move(model: Model, tmp_path: Path) -> None:
    save(model, tmp_path / "saved")
    shutil.move(tmp_path / "saved", tmp_path / "moved")
    shutil.rmtree(tmp_path / "weights")
    found: Model = load(tmp_path / "moved")
    assert seal(found) == seal(model)
    assert found.layers == [1, 2]
    assert found.vocabulary.words.read_text() == "a b c"
    assert (found.weights / "1.bin").read_bytes() == b"1"
    live = load(tmp_path / "moved", as_instance=True)
    assert (type(live), live.layers, live.out) == (Model, [1, 2], tmp_path / "moved" / "out")


def test_loaded_configuration_can_be_used_and_copied(model: Model, tmp_path: Path) -> None:
    save(model, tmp_path / "saved")
    found: Model = load(tmp_path / "saved")
    assert seal(found.copy(layers=[3])) == seal(model.copy(layers=[3]))

    class Uses(Config):
        model: Param[Model]

    assert seal(Uses.C(model=found)) == seal(Uses.C(model=model))


def test_another_process_loads_it(model: Model, tmp_path: Path) -> None:
    save(model, tmp_path / "saved")
    code = "import sys; from xpm_core.wire.saving import load; print(load(sys.argv[1], as_instance=True).layers)"
    assert run("-c", code, tmp_path / "saved", cwd=tmp_path) == "[1, 2]"


def damaged(saved: Path) -> None:
    place = saved / "configuration.msgpack"
    place.write_bytes(place.read_bytes().replace(b"\x92\x01\x02", b"\x92\x01\x03"))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damaged, "its identity is"),
        (lambda saved: (saved / "configuration.json").unlink(), "no configuration was saved there"),
        (lambda saved: (saved / "configuration.json").write_text("{}"), "no configuration was saved there"),
        (lambda saved: shutil.rmtree(saved), "no configuration was saved there"),
    ],
)
def test_directory_that_was_changed_is_refused(damage: Any, message: str, model: Model, tmp_path: Path) -> None:
    save(model, tmp_path / "saved")
    damage(tmp_path / "saved")
    with pytest.raises(PayloadError, match=message):
        load(tmp_path / "saved")
