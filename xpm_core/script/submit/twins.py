"""Notice submissions that are one job, although they differ in what does not count: paths, `Meta`, tags, options.

Both are of one run. The second submission gets the first one's result. That is wrong if the result depends on what
differs, as in a sweep over files.

Owns: finding such submissions, the warning at once, and the note at the end.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from xpm_core.language.graph.state import STATE, is_configuration, state_of
from xpm_core.language.graph.tagged_values import without_tag
from xpm_core.language.graph.walk import Trail, reachable
from xpm_core.language.parameters.schema import MISSING, schema_of, short_repr
from xpm_core.language.values import data_objects
from xpm_core.tracebacks.callsite import CodeLine, format_line

if TYPE_CHECKING:
    from xpm_core.config import Task
    from xpm_core.script.follow.tracked_job import TrackedJob
    from xpm_core.script.submit.options import Options

log = logging.getLogger("xpm")

INDEX = re.compile(r"\[[^\]]*\]")
"""A step into a list or a dict, in the path of a value."""


class Entry(NamedTuple):
    """A value that does not count: the path to its configuration, the steps from there, and its default, if any."""

    trail: Trail
    step: str
    value: Any
    default: Any

    @property
    def path(self) -> str:
        return f"{self.trail}.{self.step}" if self.step else str(self.trail)


class Difference(NamedTuple):
    """Where two submissions differ, and their two values; MISSING stands for a path in the job's directory."""

    path: str
    first: Any
    second: Any


class Twins:
    """The submissions of one run that are no jobs of their own.

    Of a task, only values that do not count and differ from their defaults are kept. Nothing is compared until an
    identity comes again.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Sequence[tuple[Trail, str, Any]]] = {}
        self._kinds: dict[str, tuple[Difference, int]] = {}
        """For each kind of difference, the first one, and how many submissions have one."""
        self._usual: Options | None = None
        self._chosen: dict[str, tuple[tuple[str, Any], ...]] = {}
        """The options of tasks that had others than the usual ones, which most tasks of a run share."""
        self._shared: dict[tuple[tuple[str, Any], ...], tuple[tuple[str, Any], ...]] = {}

    def remember(self, task: Task, identity: str, below: Sequence[Any], options: Options) -> None:
        """Keep what does not count of a task that is submitted for the first time.

        Args:
            task: The task, sealed.
            identity: Its identity.
            below: The configurations below it, and the task.
            options: The options of its submission.
        """
        self._usual = self._usual or options
        if options is not self._usual:
            chosen = options.chosen()
            self._chosen[identity] = self._shared.setdefault(chosen, chosen)
        if any(type(each).__xpm_schema__.uncounted or each.__dict__[STATE].ignored for each in below):
            kept = [entry[:3] for entry in entries(task) if entry.value is not entry.default]
            if kept:
                self._kept[identity] = kept

    def compare(self, job: TrackedJob, task: Task, place: CodeLine, options: Options) -> None:
        """Warn if a task is the job of an earlier one and differs from it, once for each kind of difference.

        Args:
            job: The job of the first task.
            task: The second task, sealed.
            place: The line that submits the second task.
            options: The options of the second submission.
        """
        if job.name != type(task).__name__:  # one class was replaced by the other
            return
        kept = {Entry(*entry, MISSING).path: entry[2] for entry in self._kept.get(job.identity, ())}
        values = outermost(list(differences(kept, entries(task))))
        kinds: dict[str, Difference] = {}
        for each in [*values, *differing_tags(job, task, values), *self._differing_options(job, task, options)]:
            kinds.setdefault(kind_of(each.path), each)
        for kind, difference in kinds.items():
            first, count = self._kinds.get(kind, (difference, 0))
            self._kinds[kind] = first, count + 1
            if not count:
                log.warning("%s", warning(job, difference, place))

    def _differing_options(self, job: TrackedJob, task: Task, options: Options) -> Iterator[Difference]:
        """Yield the options, and the demand of tokens, that both submissions have with different values."""
        if job.demand != state_of(task).demand:
            yield Difference(f"{job.name}, tokens", job.demand, state_of(task).demand)
        if self._usual is None or (options is self._usual and job.identity not in self._chosen):
            return
        first, second = self._chosen.get(job.identity) or self._usual.chosen(), options.chosen()
        for (name, before), (_, now) in zip(first, second, strict=True):
            if before != now:
                yield Difference(f"{job.name}, option {name!r}", before, now)

    def lines(self) -> list[str]:
        """The notes at the end, a line for each kind."""
        return [ending(difference, count) for difference, count in self._kinds.values()]


def entries(task: Task) -> Iterator[Entry]:
    """Yield the values that do not count of a task and of the configurations below it, without other tasks."""
    for trail, config in reachable(task, enter=lambda child: state_of(child).submitted is None):
        content = config.__dict__
        if content[STATE].ignored:
            yield Entry(trail, "", config, MISSING)
        for parameter in schema_of(config).uncounted:
            name = parameter.name
            if name not in content:  # it is a path in the job's directory
                continue
            if not parameter.counted:
                yield Entry(trail, name, content[name], parameter.default)
                continue
            for step, value in parts(content[name]):
                yield Entry(trail, name + step, value, MISSING)


def parts(value: Any, step: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the parts that do not count of a value that counts: paths, and fields of objects that are declared so."""
    if isinstance(value, PurePath):
        yield step, value
    elif isinstance(value, (set, frozenset)):
        if any(True for item in value for _ in parts(item)):
            yield step, value
    elif (names := data_objects.object_classes.get(type(value))) is not None:
        for name, item in data_objects.field_values(value, names.all).items():
            yield from parts(item, f"{step}.{name}") if name in names.counted else [(f"{step}.{name}", item)]
    else:
        for key, item in items_of(value):
            yield from parts(item, f"{step}[{key!r}]")


