"""What the names in a filter mean among the jobs that are known.

Owns: the rules for bare names, and errors for names that nothing has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from xpm_core.errors import FilterError
from xpm_core.filters.row import ABSENT, UNKNOWN, Row
from xpm_core.filters.syntax import Name
from xpm_core.filters.values import kind_and_value
from xpm_core.labels import bare_class
from xpm_core.shapes import brief

FIELDS = (
    "id", "state", "task", "experiment", "since", "queue", "token", "worker", "host", "error", "code", "commit",
    "packages", "attempts", "submitted", "started", "ended",
)  # fmt: skip
"""The names that every job has."""

LISTED = 12
"""How many names an error lists."""


@dataclass(frozen=True)
class Resolved:
    """What a name that is no field means: a result; or a tag, parameters, or first a tag and then parameters.

    Attributes:
        tag: The name of the tag; empty if it means none.
        paths: The paths of the parameters. A job's value is that of the first path that it has.
        samples: Values that jobs have, of each kind at least one.
        result: The name of the result; empty if it means none. Then it means no tag and no parameter.
    """

    tag: str
    paths: tuple[str, ...]
    samples: tuple[Any, ...]
    result: str = ""

    @property
    def scopes(self) -> list[str]:
        """What it means: `tag`, `param` and `result`, as far as each is used."""
        used = (("tag", self.tag), ("param", self.paths), ("result", self.result))
        return [scope for scope, found in used if found]

    def getter(self) -> Callable[[Row], Any]:
        """A function that returns a job's value as `params.json` has it, or UNKNOWN or ABSENT."""
        tag, paths, name = self.tag, self.paths, self.result

        def result(row: Row) -> Any:
            return UNKNOWN if (results := row.results) is None else results.get(name, ABSENT)

        def parameter(row: Row) -> Any:
            if (params := row.params) is None:
                return UNKNOWN
            return next((params[path] for path in paths if path in params), ABSENT)

        def only_parameter(row: Row) -> Any:
            return UNKNOWN if (params := row.params) is None else params.get(paths[0], ABSENT)

        def tag_or_parameter(row: Row) -> Any:
            if (tags := row.tags) is None:
                return UNKNOWN
            found = tags.get(tag, ABSENT)
            return parameter(row) if found is ABSENT and paths else found

        if name:
            return result
        return tag_or_parameter if tag else only_parameter if len(paths) == 1 else parameter


