"""The walk through a project: from a definition to those that it refers to.

A name leads to its definition, through imports, names that are handed on, and `import *`. Whoever reaches a class
reaches its bases and all of its methods, because nobody can say from the text which method of a value is called.
Whoever reaches a definition also runs the code of its module, and of the packages around it.

Owns: these steps. What can be reached by any number of them is in `reached`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from xpm_core.fingerprints.project import File, Found, Module, Project
from xpm_core.fingerprints.source.definitions import Definition, Definitions
from xpm_core.fingerprints.source.names import Place, Ref
from xpm_core.fingerprints.source.pieces import MODULE

ALL = "*"
"""Stands for all definitions of a module that is used as a value."""

_QUIET_ATTRIBUTES = frozenset(
    {"__name__", "__file__", "__doc__", "__path__", "__spec__", "__package__", "__loader__", "__version__"}
)
"""Attributes that every module can have, and that say nothing of its definitions."""

OUTSIDE = ""
"""Stands for the tree of what is no part of the project."""


class Key(NamedTuple):
    """A definition of a project.

    Attributes:
        tree: Its tree; empty for what is outside of the project.
        path: The path of its file.
        name: Its name in the file, or what it is called outside: `numpy.zeros`.
    """

    tree: str
    path: str
    name: str

    @property
    def file(self) -> File:
        """Its file."""
        return self.tree, self.path


class Unknown(NamedTuple):
    """A place from which the walk could not go on.

    Attributes:
        what: What stands there: `getattr`.
        tree: The tree of its file.
        path: The path of its file.
        line: Its line.
        is_code: Whether the code itself is unknown, as with `exec`, or a file that does not parse.
    """

    what: str
    tree: str
    path: str
    line: int
    is_code: bool

    def __str__(self) -> str:
        return f"{self.what} at {self.path}:{self.line}"


class Steps(NamedTuple):
    """Where a definition leads.

    Attributes:
        named: For each of its references in order, the definitions that it can mean.
        keys: All definitions of the project that it leads to.
        unknown: Where the walk cannot go on.
    """

    named: list[tuple[Key, ...]]
    keys: frozenset[Key]
    unknown: tuple[Unknown, ...]


class Walk:
    """The steps in a project. Each is made once.

    Args:
        project: The project.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._steps: dict[Key, Steps] = {}
        self._hooked: dict[Key, bool] = {}
        self._making: dict[File, frozenset[str]] = {}
        self._configurations = Configurations(self)

    def steps(self, key: Key) -> Steps:
        """Where a definition leads.

        Raises:
            SnapshotError: A file cannot be read.
        """
        found = self._steps.get(key)
        if found is None:
            found = self._steps[key] = _Step(self, key).made
        return found

    def definition(self, key: Key) -> Definition | None:
        """A definition; None if its file has none of that name, or cannot be read."""
        known = self.definitions(key.file)
        return known.names.get(key.name) if known is not None else None

    def definitions(self, file: File) -> Definitions | None:
        """The definitions of a file; None if the project has no such file."""
        if file not in self.project.files:
            return None
        if file not in self._making:
            self._making[file] = self._configurations.made_in(file)
        return self.project.definitions(file, self._making[file])

    def imported(self, file: File, imports: Iterable[Ref]) -> Iterator[File]:
        """The files whose code runs for imports of a file."""
        for each in imports:
            found = self.project.find(each.source, file)
            modules = list(found.modules)
            for name in self._taken(modules[-1], each.path) if modules else ():
                inner = self.project.inside(found.modules[-1], name)
                modules += [inner] if inner else []
            for module in modules:
                if module.path:
                    yield module.file
                    yield from self.project.packages_of(module.file)

    def _taken(self, module: Module, name: str) -> list[str]:
        """The names that an import takes of a module: for `*`, those in its `__all__`, because they can be modules."""
        if name != "*":
            return [name] if name else []
        return (self.project.definitions(module.file).exports or []) if module.path else []

    def loaded(self, files: Iterable[File]) -> set[File]:
        """The files whose code runs when files are imported: these, and all that they import at their top."""
        found: set[File] = set()
        waiting = list(files)
        while waiting:
            file = waiting.pop()
            if file in found or (known := self.definitions(file)) is None:
                continue
            found.add(file)
            waiting += self.project.packages_of(file)
            if MODULE in known.names:
                waiting += self.imported(file, known.names[MODULE].imports)
        return found

    def hooked_in(self, file: File) -> set[Key]:
        """The classes of a file whose definition runs code of the project."""
        known = self.definitions(file)
        names = known.names if known is not None else ()
        return {key for key in (Key(*file, name) for name in names) if self.is_hooked(key)}

    def is_hooked(self, key: Key, around: frozenset[Key] = frozenset()) -> bool:
        """Whether code of the project runs when a class is defined: `__init_subclass__`, a metaclass, what it calls."""
        if key in self._hooked or key in around:
            return self._hooked.get(key, False)
        cls = self.definition(key)
        if cls is None or cls.kind != "class":
            return False
        around |= {key}
        found = bool(self._inner(key, cls.metaclasses))
        found = found or any(self._hooks(base, "__init_subclass__", around) for base in self._inner(key, cls.bases))
        found = found or any(self._acts(each, around) for each in self._inner(key, cls.called))
        self._hooked[key] = found
        return found

    def _inner(self, key: Key, refs: Iterable[Ref]) -> list[Key]:
        """What references of a definition mean in the project."""
        names = Names(self, key.file)
        return [each for ref in refs for each in names.of(ref) if each.tree != OUTSIDE]

    def _hooks(self, key: Key, method: str, around: frozenset[Key]) -> bool:
        """Whether a base class runs code of the project when a class is derived from it, or could do so."""
        found = self.definition(key)
        if found is None or key in around:
            return False
        if found.kind == "class":
            known = self.definitions(key.file)
            defines = known is not None and f"{key.name}.{method}" in known.names
            return defines or self.is_hooked(key, around)
        if found.kind == "constant":
            return any(self._hooks(each, method, around | {key}) for each in self._inner(key, found.refs))
        return True

    def _acts(self, key: Key, around: frozenset[Key]) -> bool:
        """Whether a call in the body of a class can do more than make a value, as far as one sees."""
        found = self.definition(key)
        if found is None or found.kind != "class" or key in around:
            return found is None or found.kind != "class"
        known = self.definitions(key.file)
        defines = known is not None and f"{key.name}.__set_name__" in known.names
        return defines or any(self._acts(each, around | {key}) for each in self._inner(key, found.bases))


