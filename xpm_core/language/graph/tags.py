"""Tags: names for the values that an experiment varies, passed on to whatever is made from them."""

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
from xpm_core.language.graph.state import is_configuration, state
from xpm_core.language.graph.walk import children, title
from xpm_core.scalars import plain, spelled
from xpm_core.tracebacks.callsite import Place, caller, written
from xpm_core.tracebacks.edges import edge

T = TypeVar("T")
Label = str | int | float | bool

WARNED: dict[Any, Any] = {}
"""What was warned of already: tags are asked for again and again."""

COMPONENT_BYTES = 255
"""The longest name of a file."""

LONGEST_INTEGER = 1024
"""Bits that an integer may have as a tag."""


UNNAMED = "Tag a text, a number or an Enum, or name the tag: learn.tag('size', '64x64')."


class Stated(str):
    """What a value that is no text, number or bool reads like as a tag.

    Attributes:
        path: What paths have in its place, which is unlike that of any text.
    """

    path: str

    def __new__(cls, text: str, path: str = "") -> Stated:
        found = super().__new__(cls, text)
        found.path = path
        return found


class Tagged:
    """A value on its way to a parameter, with what that is to do with tags."""

    __slots__ = ("label", "stop", "value")

    def __init__(self, value: Any, label: Label = "", stop: bool = False) -> None:
        self.value, self.label, self.stop = value, label, stop

    def __repr__(self) -> str:
        return f"stop_tags({self.value!r})" if self.stop else f"tag({self.value!r})"


@edge
def tag(value: T) -> T:
    """Tag the value of a parameter: the tag has the parameter's name.

    Args:
        value: A str, int, float, bool, None, a path, or a member of an Enum (the tag is its name).

    Raises:
        ParameterTypeError: It is something else, such as a configuration.

    Example:
        >>> Learn.C(epochs=tag(100)).tags()
        {'epochs': 100}
    """
    return cast(T, Tagged(value, label_of(value)))


def label_of(value: Any) -> Label:
    """What a value reads like as a tag."""
    if isinstance(value, Enum):
        member = str(value.value) if value.name is None else value.name
        return Stated(member, f"{safe(type(value).__qualname__)}@{safe(member)}")
    value = plain(value)
    if isinstance(value, int) and value.bit_length() > LONGEST_INTEGER:
        wrong = f"an int of {value.bit_length()} bits cannot be a tag, {LONGEST_INTEGER} are allowed"
        raise ParameterTypeError("tag", wrong, "Name it: learn.tag('size', 'huge').", written(caller()))
    if isinstance(value, (str, int, float, bool)):
        return value
    if value is None or isinstance(value, PurePath):
        return Stated(str(value), "None" if value is None else f"@{safe(str(value))}")
    remedy = "Name it: learn.tag('model', 'mlp')." if is_configuration(value) else UNNAMED
    wrong = f"{spelled(value)} ({type(value).__name__}) cannot be a tag"
    raise ParameterTypeError("tag", wrong, remedy, written(caller()))


def stop_tags(value: T) -> T:
    """Keep the tags of a configuration from what it is given to.

    Example:
        >>> Learn.C(model=stop_tags(Model.C(layers=tag(3)))).tags()
        {}
    """
    return cast(T, Tagged(value, stop=True))


def set_tag(config: Any, name: str, value: Any) -> None:
    """Give a configuration a tag that belongs to none of its parameters."""
    global late
    own = state(config)
    own.tags = {**own.tags, name: (label_of(value), caller(), False)}
    late += own.sealed


late = 0
"""How many tags were set of configurations that were sealed: what was collected before that may lack one."""

Found = tuple[str, Label, Place]
"""A tag, and where it was set."""


def collect(config: Any) -> dict[str, Label]:
    """The tags of a configuration and of all that it was made from, by name.

    Tags come from nested configurations, and from the tasks that made them. Where two differ, the one nearest to the
    configuration counts, and a warning names both places.
    """
    found: dict[str, Found] = {}
    for each in tags_below(config):
        name, label, place = each
        _, known, known_place = found.setdefault(name, each)
        if written_label(known) != written_label(label):
            what = (
                f"{title(config)}: tag {name!r} is {shown(known)}, set at {written(known_place)}, and {shown(label)}, "
                f"set at {written(place)}. Rename one with .tag(name, value), or stop it with stop_tags()."
            )
            warnings.warn_explicit(what, UserWarning, *caller(), registry=WARNED)
    own = state(config)
    if own.sealed:
        own.collected = late, tuple(found.values())
    return {name: found[name][1] for name in sorted(found)}


def shown(label: Label) -> str:
    """A tag's value as messages have it."""
    return label.path if isinstance(label, Stated) else repr(label)