@dataclass
class Vocabulary:
    """The tags, parameters, results, experiments and tasks among which a filter looks.

    Attributes:
        tags: By the name of a tag: values that it has, of each kind at least one.
        parameters: By the path of a parameter: likewise, as `params.json` has them.
        experiments: The names of the experiments. None: they are not known, so a filter may name any.
        tasks: The classes of the tasks, such as `sweep:Train`; also the bare name of a class whose task has an
            identifier of its own. None: likewise.
        results: By the name of a result: values that it has, of each kind at least one.

    Example:
        >>> vocabulary = Vocabulary({"model": ["bm25"]}, {"optim.lr": [0.1]})
        >>> vocabulary.resolve(Name("lr")).paths
        ('optim.lr',)
    """

    tags: dict[str, list[Any]] = field(default_factory=dict)
    parameters: dict[str, list[Any]] = field(default_factory=dict)
    experiments: Collection[str] | None = None
    tasks: Collection[str] | None = None
    results: dict[str, list[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Vocabulary:
        """The vocabulary of some jobs. Facts that are not known are left out."""
        experiments: set[str] = set()
        tasks: set[str] = set()
        found = cls(experiments=experiments, tasks=tasks)
        tags, parameters, results = _Samples(found.tags), _Samples(found.parameters), _Samples(found.results)
        named: set[tuple[str, str | None]] = set()
        member: Collection[str] | None = None
        for row in rows:
            if row.experiments != member:  # most are members of the same as the one before
                member = row.experiments
                experiments.update(member or ())
            if row.task and (row.task, row.name) not in named:
                named.add((row.task, row.name))
                tasks.add(row.task)
                if row.name and row.name != bare_class(row.task):
                    tasks.add(row.name)
            tags.add(row.tags)
            parameters.add(row.params)
            results.add(row.results)
        return found

    def resolve(self, name: Name) -> Resolved:
        """What a name means that is no field.

        Raises:
            FilterError: Nothing has that name, or several parameters have it.
        """
        if name.scope == "result":
            if name.text in self.results:
                return self._result(name.text)
            whole = replace(name, text=f"result.{name.text}", scope="")  # a parameter of a part that is called `result`
            if not self._paths(whole, False):
                raise self.unknown(name)
            name = whole
        tag = name.text if name.scope != "param" and name.text in self.tags else ""
        paths = () if name.scope == "tag" else self._paths(name, not tag)
        if not tag and not paths:
            if not name.scope and name.text in self.results:
                return self._result(name.text)
            raise self.unknown(name)
        samples = [*self.tags.get(tag, ()), *(value for path in paths for value in self.parameters[path])]
        return Resolved(tag, paths, tuple(samples))

    def _result(self, name: str) -> Resolved:
        return Resolved("", (), tuple(self.results[name]), name)

    def _paths(self, name: Name, strict: bool) -> tuple[str, ...]:
        """The parameters that a name means.

        Args:
            name: The name.
            strict: Whether several parameters that have nothing to do with each other are an error.
        """
        if name.scope == "param" and name.text in self.parameters:
            return (name.text,)
        found = [path for path in self.parameters if path == name.text or path.endswith(f".{name.text}")]
        found.sort(key=lambda path: (len(path), path))
        if all(longer.endswith(f".{path}") for path, longer in pairwise(found)):
            return tuple(found)  # such as `lr` of a task, and `train.lr` of a task that uses it
        if not strict:
            return ()
        names = [f"param.{path}" for path in found]
        problem = f"{brief(str(name))} names several parameters: {_listed(names)},"
        raise name.place.error(problem, f"Write one of them, such as {names[0]}.")

    def unknown(self, name: Name) -> FilterError:
        """The error for a name that nothing has."""
        last = name.text.rpartition(".")[2]
        if name.scope:
            what, values = {
                "tag": ("tag", self.tags),
                "param": ("parameter", self.parameters),
                "result": ("result", self.results),
            }[name.scope]
            ends = {path.rpartition(".")[2]: path for path in values}
            near = [*get_close_matches(name.text, values, 3), *(ends[end] for end in get_close_matches(last, ends, 1))]
            known = [f"{name.scope}.{each}" for each in values]
            near = [f"{name.scope}.{each}" for each in near]
        else:
            what = "tag, parameter or result" if name.quoted else "field, tag, parameter or result"
            known = [
                *(() if name.quoted else FIELDS),
                *self.tags,
                *(path.rpartition(".")[2] for path in self.parameters),
                *self.results,
            ]
            near = get_close_matches(last, known, 3)
        return name.place.error(f"no job has a {what} {brief(name.text)}", hint(near, list(dict.fromkeys(known))))


class _Samples:
    """Gathers values of each kind, by name.

    Jobs with the same names may keep their values together (`xpm_core.index.columns`). Their samples are then taken
    once, by the attribute `columns` of a job's values.
    """

    def __init__(self, found: dict[str, list[Any]]) -> None:
        self._found = found
        self._seen: set[tuple[str, object]] = set()
        self._columns: Any = None
        self._taken: dict[int, Any] = {}

    def add(self, values: Mapping[str, Any] | None) -> None:
        """Add the values of a job."""
        columns = None if type(values) is dict else getattr(values, "columns", None)
        if columns is None:
            for name, value in (values or {}).items():
                self._add(name, value)
        elif columns is not self._columns:  # neighbours are often of one kind
            self._columns = columns
            if id(columns) not in self._taken:
                self._taken[id(columns)] = columns
                for name, samples in columns.samples.items():
                    for value in samples:
                        self._add(name, value)

    def _add(self, name: str, value: Any) -> None:
        cls = type(value)
        key = (name, kind_and_value(value)[0] if cls is dict else cls)
        if key not in self._seen:
            self._seen.add(key)
            self._found.setdefault(name, []).append(value)


def hint(near: Collection[str], known: Collection[str]) -> str:
    """What to write instead of a word that nothing has."""
    near = list(dict.fromkeys(near))
    if near:
        return f"Did you mean {' or '.join(map(repr, near))}?"
    return f"There are: {_listed(known)}." if known else "There is none yet."


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(list(names)[:LISTED])
    return shown if len(names) <= LISTED else f"{shown}, and {len(names) - LISTED} more"