_CONFIGURATIONS = frozenset(
    f"{module}.{name}"
    for module in ("xpm_core", "xpm_core.config")
    for name in ("Config", "Task", "ResumableTask", "LightweightTask", "InstanceConfig")
)
_MIXINS = frozenset({"abc.ABC"})


class Configurations:
    """Which calls only make a configuration, so that no code of the project runs for them.

    Args:
        walk: The walk.
    """

    def __init__(self, walk: Walk) -> None:
        self._walk, self._project = walk, walk.project
        self._known: dict[Key, bool] = {}

    def made_in(self, file: File) -> frozenset[str]:
        """What makes a configuration in assignments of a file, as it stands there: `MLP`, `models.MLP`."""
        return frozenset(each.path for each in self._project.definitions(file).makes if self._makes(file, each))

    def _makes(self, file: File, ref: Ref) -> bool:
        names = Names(self._walk, file)
        module, _, name = ref.path.rpartition(".")
        if module and any(each.name != ALL for each in names.of(ref._replace(path=module))):
            return False  # a method of a class, or what is not known
        found = names.of(ref)
        return len(found) == 1 and (not module or found[0].name == name) and self._is_plain(found[0])

    def _is_plain(self, key: Key) -> bool:
        """Whether a definition is a class of configurations, and making one runs nothing of the project."""
        if key not in self._known:
            self._known[key] = False  # for a circle
            cls = self._project.definitions(key.file).names.get(key.name) if key.tree != OUTSIDE else None
            if cls is not None and cls.kind == "class" and cls.is_plain:
                names = Names(self._walk, key.file)
                bases = [each for ref in cls.bases for each in names.of(ref)]
                called = [each for ref in cls.called for each in names.of(ref) if each.tree != OUTSIDE]
                is_one = any(each.name not in _MIXINS for each in bases) and all(map(self._is_base, bases))
                self._known[key] = is_one and all(map(self._is_plain, called))
        return self._known[key]

    def _is_base(self, key: Key) -> bool:
        if key.tree == OUTSIDE:
            return key.name in _CONFIGURATIONS | _MIXINS
        return self._is_plain(key)