def collected(config: Any) -> tuple[Found, ...] | None:
    """What `collect` has found for a sealed configuration, if that still holds."""
    known = state(config).collected
    return known[1] if known is not None and known[0] == late else None


def submission_tags(task: Any, below: Iterable[Any], needs: Iterable[Any]) -> dict[str, Label]:
    """The tags of a sealed task that is submitted, as `collect`; it costs the less the fewer there are.

    Args:
        task: The task.
        below: The configurations at and below it, as far as the next submitted tasks.
        needs: The submitted tasks that it refers to.
    """
    for own in map(state, below):
        if own.tags or (own.source is not None and collected(own.source) != ()):
            return collect(task)
    if any(collected(each) != () for each in needs):
        return collect(task)
    state(task).collected = late, ()
    return {}


def tags_below(config: Any) -> Iterator[Found]:
    """The tags of a configuration, then those of what it was made from, each configuration once."""
    seen, waiting = {id(config)}, [iter((config,))]
    while waiting:
        each = next(waiting[-1], None)
        if each is None:
            waiting.pop()
        elif each is not config and (known := collected(each)) is not None:
            yield from known
        else:
            yield from ((name, label, place) for name, (label, place, _) in state(each).tags.items())
            waiting.append(sources_of_tags(each, seen))


def sources_of_tags(config: Any, seen: set[int]) -> Iterator[Any]:
    """What a configuration gets tags from and was not seen yet: the task that made it, and what it refers to."""
    own = state(config)
    found = [] if own.source is None else [("", own.source)]
    for path, child in (*found, *children(config)):
        if id(child) not in seen and not (own.stopped and own.stopped & {path, path.split("[")[0]}):
            seen.add(id(child))
            yield child


def tagspath(config: Any) -> str:
    """A name for a file made of the tags of a configuration: different tags give different names.

    `name=value` for each tag, in the order of names, joined by commas. What is not safe in a name of a file is written
    `%XX`; a text that would read as a number, a bool or None stands in quotes; a path is `@path`, a member of an Enum
    `Class@MEMBER`. A name of more than 255 bytes is cut, and ends with a digest of the whole.

    Example:
        >>> tagspath(learn)
        'epochs=100,model=mlp'
    """
    return joined(collect(config))


def joined(labels: Mapping[str, Label]) -> str:
    """What `tagspath` makes of tags, given in the order of their names."""
    if not labels:
        return "no-tags"
    whole = ",".join(f"{safe(name)}={written_label(label)}" for name, label in labels.items())
    if whole.startswith("."):
        whole = "%2E" + whole[1:]
    if len(whole) <= COMPONENT_BYTES:
        return whole
    ending = "~" + sha256(whole.encode()).hexdigest()[:32]
    return whole[: COMPONENT_BYTES - len(ending)] + ending


def safe(text: str) -> str:
    """A text with all but letters, digits, and `-._+` written as `%XX`."""
    return quote(text, safe="+", errors="surrogatepass").replace("~", "%7E")


def written_label(label: Label) -> str:
    """A tag's value as a path has it, so that 1, 1.0, True and '1' differ, and None, a path or a member from a text."""
    if not isinstance(label, str) or isinstance(label, Stated):
        return shown(label)
    return f"'{safe(label)}'" if label in ("", "True", "False", "None") or reads_as_number(label) else safe(label)


def reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@edge
def grid(values: Mapping[str, Iterable[Any] | Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """All combinations of values, each of them tagged: the last name varies fastest.

    Args:
        values: For each parameter its values; or names of values, for those that are no texts or numbers.

    Example:
        >>> for values in grid({"lr": [0.1, 0.01], "model": {"mlp": MLP.C(), "svm": SVM.C()}}):
        ...     Learn.C(**values).submit()
    """
    columns = [list(column(name, given)) for name, given in values.items()]
    return (dict(zip(values, combination, strict=True)) for combination in product(*columns))


def column(name: str, given: Any) -> Iterator[Tagged]:
    """The values of one parameter of a grid, each with its label."""
    if isinstance(given, Mapping):
        yield from (Tagged(value, label_of(label)) for label, value in given.items())
        return
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        named = f'{{"name": {type(given).__name__}.C(...)}}, because the tag is its name'
        wrong = f"{name}: expected a list of values, got {spelled(given)} ({type(given).__name__})"
        remedy = f"Pass {named if is_configuration(given) else f'[{given!r}]'}."
        raise ParameterTypeError("grid()", wrong, remedy, written(caller()))
    for value in given:
        try:
            label = label_of(value)
        except ParameterTypeError as error:
            remedy = f'Name each: grid({{"{name}": {{"first": {spelled(value)}, "second": ...}}}}).'
            raise ParameterTypeError("grid()", f"{name}: {error.wrong}", remedy, error.place) from None
        yield Tagged(value, label)
