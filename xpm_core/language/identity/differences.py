"""The differences between two tasks: their parameters, compared as `params.json` describes them.

Owns: which parameters differ, by path. description.py makes descriptions; the caller shows the differences.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from xpm_core.labels import bare_class, short

Described = Mapping[str, Any]

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "ABSENT", "__slots__": ()})()
"""Stands for a parameter or an item that one of the two does not have."""

MADE_BY, MADE_FROM, SEE = "made by", "made from", "see"
CONTAINERS = ("tuple", "set", "frozenset")
"""Names of types that JSON lacks, and whose values have items."""


@dataclass(frozen=True)
class Difference:
    """One parameter that differs.

    Attributes:
        path: Its path, such as `model.layers[2]`; empty for the task itself.
        first: Its value in the first task, as params.json has it. A configuration is given by the name of its class.
            ABSENT when there is no value.
        second: Its value in the second task, likewise.
        counted: Whether it is part of the identities.
    """

    path: str
    first: Any
    second: Any
    counted: bool = True


def differences(
    first: Described, second: Described, lookup: Callable[[Described], Described | None] = lambda job: None
) -> list[Difference]:
    """The parameters in which two descriptions differ: first those that count, then the others.

    One shared configuration in place of two equal ones makes a difference only if each stands for itself (see
    `InstanceConfig`). Such a difference is given if there is no other.

    Args:
        first: The description of one configuration: a result of `describe`, or a params.json.
        second: The description of the other one.
        lookup: Returns the params.json of a job that a description only names; None if it cannot.

    Example:
        >>> differences(describe(Learn.C(epochs=1)), describe(Learn.C(epochs=2)))
        [Difference(path='epochs', first=1, second=2, counted=True)]
    """
    found: list[Difference] = []
    waiting, met = deque([("", first, second)]), set()
    while waiting:  # this does not recurse, because a chain of tasks leads through many jobs
        path, a, b = waiting.popleft()
        if (pair := (a["identity"], b["identity"])) not in met:
            met.add(pair)
            comparison = Comparison(a, b, lookup)
            found += [replace(each, path=joined_path(path, each.path)) for each in comparison.differences()]
            waiting += [(joined_path(path, step), mine, its) for step, mine, its in comparison.deeper]
    return sorted(found, key=lambda difference: not difference.counted)


class Comparison:
    """Compares two descriptions."""

    def __init__(self, first: Described, second: Described, lookup: Callable[[Described], Described | None]) -> None:
        self.roots = [{**each, "class": each["task"]} for each in (first, second)]
        self.met = [configurations(root, described_root(root)) for root in self.roots]
        self.lookup = lookup
        self.found: list[Difference] = []
        self.shared: list[Difference] = []
        self.deeper: list[tuple[str, Described, Described]] = []
        """Pairs of jobs that differ, by their own descriptions, each with its path here."""
        self.seen: set[tuple[int, int, bool]] = set()

    def differences(self) -> list[Difference]:
        """The parameters that differ, without those of the jobs in `deeper`."""
        self.configurations("", self.roots[0], self.roots[1], True)
        explained = self.deeper or any(difference.counted for difference in self.found)
        if explained or self.roots[0]["identity"] == self.roots[1]["identity"]:
            return self.found
        return self.shared + self.found

    def values(self, path: str, first: Any, second: Any, counted: bool) -> None:
        """Compare the two values at one path."""
        if referenced_path(first) != referenced_path(second):
            self.shared.append(Difference(path, sharing(first), sharing(second)))
        a, b = self.resolved(0, first), self.resolved(1, second)
        if describes_configuration(a) and describes_configuration(b):
            self.configurations(path, a, b, counted)
        elif (found := inside(a, b)) is not None:
            for step in {**found[0], **found[1]}:
                self.values(path + step, found[0].get(step, ABSENT), found[1].get(step, ABSENT), counted)
        elif not same(a, b):
            self.found.append(Difference(path, short_value(a), short_value(b), counted))

    def configurations(self, path: str, a: Described, b: Described, counted: bool) -> None:
        """Compare two configurations, each pair once."""
        counted = counted and a["identity"] != b["identity"]
        if (id(a), id(b), counted) in self.seen:
            return
        self.seen.add((id(a), id(b), counted))
        if a["class"] != b["class"]:
            self.found.append(Difference(path, short_value(a), short_value(b), counted))
        elif "parameters" in a and "parameters" in b:
            self.values(joined_path(path, MADE_FROM), a.get(MADE_FROM, ABSENT), b.get(MADE_FROM, ABSENT), counted)
            self.parameters(path, a, b, counted)
        elif counted:
            self.jobs(path, a, b)

    def parameters(self, path: str, a: Described, b: Described, counted: bool) -> None:
        mine, its = a["parameters"], b["parameters"]
        for name in {**mine, **its}:
            counts = counted and not (name in a.get("ignored", ()) and name in b.get("ignored", ()))
            self.values(joined_path(path, name), mine.get(name, ABSENT), its.get(name, ABSENT), counts)
        for name in (MADE_BY, "init_tasks"):
            self.values(joined_path(path, name), a.get(name, ABSENT), b.get(name, ABSENT), counted)

    def jobs(self, path: str, a: Described, b: Described) -> None:
        """Compare two configurations that are only named here, by the params.json of their jobs."""
        found = [self.lookup(each["job"]) if "job" in each else None for each in (a, b)]
        if found[0] is None or found[1] is None:
            first, second = (f"{bare_class(each['class'])} {short(each['identity'])}" for each in (a, b))
            self.found.append(Difference(path, first, second))
            return
        self.deeper.append((path, found[0], found[1]))

    def resolved(self, side: int, value: Any) -> Any:
        """The value; if it refers to a configuration that was described before, that one."""
        return self.met[side].get(value[SEE], value) if is_reference(value) else value


def described_root(root: Described) -> str:
    """The beginning of the paths in a description: the name of the class."""
    return bare_class(str(root.get("code", {}).get("name", root["task"])))


def configurations(root: Described, name: str) -> dict[str, Described]:
    """The configurations in a description, by the path with which others refer to them."""
    found: dict[str, Described] = {}

    def visit(path: str, value: Any) -> None:
        if describes_configuration(value):
            found.setdefault(path, value)
            for name, item in value.get("parameters", {}).items():
                visit(f"{path}.{name}", item)
            visit(f"{path}.init_tasks", value.get("init_tasks", []))
        elif container_kind(value) is not None:
            for step, item in steps(value).items():
                visit(path + step, item)

    visit(name, root)
    return found


def inside(a: Any, b: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The items of two lists, dicts or objects of one kind, by the step that leads to each.

    Returns:
        The items of both; None for values of two kinds, and for sets, whose items have no order to compare by.
    """
    kinds = [container_kind(each) for each in (a, b)]
    if kinds[0] in (None, "set", "frozenset") or kinds[0] != kinds[1]:
        return None
    return steps(a), steps(b)


