"""The configurations of an experiment's file: one for each combination of its grids, with tags."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

from xpm_core.errors import (
    ConfigurationError,
    ExperimentFileError,
    MissingParameterError,
    ParameterTypeError,
    UnknownParameterError,
)
from xpm_core.experiment_file.content import keys, overrides
from xpm_core.experiment_file.content.grid_forms import LONGEST, Option, is_grid, options
from xpm_core.experiment_file.content.merging import Document
from xpm_core.experiment_file.content.overrides import CONFIG, GivenText
from xpm_core.language.classes.declaration import complete
from xpm_core.language.dict_form.dict_reader import DictReader
from xpm_core.language.graph.state import is_configuration, state_of
from xpm_core.language.graph.tagged_values import bring_tags
from xpm_core.language.graph.tags import Label, Tagged, label_of
from xpm_core.language.graph.walk import reachable
from xpm_core.language.identity.seal import missing, validate
from xpm_core.language.parameters.generics import ConfigKind
from xpm_core.language.parameters.schema import schema_of
from xpm_core.language.values.kinds import BoundedKind, DictKind, Kind, UnionKind
from xpm_core.scalars import safe_repr
from xpm_core.tracebacks.callsite import CodeLine, format_line


class Axis(NamedTuple):
    """A grid of the file.

    Attributes:
        name: The name of the parameter, which is that of its tag.
        place: The line of the grid.
        options: Its values.
        labels: The tags of the values; the values that were read so far have theirs.
    """

    name: str
    place: CodeLine
    options: list[Option]
    labels: dict[int, Label]


class Combinations(NamedTuple):
    """What a function is called with.

    Attributes:
        configs: The configurations, one for each combination. The last grid varies fastest.
        axes: The grids.
    """

    configs: list[Any]
    axes: list[Axis]


def combinations(cls: Any, document: Document) -> Combinations:
    """Read the configurations of a file.

    Args:
        cls: The class of configurations that the function takes.
        document: The file.

    Raises:
        ConfigurationError: A value does not fit, is missing, or refused by a `__validate__`; names its line.
    """
    axes: dict[int, Axis] = {}
    first = _read(cls, document, axes, {})
    count = math.prod(len(axis.options) for axis in axes.values())
    if count > LONGEST:
        sizes = " x ".join(f"{axis.name} {len(axis.options)}" for axis in axes.values())
        wrong = f"its grids have {count} combinations ({sizes}), {LONGEST} are allowed"
        raise ExperimentFileError(document.at(CONFIG), wrong, "Give fewer values.")
    further = list(product(*(range(len(axis.options)) for axis in axes.values())))[1:]
    configs = [first, *(_read(cls, document, axes, dict(zip(axes, chosen, strict=True))) for chosen in further)]
    for axis in axes.values():
        _refuse_twice(axis)
    return Combinations(configs, list(axes.values()))


def _read(cls: Any, document: Document, axes: dict[int, Axis], chosen: Mapping[int, int]) -> Any:
    """One configuration, complete and valid, whose values bring their tags."""
    values = document.values.get(CONFIG)
    reader = ValueReader(document, axes, chosen)
    config = reader.configuration(cls, {} if values is None else values, cls.__name__)
    if lacking := missing(config):
        others = f"; nor has {' nor '.join(lacking[1:])}" if len(lacking) > 1 else ""
        remedy = f"Write it below {CONFIG}:, or give the parameter a default."
        place = document.at(CONFIG, *lacking[0].split(".")[1:])
        raise MissingParameterError(lacking[0], f"it has no value in {place}{others}", remedy)
    for trail, each in reachable(config):
        if schema_of(each).validates:
            validate(trail, each)
    bring_tags(config)
    return config


def _refuse_twice(axis: Axis) -> None:
    known: dict[Any, int] = {}
    for index, label in axis.labels.items():
        if (type(label), label) in known:
            place = format_line(axis.options[index].place)
            wrong = f"the grid of {axis.name} has {safe_repr(label)} twice"
            raise ExperimentFileError(place, wrong, "Keep one of them.")
        known[type(label), label] = index


class ValueReader(DictReader):
    """Reads the configuration of one combination.

    Args:
        document: The file.
        axes: Gets each grid, by the `id` of its form. A grid that an anchor of YAML repeats is one grid.
        chosen: The number of the value of each grid; the first one, if it is not there.
    """

    def __init__(self, document: Document, axes: dict[int, Axis], chosen: Mapping[int, int]) -> None:
        super().__init__(document.lines)
        self._axes, self._chosen = axes, chosen
        self._inside = ""

    def assigned(self, kind: Kind, plain: Any, where: str) -> Any:
        """The value of a parameter; of a grid the chosen one, with its tag."""
        form = plain.parsed if isinstance(plain, GivenText) else plain
        if not is_grid(form) or takes_entry(kind, next(iter(form))):
            try:
                return self.value(kind, plain, where)
            except ParameterTypeError as error:
                self._offer_a_grid(kind, form, where, error)
                raise
        if self._inside:
            wrong = f"a grid stands inside of the grid of {self._inside}"
            raise ExperimentFileError(f"{format_line(self.place)}: {where}", wrong, "Write it beside that grid.")
        axis = self._axes.get(id(form))
        if axis is None:
            found = options(form, self.lines, where)
            axis = self._axes[id(form)] = Axis(where.rpartition(".")[2], self.place, found, {})
        return self._chosen_of(axis, self._chosen.get(id(form), 0), kind, where)

    def _offer_a_grid(self, kind: Kind, form: Any, where: str, error: ParameterTypeError) -> None:
        """If a list was refused, and each of its values alone would fit, say so in an error."""
        if not isinstance(form, list) or not form or self._inside:
            return
        try:
            for each in form:
                self.value(kind, each, where)
        except ConfigurationError:
            return
        remedy = f"For several values, write a grid: {{grid: {safe_repr(form)}}}."
        raise ParameterTypeError(error.where, error.wrong, remedy, error.place) from None

    def _chosen_of(self, axis: Axis, index: int, kind: Kind, where: str) -> Any:
        option = axis.options[index]
        self.place, self._inside = option.place, where
        value = self.value(kind, option.plain, where)
        self._inside = ""
        label = axis.labels[index] = self._label(option, value, where)
        if is_configuration(value):  # so that whatever uses it has the tag
            own = state_of(value)
            own.tags = {**own.tags, axis.name: (label, option.place, False)}
            return value
        return Tagged(value, label)

    def _label(self, option: Option, value: Any, where: str) -> Label:
        if option.name is not None:
            return option.name
        try:
            return label_of(value)
        except ParameterTypeError:
            wrong = f"{type(value).__name__} is no type of tags, so the values of the grid need names"
            remedy = "Write {grid: {small: ..., large: ...}}."
            raise ExperimentFileError(f"{format_line(option.place)}: {where}", wrong, remedy) from None

    def value(self, kind: Kind, given: Any, where: str) -> Any:
        """A value; of a text from the command line what its type makes of it."""
        if not isinstance(given, GivenText):
            if is_grid(given) and not takes_entry(kind, next(iter(given))):
                wrong = "a grid stands for a part of a value"
                remedy = "Write a grid of whole values of a parameter."
                raise ExperimentFileError(f"{format_line(self.place)}: {where}", wrong, remedy)
            return super().value(kind, given, where)
        try:
            return super().value(kind, given.parsed, where)
        except ConfigurationError as error:
            if not isinstance(given.parsed, str):
                try:
                    return super().value(kind, str(given), where)
                except ConfigurationError:
                    pass
            raise error from None

    def unknown(self, name: Any, known: Mapping[str, Any], where: str) -> Any:
        """Refuse a name; one of experimaestro's with what to write here."""
        try:
            super().unknown(name, known, where)
        except UnknownParameterError as error:
            instead = overrides.remedy_for(error.place or "") or keys.INSTEAD.get(name)
            if instead and not error.remedy.startswith("Did you mean"):
                raise UnknownParameterError(error.where, error.wrong, instead, error.place) from None
            raise


def takes_entry(kind: Kind, name: str) -> bool:
    """Whether a dict with an entry of that name is a value of a type, and so is no grid."""
    return any(isinstance(each, DictKind) or _has_parameter(each, name) for each in _options(kind))


def _options(kind: Kind) -> Iterator[Kind]:
    if isinstance(kind, UnionKind):
        for option in kind.options:
            yield from _options(option)
    elif isinstance(kind, BoundedKind):
        yield from _options(kind.inner)
    else:
        yield kind


def _has_parameter(kind: Kind, name: str) -> bool:
    if not isinstance(kind, ConfigKind):
        return False
    complete(kind.cls, last=True)
    return name in kind.cls.__xpm_schema__.parameters  # type: ignore[attr-defined]
