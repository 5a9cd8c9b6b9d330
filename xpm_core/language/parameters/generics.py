"""Classes of configurations as kinds, and the type variables of generic classes, each of which stands for one type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xpm_core.errors import MismatchError, ParameterTypeError
from xpm_core.language.graph.state import EMPTY, is_configuration, state_of
from xpm_core.language.parameters.schema import ROOT, Parameter, schema_of, short_repr
from xpm_core.language.values.kinds import AnyKind, Kind

NUMBERS = frozenset({int, float})
"""Types that agree, because a parameter of type float takes an int."""

LONGEST = 60
"""Characters of a dict's entries that a message writes as arguments; more are left out."""


def current(cls: type) -> type:
    """A class as it is now: `%autoreload` gives the schema of the class that was loaded again to the one of before."""
    return cls.__xpm_schema__.cls  # type: ignore[attr-defined,no-any-return]


class ConfigKind(Kind):
    """A class of configurations. For a generic class, it has the types of the type variables that were given."""

    holds = True

    def __init__(self, cls: type, given: Mapping[Any, Kind] = EMPTY) -> None:
        self.cls, self.given = cls, given
        inside = ", ".join(kind.text for kind in given.values())
        self.text = f"{cls.__name__}[{inside}]" if inside else cls.__name__
        self._variables: dict[str, Kind] | None = None

    @property
    def variables(self) -> Mapping[str, Kind]:
        """The kinds of the parameters whose types have type variables, by parameter, if these were given."""
        if not self.given:
            return EMPTY
        if self._variables is None:  # late, because a generic class can have parameters of its own type
            parameters = self.cls.__xpm_schema__.parameters  # type: ignore[attr-defined]
            self._variables = {n: p.rebind(self.given) for n, p in parameters.items() if p.rebind is not None}
        return self._variables

    def check(self, value: Any) -> Any:
        if not isinstance(value, self.cls) and not isinstance(value, current(self.cls)):
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
        """The remedy for a value that is no configuration of the class; may be empty."""
        if isinstance(value, dict):
            given = ", ".join(f"{name}={short_repr(item)}" for name, item in value.items())
            fits = all(str(name).isidentifier() for name in value) and len(given) <= LONGEST
            maker = f"{self.cls.__name__}.C({given if fits else '...'})"
            return f"Pass {maker}, or make all of it of plain values: {ROOT}.from_dict({{...}})."
        if is_configuration(value):
            from xpm_core.language.parameters.duplicate_import import loaded_twice  # late, because only errors need it

            return loaded_twice(self.cls, value)
        return ""

    def check_parameter(self, config: Any, name: str, kind: Kind) -> None:
        """Check a parameter whose type has type variables, with the types that were given for these."""
        if name in config.__dict__:
            try:
                kind.check(config.__dict__[name])
            except MismatchError as error:
                error.trail = f".{name}{error.trail}"
                raise

    def fits(self, value: Any) -> bool:
        """Whether the types that the class of a value gives to type variables fit. Variables without a type fit."""
        unknown = dict.fromkeys(getattr(type(value), "__parameters__", ()), UnknownKind())
        bound = ConfigKind(type(value), unknown).bound(self.cls)
        return all(bound[variable].within(kind) for variable, kind in self.given.items() if variable in bound)

    def bound(self, base: type) -> Mapping[Any, Kind]:
        """The types that the type variables of a base stand for."""
        return self.given if base is self.cls else self.cls.__xpm_schema__.bind(self.given).get(base, EMPTY)  # type: ignore[attr-defined]

    def within(self, other: Kind) -> bool:
        if not isinstance(other, ConfigKind):
            return super().within(other)
        if not issubclass(self.cls, other.cls):
            return False
        bound = self.bound(other.cls) if other.given else EMPTY
        return all(variable in bound and bound[variable].within(kind) for variable, kind in other.given.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConfigKind) and self.cls is other.cls and self.given == other.given

    __hash__ = Kind.__hash__


class Collector(Kind):
    """Stands for a type variable, and keeps the first value of each class that it checks."""

    def __init__(self) -> None:
        self.values: dict[type, Any] = {}

    def check(self, value: Any) -> Any:
        self.values.setdefault(type(value), value)
        return value


class UnknownKind(AnyKind):
    """Stands for a type variable without a type: any type fits."""

    def within(self, other: Kind) -> bool:
        return True


class ClassKind(Kind):
    """Any class as an argument of a generic class. It is only compared, because no parameter can have such a value."""

    def __init__(self, cls: type) -> None:
        self.cls, self.text = cls, cls.__name__

    def within(self, other: Kind) -> bool:
        return issubclass(self.cls, other.cls) if isinstance(other, ClassKind) else super().within(other)


def hold_together(config: Any, where: str, last: str = "") -> None:
    """Refuse values for which a type variable would stand for two types.

    Args:
        config: A configuration of a generic class.
        where: Its path.
        last: The parameter that was assigned last. An error is about this one.

    Raises:
        ParameterTypeError: Two parameters do not agree; names both.
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
    """The type variables in the type of a parameter, each with the values that stand in its place."""
    if parameter.name not in config.__dict__ or parameter.rebind is None:
        return
    collectors = {variable: Collector() for variable in type(config).__parameters__}
    parameter.rebind(dict(collectors)).check(config.__dict__[parameter.name])
    for variable, collector in collectors.items():
        for value in collector.values.values():
            yield variable, value


def agree(one: Any, other: Any) -> bool:
    """Whether two values can be of one type that is not `object`."""
    first, second = type(one), type(other)
    if first is second or one is None or other is None or {first, second} == NUMBERS:
        return True
    if bool in (first, second):  # a bool is no int here
        return False
    if issubclass(first, second) or issubclass(second, first):
        return True
    return is_configuration(one) and any(issubclass(second, base) for base in own_classes(first))


def own_classes(cls: type) -> Iterator[type]:
    """The user's classes of configurations among the bases of a class."""
    for base in cls.__mro__:
        if "__xpm_schema__" in vars(base) and "__xpm_base__" not in vars(base):
            yield base


def disagreement(
    config: Any, where: str, variable: Any, first: tuple[Parameter, Any], second: tuple[Parameter, Any]
) -> ParameterTypeError:
    """The error about two values of one type variable."""
    name, value = second[0].name, second[1]
    by = f"{first[0].name}={short_repr(config.__dict__[first[0].name])}"
    expected = f"expected {type(first[1]).__name__}, which {variable.__name__} is by {by}"
    wrong = f"{expected}, got {short_repr(value)} ({type(value).__name__})"
    remedy = f"Give all that is declared as {variable.__name__} values of one type."
    return ParameterTypeError(f"{where}.{name}", wrong, remedy, state_of(config).place(name))
