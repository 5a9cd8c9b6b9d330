"""`config.identity`: what the identity is or would be, with nothing sealed by asking."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from xpm_core import copyconfig, setmeta, tag
from xpm_core.config import Config, InstanceConfig, Meta, Param, PathGenerator, Task, deprecate, field
from xpm_core.errors import MissingParameterError, ParameterTypeError
from xpm_core.identity import seal
from xpm_core.language.graph.state import state_of


class Layer(InstanceConfig):
    width: Param[int] = 3


class Net(Config):
    layers: Param[list[Layer]] = field(default_factory=list)
    scales: Param[dict[str, float]] = field(default_factory=dict)


class Fit(Task):
    net: Param[Net]
    rate: Param[float] = 0.5
    out: Meta[Path] = field(default_factory=PathGenerator("out"))

    def __validate__(self) -> None:
        assert self.rate < 1

    def execute(self) -> None: ...


class New(Config):
    size: Param[int]
    net: Param[Net]


@deprecate(New)
class Old(Config):
    width: Param[int]
    net: Param[Net]

    def __convert__(self) -> New:
        return New.C(size=self.width, net=self.net)


class Named(Config):
    identity: Param[str]


def samples() -> list[Any]:
    layer = Layer.C()
    net = Net.C(layers=[layer, layer, Layer.C()], scales={"a": 1})
    with pytest.deprecated_call():
        old = Old.C(width=4, net=net)
    return [net, Fit.C(net=net, rate=tag(0.25)), old, setmeta(Net.C(), True), Named.C(identity="x")]


@pytest.mark.parametrize("number", range(len(samples())))
def test_identity_is_that_of_the_sealed_configuration_and_seals_nothing(number: int) -> None:
    config = samples()[number]
    found = config.__identifier__()
    assert (state_of(config).sealed, state_of(config).identity) == (False, None)
    assert found == config.__identifier__() == seal(copyconfig(config)) == seal(config) == config.__identifier__()


def test_what_is_below_can_still_be_changed_and_counts_then() -> None:
    fit = Fit.C(net=Net.C(layers=[Layer.C()]))
    before, layers = fit.identity, fit.net.layers
    layers.append(Layer.C(width=9))
    fit.net.scales["b"] = 2
    fit.net.layers[0].width = 5
    assert fit.net.layers is layers
    assert fit.identity not in (before, fit.net.identity)
    assert fit.identity == seal(fit)


def test_values_are_checked_but_not_validated() -> None:
    fit = Fit.C(net=Net.C(), rate=7)
    assert len(fit.identity) == 64
    fit.net.scales["b"] = "wide"  # type: ignore[assignment]
    with pytest.raises(ParameterTypeError, match=r"Fit\.net\.scales\['b'\]: expected float, got 'wide'"):
        _ = fit.identity
    assert state_of(fit.net).digest is None


def test_a_missing_value_is_told() -> None:
    with pytest.raises(MissingParameterError, match=r"Fit\.net: it has no value"):
        _ = Fit.C().identity


def test_a_parameter_of_that_name_is_read_as_one() -> None:
    assert Named.C(identity="x").identity == "x"


def test_task_in_a_notebook_shows_what_is_known_of_it() -> None:
    task = Fit.C(net=Net.C(), rate=tag(0.25)).tag("<i>", "<b>")
    page = task._repr_html_()
    assert task.identity in page
    assert "rate=0.25" in page
    assert "&lt;i&gt;=&lt;b&gt;" in page
    assert "not submitted" in page
    assert "<b>" not in page
    assert "Fit.net" in Fit.C()._repr_html_(), "what is missing"
    assert not hasattr(task.instance(), "_repr_html_"), "a live object is the user's own"