class Names:
    """What names of a file mean.

    Args:
        walk: The walk.
        file: The file.

    Attributes:
        missing: References to what a package of the project lacks.
    """

    def __init__(self, walk: Walk, file: File) -> None:
        self._walk, self._project, self._file = walk, walk.project, file
        self.missing: list[Place] = []

    def of(self, ref: Ref) -> tuple[Key, ...]:
        """The definitions that a reference can mean; one outside of the project if it means none."""
        parts = ref.path.split(".") if ref.path else []
        self._line, self._passed = ref.line, set[tuple[File, str]]()
        if ref.source:
            found = self._imported(self._file, ref.source, parts)
        else:
            found = self._named(self._file, parts[0], parts[1:])
        return tuple(dict.fromkeys(found)) or (Key(OUTSIDE, "", ref.path),)

    def note_missing(self, search: Found, ref: Ref) -> None:
        """Note an import that a package of the project lacks."""
        if not search.modules and not search.is_outside:
            self._line = ref.line
            self._lacks(ref.source, ())

    def _named(self, file: File, name: str, rest: Sequence[str]) -> list[Key]:
        """What a name of a file can mean, all branches taken together."""
        if (file, name) in self._passed:
            return []
        self._passed.add((file, name))
        known = self._project.definitions(file)
        if known.problem:
            return [Key(*file, MODULE)]
        found = [Key(*file, name)] if name in known.names and name != MODULE else []
        for source, path in known.aliases.get(name, ()):
            found += self._imported(file, source, [*(path.split(".") if path else []), *rest])
        for source in reversed(known.stars):
            found += self._starred(file, source, name, rest)
        if not found and "__getattr__" in known.names and file != self._file:
            found.append(Key(*file, "__getattr__"))
        return found

    def _starred(self, file: File, source: str, name: str, rest: Sequence[str]) -> list[Key]:
        """What a name of a file can mean by an `import *`, which can also take the place of a definition."""
        search = self._project.find(source, file)
        module = search.modules[-1] if search.modules else None
        if module is None or not module.path:
            return []
        known = self._project.definitions(module.file)
        if known.problem or (known.exports is not None and name not in known.exports):
            return [Key(*module.file, MODULE)] if known.problem else []
        found = self._named(module.file, name, rest)
        if not found and known.exports is not None and (inner := self._project.inside(module, name)):
            found = self._inside(inner, f"{source}.{name}", rest)
        if found and known.exports is None and "__all__" in known.names:
            found.append(Key(*module.file, "__all__"))
        return found

    def _imported(self, file: File, source: str, parts: Sequence[str]) -> list[Key]:
        """What an import of a file means."""
        search = self._project.find(source, file)
        if search.is_outside:
            return [Key(OUTSIDE, "", ".".join([source, *parts]))]
        if not search.modules:
            return self._lacks(source, parts)
        return self._inside(search.modules[-1], source, parts)

    def _inside(self, module: Module, source: str, parts: Sequence[str]) -> list[Key]:
        """What attributes of a module mean."""
        if not parts:
            return [Key(*module.file, ALL)] if module.path else []
        first, *rest = parts
        if module.path:
            found = self._named(module.file, first, rest)
            if found and found[-1].name != "__getattr__":
                return found
            if first.startswith("__") and first.endswith("__"):
                return [Key(*module.file, MODULE if first in _QUIET_ATTRIBUTES else ALL)]
        else:
            found = []
        inner = self._project.inside(module, first)
        if inner is None and not module.path and not source.startswith("."):  # it can lie in several folders
            search = self._project.find(f"{source}.{first}", self._file)
            inner = search.modules[-1] if search.modules else None
        if inner is not None:
            return [*found, *self._inside(inner, f"{source}.{first}", rest)]
        if found:
            return found
        if not module.path:  # an installed package goes before such a folder
            return [Key(OUTSIDE, "", f"{source}.{first}")]
        if (module.file, first) in self._passed and self._hands_on(module):
            return [Key(OUTSIDE, "", f"{source}.{first}")]
        return self._lacks(source, parts)

    def _hands_on(self, module: Module) -> bool:
        """Whether a module has all names of one that is outside of the project."""
        known = self._project.definitions(module.file)
        return any(self._project.find(each, module.file).is_outside for each in known.stars)

    def _lacks(self, source: str, parts: Sequence[str]) -> list[Key]:
        name = ".".join([source, *parts[:1]])
        self.missing.append(Place(f"{name}, which is no file of the project,", self._line, True))
        return [Key(OUTSIDE, "", name)]