def items_of(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the items of a list, tuple or dict, by index or key; none for any other value."""
    if isinstance(value, (list, tuple)):
        yield from enumerate(value)
    elif isinstance(value, dict):
        yield from value.items()


def differences(kept: dict[str, Any], found: Iterator[Entry]) -> Iterator[Difference]:
    """Yield the differences of a second submission from the kept values of the first."""
    for entry in found:
        first = kept.pop(entry.path, entry.default)
        if form(first) != form(entry.value):
            yield narrowed(Difference(entry.path, first, entry.value))
    for path, value in kept.items():
        yield Difference(path, value, MISSING)


def outermost(found: list[Difference]) -> list[Difference]:
    """Leave out differences that lie in another one. If a whole configuration differs, so do its parameters."""
    whole = tuple(f"{each.path}." for each in found)
    return [each for each in found if not each.path.startswith(whole)]


def differing_tags(job: TrackedJob, task: Task, values: list[Difference]) -> Iterator[Difference]:
    """Yield the tags that both submissions have with different labels, without those of values that differ."""
    known = {INDEX.sub("", each.path).rpartition(".")[2] for each in values}
    for name, label in task.tags().items():
        first = job.tags.get(name, label)
        if first != label and name not in known:
            yield Difference(f"{job.name}, tag {name!r}", first, label)


def narrowed(whole: Difference) -> Difference:
    """Go on to the first part that differs, if both values are lists or dicts with the same indices or keys."""
    first, second = dict(items_of(whole.first)), dict(items_of(whole.second))
    if first.keys() == second.keys():
        for key, item in first.items():
            if form(item) != form(second[key]):
                return narrowed(Difference(f"{whole.path}[{key!r}]", item, second[key]))
    return whole


def form(value: Any) -> Any:
    """Return a form that is equal for equal values: configurations by identity; 1, 1.0 and True are different."""
    if is_configuration(value):
        return state_of(value).digest
    if isinstance(value, (set, frozenset)):
        return frozenset(map(form, value))
    if isinstance(value, (list, tuple)):
        return tuple(map(form, value))
    if isinstance(value, dict):
        return {key: form(item) for key, item in value.items()}
    if (names := data_objects.object_classes.get(type(value))) is not None:
        return type(value), form(tuple(data_objects.field_values(value, names.all).values()))
    value = without_tag(value)
    return type(value), repr(value) if isinstance(value, float) else value


def holds_path(value: Any) -> bool:
    """Whether a value is a path, or holds one."""
    return any(isinstance(part, (PurePath, set, frozenset)) for _, part in parts(value))


def kind_of(path: str) -> str:
    """Return the path without indices, which all differences in one parameter share."""
    return INDEX.sub("[]", path)


def warning(job: TrackedJob, difference: Difference, place: CodeLine) -> str:
    """Return the warning for the first difference of a kind."""
    path, first, second = difference
    if ", tag " in path:
        why, remedy = "tags do not count", "make it a parameter"
    elif path.endswith(", tokens") or ", option " in path:
        why, remedy = "it does not count", ""
    elif holds_path(first) or holds_path(second):
        why, remedy = "paths do not count", "add a parameter that counts, such as its name"
    else:
        why, remedy = "it does not count", "make it a Param"
    what_to_do = f"If the result depends on it, {remedy}." if remedy else "Give the first submission the right one."
    return (
        f"{path}: {shown(first)} at {job.where} and {shown(second)} at {format_line(place)} are one job, {job.label}, "
        f"which gets the first: {why} in the identity. {what_to_do}"
    )


def ending(difference: Difference, count: int) -> str:
    """Return the note at the end for all differences of a kind."""
    path, first, second = difference
    what = "1 submission is no job of its own: it differs" if count == 1 else ""
    what = what or f"{count} submissions are no jobs of their own: they differ"
    example = f"such as {shown(second)} and {shown(first)}"
    return f"note    {what} from another in {kind_of(path)}, which does not count, {example}"


def shown(value: Any) -> str:
    """Return a value as messages show it."""
    if value is MISSING:
        return "its own path in the job's directory"
    return repr(str(value)) if isinstance(value, PurePath) else short_repr(value)
