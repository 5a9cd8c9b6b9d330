"""What a task can reach: the definitions to which the walk leads from its class and those of its configurations.

It is kept nowhere: what a job could reach follows from its snapshot and its payload (xpm_core.judging).

Owns: the walk from its beginning to its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from xpm_core.fingerprints.project import File, Project
from xpm_core.fingerprints.source.definitions import Definitions
from xpm_core.fingerprints.source.pieces import MODULE
from xpm_core.fingerprints.walk import OUTSIDE, Key, Unknown, Walk

_LOCAL = ".<locals>"


@dataclass(frozen=True)
class Reached:
    """What a task can reach.

    Attributes:
        definitions: The names of the definitions by file, sorted: `Model`, `Model.forward`, `LR`, `<module>`.
        unknown: Where the walk could not go on, sorted.
        start: The classes themselves, as far as they are definitions. Their bodies ran, even if no method of them did.

    Example:
        >>> reached = reach(project, [("digits", "train.py", "Train")])
        >>> reached.definitions["digits", "mlp.py"]
        ('<module>', 'MLP', 'MLP.forward')
    """

    definitions: Mapping[File, Sequence[str]]
    unknown: Sequence[Unknown] = ()
    start: frozenset[Key] = frozenset()

    @cached_property
    def keys(self) -> frozenset[Key]:
        """The definitions."""
        return frozenset(Key(*file, name) for file, names in self.definitions.items() for name in names)


def reach(walk: Walk | Project, start: Iterable[tuple[str, str, str]]) -> Reached:
    """What can be reached from classes.

    Args:
        walk: The project, or a walk in it. A walk that is used for several tasks goes each way once.
        start: The class of the task and those of its configurations, as far as they are in the project: for each the
            name of its tree, the path of its file, and its qualified name.

    Raises:
        SnapshotError: A file cannot be read.
    """
    walk = Walk(walk) if isinstance(walk, Project) else walk
    found: set[Key] = set()
    unknown: set[Unknown] = set()
    begin = [_begin(walk, *each) for each in start]
    waiting = list(begin)
    unknown.update(each for key in waiting for each in _made_at_run_time(walk, key))
    while waiting:
        key = waiting.pop()
        if key not in found and key.tree != OUTSIDE:
            found.add(key)
            steps = walk.steps(key)
            unknown.update(steps.unknown)
            waiting += steps.keys - found
    files: dict[File, list[str]] = {}
    for key in sorted(found):
        files.setdefault(key.file, []).append(key.name)
    definitions = {file: tuple(names) for file, names in files.items()}
    return Reached(definitions, tuple(sorted(unknown)), frozenset(begin))


def _begin(walk: Walk, tree: str, path: str, name: str) -> Key:
    known = walk.definitions((tree, path))
    return Key(tree, path, (definition_name(known, name) if known is not None else None) or name)


def _made_at_run_time(walk: Walk, key: Key) -> Iterator[Unknown]:
    """Say so if a class is the value of an assignment, because no statement defines it."""
    found = walk.definition(key)
    if found is not None and found.kind == "constant":
        yield Unknown(f"{key.name}, a class that was made at run time,", *key.file, found.line, True)


def definition_name(known: Definitions, name: str) -> str | None:
    """The definition to which a function or class belongs, by its qualified name; None if the file has none.

    What is nested in a function belongs to the function. A lambda or a comprehension at the top belongs to the module's
    code.

    Example:
        >>> definition_name(known, "fit.<locals>.step")
        'fit'
    """
    outer = name.partition(_LOCAL)[0]
    while outer and outer not in known.names:
        if outer.startswith("<"):
            return MODULE
        outer = outer.rpartition(".")[0]
    return outer or None
