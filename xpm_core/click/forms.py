"""The form of values on a command line: how people type values of each type.

Owns: which types can be typed at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, cast

import click

from xpm_core.language.values.kinds import (
    BoundedKind,
    EnumKind,
    Kind,
    ListKind,
    LiteralKind,
    NoneKind,
    PathKind,
    ScalarKind,
    SetKind,
    TupleKind,
    UnionKind,
)


@dataclass(frozen=True)
class Form:
    """How values of a type are typed.

    Attributes:
        type: The type for click; a tuple of types if one option takes several words.
        made: Makes the value from what click returns.
        written: Makes, from a value, what click shows as the default and reads again.
        multiple: Whether the option may be given several times.
        flag: Whether it is a pair of flags, `--amp` and `--no-amp`.
    """

    type: click.ParamType[Any] | tuple[click.ParamType[Any], ...]
    made: Callable[[Any], Any] = lambda given: given
    written: Callable[[Any], Any] = lambda value: value
    multiple: bool = False
    flag: bool = False


PLAIN: dict[Any, click.ParamType[Any]] = {int: click.INT, float: click.FLOAT, str: click.STRING, bool: click.BOOL}
MOMENTS: dict[Any, Callable[[str], Any]] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
}


def form_of(kind: Kind) -> Form | None:
    """The form of the values of a type; None if they cannot be typed."""
    if isinstance(kind, UnionKind):
        options = [option for option in kind.options if not isinstance(option, NoneKind)]
        return form_of(options[0]) if len(options) == 1 else None
    if isinstance(kind, BoundedKind):
        return form_of(kind.inner)
    if isinstance(kind, TupleKind) and not kind.repeated:
        forms = [form for form in map(word, kind.kinds) if form is not None]
        return several(forms) if len(forms) == len(kind.kinds) > 0 else None
    if isinstance(kind, TupleKind):
        return repeated(word(kind.kinds[0]), tuple)
    if isinstance(kind, SetKind):
        return repeated(word(kind.item), kind.cls)
    return repeated(word(kind.item), list) if isinstance(kind, ListKind) else word(kind)


def word(kind: Kind) -> Form | None:
    """The form of values that are one word; None if the values of the type are not."""
    if isinstance(kind, BoundedKind):
        return word(kind.inner)
    if isinstance(kind, ScalarKind) and kind.exact in PLAIN:
        return Form(PLAIN[kind.exact], flag=kind.exact is bool)
    if isinstance(kind, ScalarKind) and kind.exact in MOMENTS:
        return Form(click.STRING, MOMENTS[kind.exact], lambda value: value.isoformat())
    if isinstance(kind, PathKind):
        return Form(click.Path(path_type=Path), written=str)
    if isinstance(kind, EnumKind):
        members = dict(kind.cls.__members__)
        return Form(click.Choice(list(members)), members.__getitem__, lambda member: member.name)
    if isinstance(kind, LiteralKind):
        values = {str(value): value for value in kind.values}
        if len(values) == len(kind.values):
            return Form(click.Choice(list(values)), values.__getitem__, str)
    return None


def several(forms: list[Form]) -> Form:
    """One option that takes several words."""
    return Form(
        tuple(cast("click.ParamType[Any]", form.type) for form in forms),
        lambda given: tuple(form.made(each) for form, each in zip(forms, given, strict=True)),
        lambda value: tuple(form.written(each) for form, each in zip(forms, value, strict=True)),
    )


def repeated(item: Form | None, make: Callable[[Any], Any]) -> Form | None:
    """One option that may be given several times, each time with one item."""
    if item is None:
        return None
    made, written = item.made, item.written
    return Form(item.type, lambda given: make(map(made, given)), lambda value: list(map(written, value)), multiple=True)
