"""Whether the code of a job has changed, and whether that matters to it.

Definitions are compared one by one, by what they do and by what their names mean now. So a comment, a moved function,
an edit that was undone, and a file that was renamed with its imports are no change; a new file that takes the place of
an imported one is.

Owns: the verdict. "Same" is said only if nothing was left that could not be followed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal, NamedTuple, TypeVar

from xpm_core.fingerprints.project import File, Project
from xpm_core.fingerprints.ran import Ran
from xpm_core.fingerprints.reached import Reached, definition_name
from xpm_core.fingerprints.source.canonical import digest_of
from xpm_core.fingerprints.source.pieces import MODULE
from xpm_core.fingerprints.walk import ALL, OUTSIDE, Key, Unknown, Walk

Answer = Literal["same", "ran", "reached", "unknown"]
"""What a verdict says. same: the same code. ran: changed, and it ran. reached: changed, but this job never ran it."""

_Each = TypeVar("_Each", "Change", "Unknown")


class Change(NamedTuple):
    """A definition that has changed.

    Attributes:
        tree: The tree of its file, then.
        path: The path of its file, then.
        name: Its name.
        line: Where it is now; where it was, if it is gone.
        what: changed: it does something else. meaning: a name in it means something else. gone: there is none any more.
            loaded: the module's code runs now, or does not run any more, because imports have changed.
    """

    tree: str
    path: str
    name: str
    line: int
    what: Literal["changed", "meaning", "gone", "loaded"]


class Verdict(NamedTuple):
    """What has become of the code of a job.

    Attributes:
        answer: same: what it can run is as it was. ran: code has changed that it ran. reached: code has changed that it
            could have run, and did not. unknown: it cannot be told.
        changes: What has changed, sorted: of "ran", what it ran; of the others, what it could have run.
        unknown: Why it cannot be told, sorted; empty for the other answers.

    Example:
        >>> verdict = Comparison(Walk(snapshot), Walk(today)).verdict(reached, ran)
        >>> verdict.answer, verdict.changes[0].path, verdict.changes[0].name
        ('ran', 'mlp.py', 'MLP.forward')
    """

    answer: Answer
    changes: tuple[Change, ...] = ()
    unknown: tuple[Unknown, ...] = ()


class Parts(NamedTuple):
    """All that has changed of what a job could run, whatever the verdict is.

    Attributes:
        ran: What has changed of what it ran, sorted.
        never: What has changed of the rest that it could run, and it is known that it did not; sorted.
        unsure: What has changed of the rest, and may have run where nobody saw it; sorted.
        unknown: Where it cannot be told, sorted.
    """

    ran: tuple[Change, ...] = ()
    never: tuple[Change, ...] = ()
    unsure: tuple[Change, ...] = ()
    unknown: tuple[Unknown, ...] = ()


class _Found(NamedTuple):
    """What a comparison has found."""

    changes: Sequence[Change] = ()
    unknown: Sequence[Unknown] = ()


def _verdict(parts: Parts) -> Verdict:
    """The verdict on what ran, and on the rest of what could have run."""
    if parts.ran:
        return Verdict("ran", parts.ran)
    changes = tuple(sorted({*parts.never, *parts.unsure}))
    left = {*parts.unknown, *map(unseen, parts.unsure)}
    if left:
        return Verdict("unknown", changes, tuple(sorted(left)))
    return Verdict("reached" if changes else "same", changes)


def unseen(change: Change) -> Unknown:
    """A change of what may have run where nobody saw it, as a place where it cannot be told."""
    what = f"{change.name}, which processes of the job may have run unseen,"
    return Unknown(what, change.tree, change.path, change.line, False)


class _Run:
    """What a job ran, as definitions.

    Args:
        walk: The project as the job had it.
        reached: What it could reach.
        ran: What was seen of it.

    Attributes:
        keys: What ran: the functions that were entered, the code of the modules that were imported, and the constants
            and classes that these use.
        unknown: Where the code that ran is not known.
    """

    def __init__(self, walk: Walk, reached: Reached, ran: Ran) -> None:
        self._walk = walk
        lacks = set(ran.lacks)
        self.sees_functions = ran.means == "monitoring" and "functions" not in lacks
        """Whether a function of the process of the job ran only if it is among those that were entered."""
        unseen = bool(ran.processes or ran.compilers)
        self.sees_all = ran.sees_all
        self._modules = {(tree, path) for tree, path, *_ in ran.modules if (tree, path) in walk.project.files}
        self._has_all_modules = not (unseen or "modules" in lacks)
        self.unknown: set[Unknown] = set()
        self._entered = {key for file, names in ran.functions.items() for key in self._functions(file, names)}
        self.keys = self._uses(reached)

    def _functions(self, file: File, names: Sequence[str]) -> Iterable[Key]:
        """The definitions of functions of a file that were entered."""
        known = self._walk.definitions(file)
        if known is None or known.problem:
            yield Key(*file, MODULE)
            return
        for name in names:
            found = definition_name(known, name)
            if found is None:
                self.unknown.add(Unknown(f"{name}, which was made at run time,", *file, 1, True))
            yield Key(*file, found or MODULE)

    def _uses(self, reached: Reached) -> frozenset[Key]:
        """All that ran, and what of constants and classes it uses."""
        start = self._entered | {Key(*file, MODULE) for file in self._modules} | set(reached.start)
        if not self.sees_functions:
            start |= {key for key in reached.keys if key.file in self._modules or not self._has_all_modules}
        found = self._closed(start)
        places = [each for key in found for each in self._walk.steps(key).unknown]
        if places:
            names = {Key(*file, name) for file in self._modules for name in self._walk.project.definitions(file).names}
            found |= self._closed({key for key in names if not self._is_function(key)})
        self.unknown.update(each for each in places if each.is_code)
        return frozenset(found)

    def _closed(self, start: set[Key]) -> set[Key]:
        """Definitions, and the constants and classes to which they lead."""
        found: set[Key] = set()
        waiting = list(start)
        while waiting:
            key = waiting.pop()
            if key not in found:
                found.add(key)
                waiting += (each for each in self._walk.steps(key).keys - found if self._counts(each))
        return found

    def _counts(self, key: Key) -> bool:
        """Whether a definition ran because one that ran refers to it."""
        if key.file not in self._modules and self._has_all_modules:
            return False  # it was not loaded
        return not self._is_function(key)

    def _is_function(self, key: Key) -> bool:
        found = self._walk.definition(key)
        return found is not None and found.kind == "function"


class Comparison:
    """Compares two states of a project, for any number of jobs. Each definition is compared once.

    Args:
        old: The project as the jobs had it.
        new: The project now.

    Example:
        >>> comparison = Comparison(Walk(snapshot), Walk(today))
        >>> [comparison.verdict(reached, ran).answer for reached, ran in jobs]
        ['same', 'ran']
    """

    def __init__(self, old: Walk, new: Walk) -> None:
        self._old, self._new = old, new
        self._is_same = (old.project.files, old.project.folders) == (new.project.files, new.project.folders)
        self._moved = {} if self._is_same else _renamed(old.project, new.project)
        self._known: dict[Key, Change | Unknown | None] = {}
        self._loads: dict[frozenset[File], set[Change]] = {}

    def contents(self, change: Change) -> tuple[bytes | None, bytes | None]:
        """The file of a change, as it was and as it is now; None where there is none.

        Raises:
            SnapshotError: It cannot be read.
        """
        file = change.tree, change.path
        return self._old.project.content(file), self._new.project.content(self._now(file))

    def verdict(self, reached: Reached, ran: Ran | None = None) -> Verdict:
        """What has become of the code of a job.

        Args:
            reached: What the job could reach.
            ran: What it ran. Without it, all that it could reach counts as run.

        Raises:
            SnapshotError: A file cannot be read.
        """
        return _verdict(self.parts(reached, ran))

    def parts(self, reached: Reached, ran: Ran | None = None) -> Parts:
        """All that has changed, by whether it ran. The arguments are those of `verdict`.

        Raises:
            SnapshotError: A file cannot be read.
        """
        if self._is_same:
            return Parts()
        if ran is None:
            found = self._of(reached.keys)
            return Parts(_sorted(found.changes), unknown=_sorted([*found.unknown, *reached.unknown]))
        run = _Run(self._old, reached, ran)
        first, rest = self._of(run.keys), self._of(reached.keys - run.keys)
        left = set(rest.changes) - set(first.changes)
        hidden = run.sees_functions and not run.sees_all
        outside = () if run.sees_all else reached.unknown
        return Parts(
            _sorted(first.changes),
            () if hidden else _sorted(left),
            _sorted(left) if hidden else (),
            _sorted([*first.unknown, *rest.unknown, *run.unknown, *outside]),
        )

    def _of(self, keys: Collection[Key]) -> _Found:
        """What of some definitions has changed, and what cannot be told."""
        changes: set[Change] = set()
        unknown: set[Unknown] = set()
        for key in keys:
            if key not in self._known:
                self._known[key] = self._one(key)
            found = self._known[key]
            if isinstance(found, Change):
                changes.add(found)
            elif found is not None:
                unknown.add(found)
        files = frozenset(key.file for key in keys)
        if files not in self._loads:
            self._loads[files] = self._loaded(files)
        changes |= self._loads[files]
        return _Found(list(changes), list(unknown))

    def _now(self, file: File) -> File:
        return self._moved.get(file, file)

    def _key_now(self, key: Key) -> Key:
        return key if key.tree == OUTSIDE else Key(*self._now(key.file), key.name)

    def _one(self, key: Key) -> Change | Unknown | None:
        """What has become of a definition."""
        there = self._key_now(key)
        before, now = self._old.definitions(key.file), self._new.definitions(there.file)
        if now is None or before is None:
            return Change(*key, 1, "gone")
        if before.problem or now.problem:
            same = self._old.project.files[key.file] == self._new.project.files[there.file]
            worse = now if now.problem else before
            return None if same else Unknown(f"a file that {worse.problem}", *there.file, worse.line, True)
        if key.name == ALL:
            return None if self._means_the_same(key, there) else Change(key.tree, key.path, MODULE, 1, "meaning")
        old, new = before.names.get(key.name), now.names.get(key.name)
        if old is None:
            return None  # it was unknown then, too
        if new is None:
            return Change(*key, old.line, "gone")
        if old.shape != new.shape or (old.kind == "module" and self._defines_others(key, there)):
            return Change(*key, new.line, "changed")
        if self._means_the_same(key, there):
            return None
        return self._unreadable(there) or Change(*key, new.line, "meaning")

    def _unreadable(self, key: Key) -> Unknown | None:
        """A file that cannot be read today, to which the names of a definition lead."""
        for each in sorted(name for group in self._new.steps(key).named for name in group if name.tree != OUTSIDE):
            known = self._new.definitions(each.file)
            if known is not None and known.problem:
                return Unknown(f"a file that {known.problem}", *each.file, known.line, True)
        return None

    def _defines_others(self, key: Key, there: Key) -> bool:
        """Whether other classes of a module run code of the project when they are defined."""
        before, now = self._old.hooked_in(key.file), self._new.hooked_in(there.file)
        return {each.name for each in before} != {each.name for each in now}

    def _means_the_same(self, key: Key, there: Key) -> bool:
        """Whether all names in a definition mean what they meant."""
        before, now = self._old.steps(key), self._new.steps(there)
        if [tuple(map(self._key_now, group)) for group in before.named] != now.named:
            return False
        then = {self._now(file) for file in self._loaded_by(self._old, key)}
        return then == self._loaded_by(self._new, there)

    def _loaded_by(self, walk: Walk, key: Key) -> set[File]:
        """The files that imports in a function or a class run, if that has an effect; of modules, see `_loaded`."""
        found = walk.definition(key)
        if found is None or key.name == MODULE:
            return set()
        return {file for file in walk.imported(key.file, found.imports) if _has_effect(walk, file)}

    def _loaded(self, files: frozenset[File]) -> set[Change]:
        """Files whose code runs on import now and did not then, or the other way round. Empty code is passed over."""
        before = self._old.loaded(files)
        now = self._new.loaded({self._now(file) for file in files})
        kept = {self._now(file) for file in before}
        new = {file for file in now - kept if _has_effect(self._new, file)}
        lost = {file for file in before if self._now(file) not in now and _has_effect(self._old, file)}
        if any(found.problem for file in now if (found := self._new.definitions(file))):
            lost = set()  # what such a file imports is not known
        return {Change(*file, MODULE, 1, "loaded") for file in new | lost}


def _sorted(found: Iterable[_Each]) -> tuple[_Each, ...]:
    return tuple(sorted(set(found)))


def _has_effect(walk: Walk, file: File) -> bool:
    """Whether importing a file does more than binding names."""
    known = walk.definitions(file)
    if known is None or known.problem or MODULE not in known.names:
        return True
    return bool(walk.steps(Key(*file, MODULE)).named) or known.names[MODULE].digest != digest_of("")


def _renamed(old: Project, new: Project) -> dict[File, File]:
    """For files that are gone: where a new file has the same content. There have to be as many new ones as are gone."""
    gone: dict[str, list[File]] = {}
    for file, digest in old.files.items():
        if file not in new.files:
            gone.setdefault(digest, []).append(file)
    come: dict[str, list[File]] = {}
    for file, digest in new.files.items():
        if file not in old.files and digest in gone:
            come.setdefault(digest, []).append(file)
    pairs = [(gone[digest], files) for digest, files in come.items() if len(files) == len(gone[digest])]
    return {before: now for olds, news in pairs for before, now in zip(sorted(olds), sorted(news), strict=True)}
