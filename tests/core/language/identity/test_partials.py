"""Partial identifiers: which parameters are in them, and the directories that they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_core.config import Config, Meta, Param, PathGenerator, Task, field, param_group, partial
from xpm_core.errors import DeclarationError
from xpm_core.identity import partial_identity, seal
from xpm_core.language.identity.partials import Partial
from xpm_core.wire import payload

iterations = param_group("iterations")
architecture = param_group("architecture")


class Optimiser(Config):
    steps: Param[int] = field(default=1, groups=[iterations])
    rate: Param[float] = 0.1


class Learn(Task):
    checkpoints = partial(exclude_groups=[iterations])
    shape = partial(exclude_all=True, include_groups=[architecture])
    grouped = partial(exclude_no_group=True)

    rate: Param[float]
    epochs: Param[int] = field(groups=[iterations])
    layers: Param[int] = field(default=1, groups=[architecture, iterations])
    optimiser: Param[Optimiser] = field(default_factory=Optimiser.C)
    checkpoint: Meta[Path] = field(default_factory=PathGenerator("model.pt", partial=checkpoints))

    def execute(self) -> None: ...


def identities(which: Partial, *configs: Config) -> list[str]:
    for config in configs:
        seal(config)
    return [partial_identity(config, which.takes) for config in configs]


def test_partial_identity_leaves_out_a_group() -> None:
    short, long = Learn.C(rate=1, epochs=1), Learn.C(rate=1, epochs=2, layers=3)
    other = Learn.C(rate=2, epochs=1)
    nested = Learn.C(rate=1, epochs=1, optimiser=Optimiser.C(steps=5))
    one, two, three, four = identities(Learn.checkpoints, short, long, other, nested)
    assert one == two == four != three
    assert seal(short) != seal(long)


def test_groups_taken_in_override_those_left_out() -> None:
    one, two, three = identities(
        Learn.shape, Learn.C(rate=1, epochs=1), Learn.C(rate=2, epochs=2), Learn.C(rate=1, epochs=1, layers=2)
    )
    assert one == two != three


def test_parameters_of_no_group_can_be_left_out() -> None:
    one, two, three = identities(
        Learn.grouped, Learn.C(rate=1, epochs=1), Learn.C(rate=2, epochs=1), Learn.C(rate=1, epochs=2)
    )
    assert one == two != three


def test_partial_identity_is_never_a_full_one() -> None:
    everything = partial()
    config = Learn.C(rate=1, epochs=1)
    assert identities(everything, config) != [seal(config)]


def test_shared_path_lies_in_the_workspace(tmp_path: Path) -> None:
    paths = []
    for epochs in (1, 2):
        config = Learn.C(rate=1, epochs=epochs)
        data = payload.pack(config, tmp_path)
        live = payload.load(data, workspace=tmp_path, identity=seal(config), jobpath=tmp_path / f"jobs/learn/{epochs}")
        assert isinstance(live, Learn)
        paths.append(live.checkpoint)
    assert paths[0] == paths[1]
    assert paths[0].relative_to(tmp_path).parts[0] == "partials"
    assert paths[0].parts[-3:] == ("checkpoints", *identities(Learn.checkpoints, Learn.C(rate=1, epochs=1)), "model.pt")


def test_partial_without_a_name_names_no_directory() -> None:
    class Unnamed(Config):
        path: Meta[Path] = field(default_factory=PathGenerator("x", partial=partial()))

    with pytest.raises(DeclarationError, match="a partial identifier has no name"):
        Unnamed.C().instance()
