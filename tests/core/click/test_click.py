"""Options of a script's command line that come from parameters."""

from __future__ import annotations

import json
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import click
import pytest
import rich_click
from click.testing import CliRunner

from xpm_core import Bounds, Config, Constant, Meta, Param, PathGenerator, Task, field
from xpm_core.click import arguments, forward_all, forwardoption, from_options
from xpm_core.errors import DeclarationError, ParameterTypeError, UnknownParameterError


class Loss(Enum):
    CROSS = "cross-entropy"
    HINGE = "hinge"


class Schedule(Config):
    warmup: Param[int] = field(default=10)


class Optimizer(Config):
    """How to descend.

    Attributes:
        lr: Learning rate
    """

    lr: Param[float] = field(default=0.1)
    schedule: Param[Schedule] = field(default=Schedule.C(warmup=20))


class Adam(Optimizer):
    beta: Param[float] = field(default=0.9)


class Learn(Config):
    epochs: Param[int]
    "Number of epochs"
    optimizer: Param[Optimizer] = field(default=Adam.C(lr=0.3))
    loss: Param[Loss] = field(default=Loss.CROSS)
    amp: Param[bool] = field(default=False)
    device: Param[Literal["cpu", "cuda"]] = field(default="cpu")
    dropout: Param[Annotated[float, Bounds(ge=0, lt=1)]] = field(default=0.0)
    layers: Param[list[int]] = field(default_factory=lambda: [3, 3])
    window: Param[tuple[int, float]] = field(default=(1, 0.5))
    folds: Param[set[str]] = field(default_factory=set)
    since: Param[date | None] = field(default=None)
    cache: Meta[Path] = field(default=Path("cache"))
    names: Param[tuple[str, ...] | None] = field(default=None)
    version: Constant[str] = "2"
    checkpoint: Meta[Path] = field(default_factory=PathGenerator("model.bin"))


def typed(command: click.Command, *words: str) -> dict[str, Any]:
    """What a command gets of a line."""
    result = CliRunner().invoke(command, words, standalone_mode=False, catch_exceptions=False)
    return result.return_value  # type: ignore[no-any-return]


def message(command: click.Command, *words: str) -> str:
    """What is said of a line that is wrong."""
    result = CliRunner().invoke(command, words)
    assert result.exit_code == 2, result.output
    return result.output


def taking(*decorators: Any) -> click.Command:
    """A command with options, which returns what it gets."""

    def command(**options: Any) -> dict[str, Any]:
        return options

    for decorator in reversed(decorators):
        command = decorator(command)
    return click.command()(command)


def test_option_has_name_type_help_and_default_of_the_parameter() -> None:
    command = taking(forwardoption(arguments(Learn).epochs, default=5), forwardoption(arguments(Learn).optimizer.lr))
    assert typed(command) == {"epochs": 5, "optimizer_lr": 0.3}
    assert typed(command, "--epochs", "7", "--optimizer-lr", "1") == {"epochs": 7, "optimizer_lr": 1.0}
    shown = CliRunner().invoke(command, ["--help"]).output
    assert "--epochs INTEGER" in shown
    assert "Number of epochs" in shown
    assert "Learning rate" in shown
    assert "[default: 0.3]" in shown


def test_parameter_without_default_makes_a_required_option() -> None:
    assert "Missing option '--epochs'" in message(taking(forwardoption(arguments(Learn).epochs)))


def test_option_by_attribute_can_have_another_name() -> None:
    command = taking(forwardoption.epochs(Learn, "number-of-epochs"), forwardoption.optimizer.lr(Learn, "--rate"))
    assert typed(command, "--number-of-epochs", "3", "--rate", "0.5") == {"number_of_epochs": 3, "rate": 0.5}


def test_nested_parameter_has_the_default_of_the_default_configuration() -> None:
    command = taking(
        forwardoption(arguments(Learn).optimizer.schedule.warmup), forwardoption.optimizer.beta(Learn, help="Momentum")
    )
    assert typed(command) == {"optimizer_schedule_warmup": 20, "optimizer_beta": 0.9}
    assert "Momentum" in CliRunner().invoke(command, ["--help"]).output


@pytest.mark.parametrize(
    ("name", "words", "value"),
    [
        ("loss", ["--loss", "HINGE"], Loss.HINGE),
        ("loss", [], Loss.CROSS),
        ("amp", ["--amp"], True),
        ("amp", ["--no-amp"], False),
        ("device", ["--device", "cuda"], "cuda"),
        ("dropout", ["--dropout", "0.5"], 0.5),
        ("layers", ["--layers", "1", "--layers", "2"], [1, 2]),
        ("layers", [], [3, 3]),
        ("window", ["--window", "2", "0.1"], (2, 0.1)),
        ("window", [], (1, 0.5)),
        ("folds", ["--folds", "a", "--folds", "b"], {"a", "b"}),
        ("folds", [], set()),
        ("since", ["--since", "2024-02-29"], date(2024, 2, 29)),
        ("since", [], None),
        ("cache", ["--cache", "/tmp/x"], Path("/tmp/x")),
        ("names", ["--names", "a"], ("a",)),
        ("names", [], None),
    ],
)
def test_value_is_typed_as_its_type_asks(name: str, words: list[str], value: Any) -> None:
    command = taking(getattr(forwardoption, name)(Learn))
    found = typed(command, *words)[name]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("epochs", ["--epochs", "x"], "'x' is not a valid integer"),
        ("loss", ["--loss", "hinge"], "'hinge' is not one of 'CROSS', 'HINGE'"),
        ("device", ["--device", "tpu"], "'tpu' is not one of 'cpu', 'cuda'"),
        ("dropout", ["--dropout", "1"], "Invalid value for '--dropout': expected float >= 0 and < 1, got 1.0."),
        ("since", ["--since", "today"], "Invalid value for '--since': expected date | None: Invalid isoformat"),
    ],
)
def test_wrong_word_is_refused_with_what_is_expected(name: str, words: list[str], said: str) -> None:
    assert said in message(taking(getattr(forwardoption, name)(Learn)), *words)


