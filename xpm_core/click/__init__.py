"""Parameters as options of a script's command line, with click: name, type, default and help come from the parameter.

`arguments` names a parameter. `forwardoption` makes an option of it, `forward_all` of all parameters of a class.
`from_options` makes a configuration of the given options.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar, cast

import click

from xpm_core.click.forms import Form, form_of
from xpm_core.click.naming import Arguments, Selection, arguments, selected
from xpm_core.config.composition import copyconfig
from xpm_core.errors import DeclarationError, MismatchError
from xpm_core.language.graph.state import is_configuration
from xpm_core.language.parameters.generics import ConfigKind
from xpm_core.language.parameters.schema import MISSING, refusal
from xpm_core.tracebacks.edges import edge

__all__ = ["arguments", "forward_all", "forwardoption", "from_options"]

C = TypeVar("C")
F = TypeVar("F", bound=Callable[..., Any])


class Forward:
    """Makes an option of a parameter. Scripts use its one instance, `forwardoption`."""

    __slots__ = ("__names",)

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self.__names = names

    def __getattr__(self, name: str) -> Forward:
        if name.startswith("__"):  # Python itself looks for such names
            raise AttributeError(name)
        return Forward((*self.__names, name))

    @edge
    def __call__(self, argument: Any, name: str | None = None, **attributes: Any) -> Callable[[F], F]:
        """Return a decorator that adds the option to a command.

        Args:
            argument: The parameter, `arguments(Learn).epochs`; or the class, in `forwardoption.epochs(Learn)`.
            name: Name of the option if it is not that of the parameter: `"rate"` or `"--rate"`.
            attributes: Arguments of `click.option` that replace those of the parameter, such as `default`.

        Raises:
            UnknownParameterError: The class has no such parameter.
            DeclarationError: Values of that type cannot be typed on a command line.

        Example:
            >>> @click.command()
            ... @forwardoption(arguments(Learn).epochs, default=10)
            ... def main(epochs): ...
        """
        if not self.__names:
            return option(Arguments.selection(argument), name, attributes)
        selection = selected(argument)
        for step in self.__names:
            selection = selection.select(step)
        return option(selection, name, attributes)


forwardoption = Forward()
"""A decorator that makes an option of a parameter.

Args:
    argument: The parameter, `arguments(Learn).epochs`; or the class, in `forwardoption.epochs(Learn)`.
    name: Name of the option if it is not that of the parameter: `"rate"` or `"--rate"`.
    attributes: Arguments of `click.option` that replace those of the parameter, such as `default`.

Raises:
    UnknownParameterError: The class has no such parameter.
    DeclarationError: Values of that type cannot be typed on a command line.

Example:
    >>> @click.command()
    ... @forwardoption(arguments(Learn).epochs)
    ... @forwardoption(arguments(Learn).optimizer.lr)
    ... @forwardoption.seed(Learn, "random-seed")
    ... def main(epochs, optimizer_lr, random_seed): ...