class _Step:
    """One step.

    Args:
        walk: The walk.
        key: Where it begins.
    """

    def __init__(self, walk: Walk, key: Key) -> None:
        self._walk, self._key = walk, key
        self._names = Names(walk, key.file)

    @cached_property
    def made(self) -> Steps:
        """Where it leads."""
        key = self._key
        known = self._walk.definitions(key.file)
        if known is None:
            return Steps([], frozenset(), (Unknown("a missing file", *key.file, 1, True),))
        if known.problem:
            what = f"a file that {known.problem}"
            return Steps([], frozenset({Key(*key.file, MODULE)}), (Unknown(what, *key.file, known.line, True),))
        around = {Key(*file, MODULE) for file in [key.file, *self._walk.project.packages_of(key.file)]}
        if key.name == ALL:
            named = [self._names.of(Ref("", name, 1)) for name in sorted({*known.names, *known.aliases} - {MODULE})]
            named += [(Key(*each, ALL),) for each in self._walk.project.inner_modules(key.file)]
            named += [
                (Key(*search.modules[-1].file, ALL),)
                for search in (self._walk.project.find(source, key.file) for source in known.stars)
                if search.modules and search.modules[-1].path
            ]
            return Steps(named, self._inner(named, around), ())
        definition = known.names.get(key.name)
        if definition is None:
            what = f"{key.name}, which was made at run time,"
            return Steps([], frozenset(around), (Unknown(what, *key.file, 1, True),))
        return self._of(definition, known, around)

    def _of(self, definition: Definition, known: Definitions, around: set[Key]) -> Steps:
        key = self._key
        named = [self._names.of(ref) for ref in definition.refs]
        around.update(Key(*file, MODULE) for file in self._walk.imported(key.file, definition.imports))
        around.update(Key(*key.file, name) for name in known.members.get(key.name, ()))
        outer = key.name.rpartition(".")[0]
        if outer in known.names:
            around.add(Key(*key.file, outer))
        if key.name == MODULE:
            around.update(self._walk.hooked_in(key.file))
        for each in definition.imports:
            self._names.note_missing(self._walk.project.find(each.source, key.file), each)
        places = [place for place in definition.places if not self._is_outside(place)]
        unknown = [Unknown(each.what, *key.file, each.line, each.is_code) for each in [*places, *self._names.missing]]
        return Steps(named, self._inner(named, around), tuple(dict.fromkeys(unknown)))

    def _inner(self, named: Iterable[tuple[Key, ...]], around: Iterable[Key]) -> frozenset[Key]:
        """What of it is in the project, without itself."""
        keys = {each for group in named for each in group if each.tree != OUTSIDE}
        return frozenset(keys.union(around) - {self._key})

    def _is_outside(self, place: Place) -> bool:
        """Whether a `getattr` takes an attribute of what is no part of the project, such as `torch.nn`."""
        if not place.about:
            return False
        source, path = place.about
        if not source and not self._binds(path.partition(".")[0]):
            return False
        return all(each.tree == OUTSIDE for each in self._names.of(Ref(source, path, place.line)))

    def _binds(self, name: str) -> bool:
        known = self._walk.project.definitions(self._key.file)
        return name in known.aliases or name in known.names
