"""Classes of configurations as types, and what the type variables of generic ones stand for: one type each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xpm_core.errors import MismatchError, ParameterTypeError
from xpm_core.language.graph.state import NOTHING, is_configuration, state
from xpm_core.language.parameters.schema import ROOT, Parameter, schema_of, shortened
from xpm_core.language.values.kinds import AnyKind, Kind

NUMBERS = frozenset({int, float})
"""They go together, because an int is taken where a float is declared."""

LONGEST = 60
"""Up to so many characters, a message writes the arguments that a dict has."""


class ConfigKind(Kind):
    """A class of configurations; of a generic one with the types of its variables, as far as they were given."""

    holds = True

    def __init__(self, cls: type, given: Mapping[Any, Kind] = NOTHING) -> None:
        self.cls, self.given = cls, given
        inside = ", ".join(kind.text for kind in given.values())
        self.text = f"{cls.__name__}[{inside}]" if inside else cls.__name__
        self._variables: dict[str, Kind] | None = None

    @property
    def variables(self) -> Mapping[str, Kind]:
        """The types of the parameters that the class declares with variables of which the types were given."""
        if not self.given:
            return NOTHING
        if self._variables is None:  # not earlier: a generic class may have parameters of its own type
            parameters = self.cls.__xpm_schema__.parameters  # type: ignore[attr-defined]
            self._variables = {n: p.rebind(self.given) for n, p in parameters.items() if p.rebind is not None}
        return self._variables

    def check(self, value: Any) -> Any:
        if not isinstance(value, self.cls):
            if value is self.cls or (isinstance(value, type) and issubclass(value, self.cls)):
                raise self.mismatch(value, f"Pass a configuration of it: {value.__name__}.C(...).")
            raise self.mismatch(value, self.instead(value))
        if not is_configuration(value):
            raise self.mismatch(value, "Pass the configuration, not the live object made of it.")
        for name, kind in self.variables.items():
            self.check_parameter(value, name, kind)
        if self.given and not self.fits(value):
            raise self.mismatch(value)
        return value

    def instead(self, value: Any) -> str:
        """What to pass in the place of a value that is no configuration of the class."""
        if isinstance(value, dict):
            given = ", ".join(f"{name}={shortened(item)}" for name, item in value.items())
            fits = all(str(name).isidentifier() for name in value) and len(given) <= LONGEST
            maker = f"{self.cls.__name__}.C({given if fits else '...'})"
            return f"Pass {maker}, or make all of it of plain values: {ROOT}.from_dict({{...}})."
        if is_configuration(value):
            from xpm_core.language.parameters.duplicate_import import loaded_twice  # which is seldom needed

            return loaded_twice(self.cls, value)
        return ""

    def check_parameter(self, config: Any, name: str, kind: Kind) -> None:
        """Check the parameter whose type is a variable of the class against the type given for that."""
        if name in config.__dict__:
            try:
                kind.check(config.__dict__[name])
            except MismatchError as error:
                error.trail = f".{name}{error.trail}"
                raise

    def fits(self, value: Any) -> bool:
        """Whether types that the class of a value has put in the place of variables fit; those not given do."""
        unknown = dict.fromkeys(getattr(type(value), "__parameters__", ()), UnknownKind())
        bound = ConfigKind(type(value), unknown).bound(self.cls)
        return all(bound[variable].within(kind) for variable, kind in self.given.items() if variable in bound)

    def bound(self, base: type) -> Mapping[Any, Kind]:
        """What the variables of a base stand for."""
        return self.given if base is self.cls else self.cls.__xpm_schema__.bind(self.given).get(base, NOTHING)  # type: ignore[attr-defined]

    def within(self, other: Kind) -> bool:
        if not isinstance(other, ConfigKind):
            return super().within(other)
        if not issubclass(self.cls, other.cls):
            return False
        bound = self.bound(other.cls) if other.given else NOTHING
        return all(variable in bound and bound[variable].within(kind) for variable, kind in other.given.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConfigKind) and self.cls is other.cls and self.given == other.given

    __hash__ = Kind.__hash__


class Collector(Kind):
    """Stands in the place of a type variable, and keeps the first value of each class that is there."""

    def __init__(self) -> None:
        self.values: dict[type, Any] = {}

    def check(self, value: Any) -> Any:
        self.values.setdefault(type(value), value)
        return value


class UnknownKind(AnyKind):
    """What a variable stands for that was not given: any type."""

    def within(self, other: Kind) -> bool:
        return True


class ClassKind(Kind):
    """Any class as an argument of a generic one. No parameter can have such a value: it is only compared."""

    def __init__(self, cls: type) -> None:
        self.cls, self.text = cls, cls.__name__

    def within(self, other: Kind) -> bool:
        return issubclass(self.cls, other.cls) if isinstance(other, ClassKind) else super().within(other)


def hold_together(config: Any, where: str, last: str = "") -> None:
    """Refuse values that let a type variable stand for two types.

    Args:
        config: A configuration of a generic class.
        where: The path to it.
        last: The parameter that was assigned last, which an error is to be about.

    Raises:
        ParameterTypeError: Names two parameters that do not agree.
    """
    found: dict[Any, list[tuple[Parameter, Any]]] = {}
    for parameter in sorted(schema_of(config).tied, key=lambda each: each.name == last):
        for variable, value in values_of_variables(config, parameter):
            before = found.setdefault(variable, [])
            for other, known in before:
                if other is not parameter and not agree(known, value):
                    raise disagreement(config, where, variable, (other, known), (parameter, value))
            before.append((parameter, value))


def values_of_variables(config: Any, parameter: Parameter) -> Iterator[tuple[Any, Any]]:
    """The values that the parameter of a configuration holds where its type has variables, each with its variable."""
    if parameter.name not in config.__dict__ or parameter.rebind is None:
        return
    collectors = {variable: Collector() for variable in type(config).__parameters__}
    parameter.rebind(dict(collectors)).check(config.__dict__[parameter.name])
    for variable, collector in collectors.items():
        for value in collector.values.values():
            yield variable, value


def agree(one: Any, other: Any) -> bool:
    """Whether two values can be of one type, other than `object`."""
    first, second = type(one), type(other)
    if first is second or one is None or other is None or {first, second} == NUMBERS:
        return True
    if bool in (first, second):  # which is no int here
        return False
    if issubclass(first, second) or issubclass(second, first):
        return True
    return is_configuration(one) and any(issubclass(second, base) for base in own_classes(first))


def own_classes(cls: type) -> Iterator[type]:
    """The classes of configurations among the bases of one that are not ours."""
    for base in cls.__mro__:
        if "__xpm_schema__" in vars(base) and "__xpm_base__" not in vars(base):
            yield base


def disagreement(
    config: Any, where: str, variable: Any, first: tuple[Parameter, Any], second: tuple[Parameter, Any]
) -> ParameterTypeError:
    """The error about two values of one type variable."""
    name, value = second[0].name, second[1]
    by = f"{first[0].name}={shortened(config.__dict__[first[0].name])}"
    expected = f"expected {type(first[1]).__name__}, which {variable.__name__} is by {by}"
    wrong = f"{expected}, got {shortened(value)} ({type(value).__name__})"
    remedy = f"Give all that is declared as {variable.__name__} values of one type."
    return ParameterTypeError(f"{where}.{name}", wrong, remedy, state(config).place(name))
