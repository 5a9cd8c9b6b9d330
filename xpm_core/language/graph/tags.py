"""Tags: names for the values that an experiment varies. A configuration has its own tags and those of its parts."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from hashlib import sha256
from itertools import product
from pathlib import PurePath
from typing import Any, TypeVar, cast
from urllib.parse import quote

from xpm_core.errors import ParameterTypeError
from xpm_core.language.graph.state import is_configuration, state_of
from xpm_core.language.graph.tagged_values import PLAIN, label_brought
from xpm_core.language.graph.walk import children, path_root
from xpm_core.scalars import plain_scalar, safe_repr
from xpm_core.tracebacks.callsite import CodeLine, caller, format_line
from xpm_core.tracebacks.edges import edge

T = TypeVar("T")
Label = str | int | float | bool

WARNED: dict[Any, Any] = {}
"""The warnings that were given already, because tags are collected again and again."""

COMPONENT_BYTES = 255
"""Bytes of the longest name that a file can have."""

LONGEST_INTEGER = 1024
"""Bits that an integer may have as a tag."""

UNNAMED = "Tag a text, a number or an Enum, or name the tag: learn.tag('size', '64x64')."


class LabelText(str):
    """The tag of a value that is no text, number or bool, as a text.

    Attributes:
        path: The form of the tag in names of files. It differs from the form of every plain text.
    """

    path: str

    def __new__(cls, text: str, path: str = "") -> LabelText:
        found = super().__new__(cls, text)
        found.path = path
        return found


class Tagged:
    """A value on its way to a parameter, with its tag; or, if `stop`, with the order to pass no tags on."""

    __slots__ = ("label", "stop", "value")

    def __init__(self, value: Any, label: Label = "", stop: bool = False) -> None:
        self.value, self.label, self.stop = value, label, stop

    def __repr__(self) -> str:
        return f"stop_tags({self.value!r})" if self.stop else f"tag({self.value!r})"


@edge
def tag(value: T) -> T:
    """Tag the value of a parameter. The tag has the name of the parameter.

    Args:
        value: A str, int, float, bool, None, a path, or a member of an Enum, whose name becomes the tag.

    Returns:
        An object to pass for the parameter. The parameter gets the value itself.

    Raises:
        ParameterTypeError: The value is something else, such as a configuration.

    Example:
        >>> Learn.C(epochs=tag(100)).tags()
        {'epochs': 100}
    """
    return cast(T, Tagged(value, label_of(value)))


def label_of(value: Any) -> Label:
    """The tag of a value."""
    if type(value) in PLAIN:
        value = label_brought(value)
    if isinstance(value, Enum):
        member = str(value.value) if value.name is None else value.name
        return LabelText(member, f"{percent_encoded(type(value).__qualname__)}@{percent_encoded(member)}")
    value = plain_scalar(value)
    if isinstance(value, int) and value.bit_length() > LONGEST_INTEGER:
        wrong = f"an int of {value.bit_length()} bits cannot be a tag, {LONGEST_INTEGER} are allowed"
        raise ParameterTypeError("tag", wrong, "Name it: learn.tag('size', 'huge').", format_line(caller()))
    if isinstance(value, (str, int, float, bool)):
        return value
    if value is None or isinstance(value, PurePath):
        return LabelText(str(value), "None" if value is None else f"@{percent_encoded(str(value))}")
    remedy = "Name it: learn.tag('model', 'mlp')." if is_configuration(value) else UNNAMED
    wrong = f"{safe_repr(value)} ({type(value).__name__}) cannot be a tag"
    raise ParameterTypeError("tag", wrong, remedy, format_line(caller()))


def stop_tags(value: T) -> T:
    """Pass a configuration to a parameter without its tags.

    Args:
        value: The configuration.

    Returns:
        An object to pass for the parameter. The parameter gets the configuration itself.

    Example:
        >>> Learn.C(model=stop_tags(Model.C(layers=tag(3)))).tags()
        {}
    """
    return cast(T, Tagged(value, stop=True))


def set_tag(config: Any, name: str, value: Any) -> None:
    """Give a configuration a tag of its own, which belongs to none of its parameters."""
    global late_tags
    own = state_of(config)
    own.tags = {**own.tags, name: (label_of(value), caller(), False)}
    late_tags += own.sealed


late_tags = 0
"""How many tags were given to sealed configurations. Tags that were collected before may lack one of these."""

FoundTag = tuple[str, Label, CodeLine]
"""The name of a tag, its value, and the line that set it."""


def collect(config: Any) -> dict[str, Label]:
    """The tags of a configuration and of all that it was made from, by name, in the order of names.

    Tags come from nested configurations, and from the tasks that made them. If two tags of one name differ, the tag
    nearest to the configuration is used, and a warning names both lines.
    """
    found: dict[str, FoundTag] = {}
    for each in tags_below(config):
        name, label, place = each
        _, known, known_place = found.setdefault(name, each)
        if label_in_path(known) != label_in_path(label):
            first = f"{label_text(known)}, set at {format_line(known_place)}"
            second = f"{label_text(label)}, set at {format_line(place)}"
            remedy = "Rename one with .tag(name, value), or stop it with stop_tags()."
            what = f"{path_root(config)}: tag {name!r} is {first}, and {second}. {remedy}"
            warnings.warn_explicit(what, UserWarning, *place, registry=WARNED)  # once, whichever line asks for the tags
    own = state_of(config)
    if own.sealed:
        own.collected = late_tags, tuple(found.values())
    return {name: found[name][1] for name in sorted(found)}


def label_text(label: Label) -> str:
    """A tag as messages show it."""
    return label.path if isinstance(label, LabelText) else repr(label)


def collected(config: Any) -> tuple[FoundTag, ...] | None:
    """The tags that `collect` found for a sealed configuration; None if it did not, or a tag was set since."""
    known = state_of(config).collected
    return known[1] if known is not None and known[0] == late_tags else None


def submission_tags(task: Any, below: Iterable[Any], needs: Iterable[Any]) -> dict[str, Label]:
    """The tags of a task at its submission. It does what `collect` does, and is fast if there are no tags.

    Args:
        task: The task, sealed.
        below: The configurations at and below it, up to the next submitted tasks.
        needs: The submitted tasks that it uses.
    """
    for own in map(state_of, below):
        if own.tags or (own.source is not None and collected(own.source) != ()):
            return collect(task)
    if any(collected(each) != () for each in needs):
        return collect(task)
    state_of(task).collected = late_tags, ()
    return {}


def tags_below(config: Any) -> Iterator[FoundTag]:
    """The tags of a configuration, then those of all that it was made from. Each configuration is visited once."""
    seen, waiting = {id(config)}, [iter((config,))]
    while waiting:
        each = next(waiting[-1], None)
        if each is None:
            waiting.pop()
        elif each is not config and (known := collected(each)) is not None:
            yield from known
        else:
            yield from ((name, label, place) for name, (label, place, _) in state_of(each).tags.items())
            waiting.append(sources_of_tags(each, seen))


def sources_of_tags(config: Any, seen: set[int]) -> Iterator[Any]:
    """The sources of tags that were not seen yet: the task that made a configuration, and those that it refers to."""
    own = state_of(config)
    found = [] if own.source is None else [("", own.source)]
    for path, child in (*found, *children(config)):
        if id(child) not in seen and not (own.stopped and own.stopped & {path, path.split("[")[0]}):
            seen.add(id(child))
            yield child


def tagspath(config: Any) -> str:
    """A name for a file, made of the tags of a configuration. Different tags give different names.

    It has `name=value` for each tag, in the order of names, joined by commas. A character that is not safe in a name of
    a file is written `%XX`. A text that reads as a number, a bool or None stands in quotes. A path is written `@path`,
    a member of an Enum `Class@MEMBER`. A name of more than 255 bytes is cut, and ends with a digest of the whole name.

    Args:
        config: The configuration.

    Returns:
        At most 255 ASCII characters; `no-tags` without any tag.

    Example:
        >>> tagspath(learn)
        'epochs=100,model=mlp'
    """
    return name_from_tags(collect(config))


def name_from_tags(labels: Mapping[str, Label]) -> str:
    """The name that `tagspath` makes of tags, which are given in the order of their names."""
    if not labels:
        return "no-tags"
    whole = ",".join(f"{percent_encoded(name)}={label_in_path(label)}" for name, label in labels.items())
    if whole.startswith("."):
        whole = "%2E" + whole[1:]
    if len(whole) <= COMPONENT_BYTES:
        return whole
    ending = "~" + sha256(whole.encode()).hexdigest()[:32]
    return whole[: COMPONENT_BYTES - len(ending)] + ending


def percent_encoded(text: str) -> str:
    """A text in which all but letters, digits and `-._+` is written as `%XX`."""
    return quote(text, safe="+", errors="surrogatepass").replace("~", "%7E")


def label_in_path(label: Label) -> str:
    """A tag as a name of a file has it: 1, 1.0, True and '1' differ, and None, a path or a member from a text."""
    if not isinstance(label, str) or isinstance(label, LabelText):
        return label_text(label)
    return (
        f"'{percent_encoded(label)}'"
        if label in ("", "True", "False", "None") or reads_as_number(label)
        else percent_encoded(label)
    )


def reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@edge
def grid(values: Mapping[str, Iterable[Any] | Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """All combinations of values, each value tagged. The last name varies fastest.

    Args:
        values: For each parameter its values. Values that cannot be tags are given by names: `{"mlp": MLP.C(), ...}`.

    Returns:
        An iterator of dicts, each with a value for every parameter.

    Raises:
        ParameterTypeError: A value cannot be a tag, or there is no list of values.

    Example:
        >>> for values in grid({"lr": [0.1, 0.01], "model": {"mlp": MLP.C(), "svm": SVM.C()}}):
        ...     Learn.C(**values).submit()
    """
    columns = [list(column(name, given)) for name, given in values.items()]
    return (dict(zip(values, combination, strict=True)) for combination in product(*columns))


def column(name: str, given: Any) -> Iterator[Tagged]:
    """The values of one parameter of a grid, each with its tag."""
    if isinstance(given, Mapping):
        yield from (Tagged(value, label_of(label)) for label, value in given.items())
        return
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        named = f'{{"name": {type(given).__name__}.C(...)}}, because the tag is its name'
        wrong = f"{name}: expected a list of values, got {safe_repr(given)} ({type(given).__name__})"
        remedy = f"Pass {named if is_configuration(given) else f'[{given!r}]'}."
        raise ParameterTypeError("grid()", wrong, remedy, format_line(caller()))
    for value in given:
        try:
            label = label_of(value)
        except ParameterTypeError as error:
            remedy = f'Name each: grid({{"{name}": {{"first": {safe_repr(value)}, "second": ...}}}}).'
            raise ParameterTypeError("grid()", f"{name}: {error.wrong}", remedy, error.place) from None
        yield Tagged(value, label)