def container_kind(value: Any) -> str | None:
    """The kind of a value that has items; None for any other value."""
    if isinstance(value, list):
        return "list"
    name = next((name for name in (*CONTAINERS, "dict") if is_typed(value, name)), None)
    if is_typed(value, "object"):
        return str(value["object"]["class"])
    return name or ("mapping" if isinstance(value, Mapping) and not is_typed(value) else None)


def steps(value: Any) -> dict[str, Any]:
    """The items of a value, by the step that leads to each: `[2]`, `['a']`, `.name`."""
    if isinstance(value, list):
        return {f"[{index}]": item for index, item in enumerate(value)}
    if is_typed(value, "object"):
        return {f".{name}": item for name, item in value["object"]["fields"].items()}
    if is_typed(value, "dict"):
        return {f"[{key_text(key)}]": item for key, item in value["dict"]}
    for name in CONTAINERS:
        if is_typed(value, name):
            return steps(value[name])
    return {f"[{key!r}]": item for key, item in value.items()}


def key_text(key: Any) -> str:
    """A key of a dict, as paths write it."""
    return str(next(iter(key.values()))) if is_typed(key) else repr(key)


def describes_configuration(value: Any) -> TypeGuard[Described]:
    """Whether a value in a description describes a configuration, and is not a dict of the user's."""
    return isinstance(value, Mapping) and "class" in value and "identity" in value


def is_reference(value: Any) -> TypeGuard[Described]:
    """Whether a value refers to a configuration that is described elsewhere."""
    return isinstance(value, Mapping) and list(value) == [SEE]


def is_typed(value: Any, name: str | None = None) -> bool:
    """Whether a value is written with the name of its type, because JSON lacks the type: `{"path": "/data"}`."""
    if not isinstance(value, Mapping) or not value:
        return False
    first, *others = value
    return first == name or (name is None and first in TYPE_NAMES) if others in ([], ["in"]) else False


TYPE_NAMES = (
    *(*CONTAINERS, "dict", "path", "enum", "int", "float", "bytes", "timedelta", "datetime", "date", "time"),
    *("object", "text"),
)


def referenced_path(value: Any) -> str:
    return str(value[SEE]) if is_reference(value) else ""


def sharing(value: Any) -> Any:
    return f"the same as {value[SEE]}" if is_reference(value) else "one of its own"


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal and of equal types at any depth: 1, 1.0 and true differ."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(item, b[key]) for key, item in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and bool(a == b)


def short_value(value: Any) -> Any:
    """A value as differences give it: a configuration by the name of its class."""
    return bare_class(value["class"]) if describes_configuration(value) else value


def joined_path(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