"""


def option(selection: Selection, name: str | None, attributes: Mapping[str, Any]) -> Callable[[F], F]:
    """Return the decorator that adds the option of a parameter."""
    form = form_of(selection.kind)
    if form is None:
        wrong = f"a value of type {selection.kind.text} cannot be typed as an option"
        raise DeclarationError(
            selection.where, wrong, "Name a parameter below it, or write a click.option of your own."
        )
    given = dict(attributes)
    default = given.pop("default", selection.default)
    known: dict[str, Any] = {
        "type": form.type,
        "help": selection.known.help or None,
        "show_default": True,
        "multiple": form.multiple,
        "callback": checked(selection, form, default, given.pop("callback", None)),
    }
    if default is MISSING:
        known["required"] = True
    elif default is not None:
        known["default"] = form.written(checked_default(selection, default))
    dashed = (name or "-".join(selection.names)).lstrip("-").replace("_", "-")
    spelling = f"--{dashed}/--no-{dashed}" if form.flag else f"--{dashed}"
    return click.option(spelling, dashed.replace("-", "_"), **{**known, **given})


def checked_default(selection: Selection, value: Any) -> Any:
    try:
        return selection.kind.check(value)
    except MismatchError as error:
        raise refusal(f"{selection.where}: the default of its option", error, None) from None


def checked(selection: Selection, form: Form, default: Any, then: Callable[..., Any] | None) -> Callable[..., Any]:
    """Return the callback of an option. It makes the value of the typed words, and checks it as the parameter does."""

    def callback(ctx: click.Context, parameter: click.Parameter, given: Any) -> Any:
        absent = given is None or (form.multiple and not given and default is None)
        value = None
        try:
            value = None if absent else selection.kind.check(form.made(given))
        except MismatchError as error:
            raise click.BadParameter(f"expected {error.expected}, got {error.value!r}.", ctx, parameter) from None
        except ValueError as error:
            raise click.BadParameter(f"expected {selection.kind.text}: {error}.", ctx, parameter) from None
        return value if then is None else then(ctx, parameter, value)

    return callback


@edge
def forward_all(cls: type, *, exclude: Collection[str] = ()) -> Callable[[F], F]:
    """Return a decorator that makes an option of each parameter of a class and of the configurations below it.

    Constants are left out, and so are paths that are made in the job's directory.

    Args:
        cls: The class.
        exclude: Parameters to leave out: `"seed"`, `"optimizer.lr"`, or `"optimizer"` with all parameters below it.

    Raises:
        DeclarationError: Values of some parameters cannot be typed on a command line; names all of these parameters.
        UnknownParameterError: A parameter to leave out does not exist.

    Example:
        >>> @click.command()
        ... @forward_all(Learn, exclude=["seed"])
        ... def main(**options):
        ...     learn = from_options(Learn, options, seed=0)
    """
    for name in exclude:
        selection = selected(cls)
        for step in name.split("."):
            selection = selection.select(step)
    found = list(leaves(selected(cls), frozenset(exclude)))
    if unfit := {".".join(each.names): each.kind.text for each in found if form_of(each.kind) is None}:
        wrong = f"{' and '.join(f'{name} ({text})' for name, text in unfit.items())} cannot be typed as options"
        raise DeclarationError(cls.__name__, wrong, f"Leave out: exclude={[*exclude, *unfit]!r}.")

    def decorate(function: F) -> F:
        for each in reversed(found):
            function = option(each, None, {})(function)
        return function

    return decorate


def leaves(selection: Selection, exclude: frozenset[str], around: tuple[type, ...] = ()) -> Iterator[Selection]:
    """The parameters to forward. In the place of a nested configuration stand its parameters."""
    for each in selection.below():
        if ".".join(each.names) in exclude or each.known.role == "constant" or each.known.generated:
            continue
        inside = each.inside if isinstance(each.kind, ConfigKind) else None
        if inside is None or inside.__xpm_schema__.task or inside in around:  # type: ignore[attr-defined]
            yield each
        else:
            yield from leaves(each, exclude, (*around, inside))


@edge
def from_options(cls: type[C], options: Mapping[str, Any], **others: Any) -> C:
    """Make a configuration of options that were given on the command line.

    Args:
        cls: The class.
        options: Values by name of option, as `forward_all` names them (`optimizer_lr`). Other names are ignored.
        others: Values of further parameters.

    Returns:
        The configuration.

    Raises:
        ConfigurationError: A value does not fit its parameter.

    Example:
        >>> learn = from_options(Learn, {"optimizer_lr": 0.1}, seed=0)
    """
    return cast(C, configured(selected(cls), options, others))


def configured(selection: Selection, options: Mapping[str, Any], others: Mapping[str, Any]) -> Any:
    values = dict(others)
    for each in selection.below():
        name = each.names[-1]
        if name not in values and each.variable in options:
            values[name] = options[each.variable]
        elif name not in values and given_below(each, options):
            values[name] = configured(each, options, {})
    if is_configuration(selection.default):
        return copyconfig(selection.default, **values)
    assert selection.inside is not None, "it has parameters below it"
    return selection.inside(**values)


def given_below(selection: Selection, options: Mapping[str, Any]) -> bool:
    """Whether there are options for parameters below one."""
    if not any(name.startswith(f"{selection.variable}_") for name in options):
        return False
    return any(each.variable in options or given_below(each, options) for each in selection.below())
