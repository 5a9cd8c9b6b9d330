"""Numbers and texts that bring their tag to whatever parameter takes them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from helpers.yaml_files import document
from hypothesis import given
from hypothesis import strategies as st
from yaml_tasks import Learn, Momentum, Optimizer, Settings, Whole

from xpm_core import tag
from xpm_core.experiment_file.content.values import combinations
from xpm_core.language.graph.tagged_values import TaggedFloat, TaggedInt, TaggedText, bring_tags, without_tag
from xpm_core.wire import payload


def tagged(lr: float = 0.1, epochs: int = 3, name: str = "x") -> Settings:
    """A configuration whose values bring their tags."""
    config = Settings.C(optimizer=Optimizer.C(lr=tag(lr)), epochs=tag(epochs), name=tag(name))
    bring_tags(config)
    return config


def test_a_value_brings_its_tag_to_another_parameter_also_of_another_name() -> None:
    config = tagged()
    learn = Learn.C(lr=config.optimizer.lr, name=config.name)
    assert learn.tags() == {"lr": 0.1, "name": "x"}
    assert Optimizer.C(lr=config.epochs).tags() == {"lr": 3}
    assert [type(each) for each in (learn.lr, learn.name)] == [float, str]


def test_the_name_that_a_grid_gives_to_a_value_is_the_tag_that_it_brings(tmp_path: Path) -> None:
    text = "config:\n  optimizer: {lr: {grid: {slow: 0.1, fast: 0.5}}}\n  epochs: 1\n  name: {grid: {long: xyz}}\n"
    _, config = combinations(Settings, document(tmp_path, text)).configs
    assert Learn.C(lr=config.optimizer.lr, name=tag(config.name)).tags() == {"lr": "fast", "name": "long"}
    assert Learn.C(lr=copy.deepcopy(config).optimizer.lr).tags() == {"lr": "fast"}
    assert Learn.C(lr=config.optimizer.lr).lr == 0.5


def test_what_is_computed_of_a_value_has_no_tag() -> None:
    config = tagged()
    assert Learn.C(lr=config.optimizer.lr * 2, name=config.name + "y").tags() == {}
    assert (config.epochs + 1, config.optimizer.lr / 2, config.name.upper()) == (4, 0.05, "X")


def test_values_without_a_tag_bring_none_and_others_than_numbers_and_texts_stay() -> None:
    config = Settings.C(optimizer=Optimizer.C(lr=0.1), epochs=3, amp=tag(True))
    bring_tags(config)
    assert (type(config.optimizer.lr), type(config.epochs), config.amp) == (float, int, True)
    assert config.tags() == {"amp": True}


def test_a_list_takes_plain_values_of_it() -> None:
    from yaml_tasks import Many

    made = Many.C(widths=[tagged().epochs, 4], either=tagged().name, anything=tagged().epochs)
    assert [type(each) for each in made.widths] == [int, int]
    assert made.tags() == {"either": "x", "anything": 3}


numbers = st.floats(allow_nan=False)
whole = st.integers(-(1 << 80), 1 << 80)


@given(numbers, whole.filter(lambda n: n >= 1), st.text())
def test_bringing_a_tag_changes_neither_identity_nor_plain_values(lr: float, epochs: int, name: str) -> None:
    plain = Settings.C(optimizer=Momentum.C(lr=lr), epochs=epochs, name=name)
    config = Settings.C(optimizer=Momentum.C(lr=tag(lr)), epochs=tag(epochs), name=tag(name))
    bring_tags(config)
    assert isinstance(config.epochs, TaggedInt)
    assert config.to_dict() == plain.to_dict()
    assert [type(each) for each in config.to_dict().values()] == [type(each) for each in plain.to_dict().values()]
    assert config.identity == plain.identity
    assert Whole.C(settings=config).identity == Whole.C(settings=plain).identity


def test_payload_is_that_of_plain_values(tmp_path: Any) -> None:
    from xpm_core.language.identity.seal import seal

    whole, plain = Whole.C(settings=tagged()), Whole.C(settings=Settings.C(optimizer=Optimizer.C(lr=0.1), epochs=3))
    plain.settings.name = "x"
    assert seal(whole) == seal(plain)
    assert payload.pack(whole, tmp_path, {}) == payload.pack(plain, tmp_path, {})
    assert whole.tags() == {"epochs": 3, "lr": 0.1, "name": "x"}


@pytest.mark.parametrize(
    ("value", "plain"), [(TaggedInt(3), int), (TaggedFloat(0.5), float), (TaggedText("a"), str), (True, bool)]
)
def test_without_tag_is_of_the_plain_class(value: Any, plain: type) -> None:
    assert type(without_tag(value)) is plain
    assert without_tag(value) == value
    assert repr(without_tag(value)) == repr(value)