def test_every_parameter_is_forwarded_and_makes_a_configuration() -> None:
    @click.command()
    @forward_all(Learn, exclude=["window", "optimizer.schedule"])
    @click.option("--workdir", default="here")
    def command(workdir: str, **options: Any) -> Learn:
        return from_options(Learn, options, window=(9, 0.1))

    names = {option.name for option in command.params}
    assert names == {
        *("epochs", "optimizer_lr", "optimizer_beta", "loss", "amp", "device", "dropout", "layers"),
        *("folds", "since", "cache", "names", "workdir"),
    }
    learn: Any = typed(command, "--epochs", "3", "--optimizer-beta", "0.5", "--loss", "HINGE")
    assert (learn.epochs, learn.loss, learn.window, learn.layers) == (3, Loss.HINGE, (9, 0.1), [3, 3])
    assert type(learn.optimizer) is Adam
    assert (learn.optimizer.beta, learn.optimizer.lr, learn.optimizer.schedule.warmup) == (0.5, 0.3, 20)


def test_options_stand_in_the_order_of_the_parameters() -> None:
    command = taking(forward_all(Learn))
    assert [option.name for option in command.params][:4] == [
        *("epochs", "optimizer_lr", "optimizer_schedule_warmup", "optimizer_beta")
    ]


class Prepare(Task):
    def execute(self) -> None: ...


class Unfit(Config):
    table: Param[dict[str, int]]
    data: Param[Prepare]
    mixed: Param[int | str]
    fine: Param[int]


def test_types_that_cannot_be_typed_are_named_together() -> None:
    with pytest.raises(DeclarationError) as error:
        forward_all(Unfit)
    assert str(error.value) == (
        "Unfit: table (dict[str, int]) and data (Prepare) and mixed (int | str) cannot be typed as options. "
        "Leave out: exclude=['table', 'data', 'mixed']."
    )
    assert [option.name for option in taking(forward_all(Unfit, exclude=["table", "data", "mixed"])).params] == ["fine"]


def test_mistakes_of_the_script_are_told_when_it_is_read() -> None:
    with pytest.raises(UnknownParameterError, match=r"Learn: unknown parameter 'epoch'\. Did you mean 'epochs'\?"):
        arguments(Learn).epoch  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(UnknownParameterError, match=r"Learn\.optimizer: unknown parameter 'momentum'\. Parameters are"):
        forwardoption.optimizer.momentum(Learn)
    with pytest.raises(UnknownParameterError, match=r"unknown parameter 'x'\. Learn\.epochs has no parameters"):
        forwardoption.epochs.x(Learn)
    with pytest.raises(UnknownParameterError, match="Did you mean 'epochs'"):
        forward_all(Learn, exclude=["epoch"])
    with pytest.raises(DeclarationError, match=r"Unfit\.table: a value of type dict\[str, int\] cannot be typed"):
        forwardoption(arguments(Unfit).table)
    with pytest.raises(DeclarationError, match=r"Learn\.optimizer: a value of type Optimizer cannot be typed"):
        forwardoption(arguments(Learn).optimizer)
    with pytest.raises(DeclarationError, match=r"Learn: no parameter is named"):
        forwardoption(arguments(Learn))
    with pytest.raises(DeclarationError, match="'epochs' names no parameter"):
        forwardoption("epochs")
    with pytest.raises(DeclarationError, match="is no class of configurations"):
        arguments(int)
    with pytest.raises(ParameterTypeError, match=r"Learn\.epochs: the default of its option: expected int, got 'x'"):
        forwardoption(arguments(Learn).epochs, default="x")


def test_callback_of_the_script_gets_the_value() -> None:
    def callback(ctx: click.Context, option: click.Parameter, value: Loss) -> str:
        return value.value

    assert typed(taking(forwardoption(arguments(Learn).loss, callback=callback))) == {"loss": "cross-entropy"}


def test_options_work_in_groups() -> None:
    @click.group()
    @forwardoption(arguments(Learn).amp)
    @click.pass_context
    def group(ctx: click.Context, amp: bool) -> None:
        ctx.obj = amp

    @group.command()
    @forwardoption(arguments(Learn).epochs)
    @click.pass_obj
    def learn(amp: bool, epochs: int) -> None:
        click.echo(json.dumps([amp, epochs]))

    assert CliRunner().invoke(group, ["--amp", "learn", "--epochs", "2"]).output == "[true, 2]\n"


def test_options_work_with_rich_click() -> None:
    @rich_click.command()
    @forward_all(Learn)
    @rich_click.option("--other", help="Another one")
    def command(other: str, **options: Any) -> None:
        rich_click.echo(options["epochs"])

    assert CliRunner().invoke(command, ["--epochs", "2"]).output == "2\n"
    shown = CliRunner().invoke(command, ["--help"]).output
    assert "Number of epochs" in shown
    assert "--amp" in shown
