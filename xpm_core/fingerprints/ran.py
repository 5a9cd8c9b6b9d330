"""What the process of a job ran: which functions of the project it entered, which modules it imported, what it read.

The process sees this while it runs (xpm_worker.job.trace). The document is kept under its SHA-256, so that equal jobs
share it, and the record of the execution names it as `ran`. A job that was killed has none: what it ran is not known.

The document is one object of JSON, with sorted keys:

    version    1
    means      "monitoring": it has the functions; "imports": it has the modules only, and `why` says the reason
    functions  {tree: {path: [qualified name, ...]}}
    modules    [[tree, path, name], ...]; the name is empty if the file was run, but not as a module
    files      [[tree, path, where, "digest", SHA-256], [tree, path, where, "large", size, mtime_ns],
                [tree, path, where, "absent"], [tree, path, where, "unknown"], ...]; where is "copy" or "live"
    processes  how it started processes of its own: ["fork", "subprocess"]
    compilers  packages that may have run functions without Python: ["numba"]
    lacks      what the lists above have only a part of: ["files"]

Owns: this form, and its limits. Imports nothing heavy, because processes of jobs use it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal, NamedTuple, TypeVar

from xpm_core.errors import SnapshotError

VERSION = 1

LARGEST_RAN = 900_000
"""Bytes of a document. A larger one is not read, and none is written."""
MOST_FUNCTIONS, MOST_MODULES, MOST_FILES, MOST_WORDS = 10_000, 5_000, 1_000, 50
"""How many of each a document may have. It says in `lacks` which of them were more."""
LONGEST = 1_000
"""Characters of a path, a name or a word."""

CODE, BYTECODE = (".py", ".pyi"), (".pyc", ".pyo")
"""How the names of files end that hold code of Python."""

Place = tuple[str, str]
"""A file of a snapshot: the name of its tree, and its path in the tree."""

Means = Literal["monitoring", "imports"]
Part = Literal["functions", "modules", "files"]
PARTS: tuple[Part, ...] = ("functions", "modules", "files")

State = Literal["digest", "large", "absent", "unknown"]

_RUN_AGAIN = "Run the job again, which writes it anew."
_HEX = frozenset("0123456789abcdef")
_Item = TypeVar("_Item")


class RanModule(NamedTuple):
    """A file whose code was run from its beginning.

    Attributes:
        tree: Its tree.
        path: Its path in the tree, with `/`. It may also be that of an extension module.
        name: The name of the module; empty if the file was run otherwise, as by `runpy`.
    """

    tree: str
    path: str
    name: str


class OpenedFile(NamedTuple):
    """A file of the project that was opened for reading.

    Attributes:
        tree: Its tree.
        path: Its path in the tree, with `/`. A job can have read it in the snapshot, or where the project lies.
        state: digest: its content has that digest. large: it was too large to read it once more, and has that size and
            time. absent: there was no such file. unknown: it changed while the job ran, or cannot be read.
        digest: The SHA-256 of its content.
        size: Bytes.
        mtime_ns: When it was last changed. A file of the snapshot has a fixed time, so the snapshot's manifest says
            more.
        live: Whether it was read where the project lies, or behind a link, and not in the copy of the snapshot.
    """

    tree: str
    path: str
    state: State
    digest: str = ""
    size: int = 0
    mtime_ns: int = 0
    live: bool = False

    @property
    def written(self) -> list[Any]:
        """Its list in the document."""
        place: list[Any] = [self.tree, self.path, "live" if self.live else "copy", self.state]
        if self.state == "digest":
            return [*place, self.digest]
        return [*place, self.size, self.mtime_ns] if self.state == "large" else place


@dataclass(frozen=True)
class Ran:
    """What the process of a job ran, of the files of its snapshot.

    Attributes:
        means: How it was seen: by monitoring, or by its imports alone.
        why: Why by its imports alone; empty with monitoring.
        functions: The functions, lambdas and comprehensions that were entered, by file: sorted qualified names, as
            `Model.forward` or `fit.<locals>.step`. Bodies of classes and modules are not among them: they belong to the
            modules.
        modules: The files whose code was run from the beginning, sorted.
        files: The other files that were opened for reading by Python, sorted. A library in C that opens files by itself
            is not seen.
        processes: How processes of its own were started, sorted. What these have run was not seen.
        compilers: Packages that may have run functions of the project without Python, sorted.
        lacks: Which of functions, modules and files are only a part, in this order.

    Example:
        >>> ran = Ran("monitoring", functions={("digits", "train.py"): ("Train.execute",)})
        >>> Ran.read(ran.written()) == ran
        True
    """

    means: Means
    why: str = ""
    functions: Mapping[Place, Sequence[str]] = field(default_factory=dict)
    modules: Sequence[RanModule] = ()
    files: Sequence[OpenedFile] = ()
    processes: Sequence[str] = ()
    compilers: Sequence[str] = ()
    lacks: Sequence[Part] = ()

    @property
    def sees_all(self) -> bool:
        """Whether a function that is not among `functions` was surely not run."""
        unseen = self.processes or self.compilers or {"functions", "modules"} & set(self.lacks)
        return self.means == "monitoring" and not unseen

    @property
    def has_live_files(self) -> bool:
        """Whether it has read files whose content does not follow from its snapshot, and of which it is known."""
        return any(each.live and each.state != "unknown" for each in self.files)

    @property
    def digest(self) -> str:
        """The SHA-256 of the document, 64 hexadecimal digits."""
        return sha256(self.written()).hexdigest()

    def written(self) -> bytes:
        """The document. Equal ones give equal bytes, in whatever order their parts are. It has at most `LARGEST_RAN`.

        What is over a limit is left out, and `lacks` then says so.
        """
        data = _encoded(within := self._within())
        for part in ("functions", "files", "modules"):
            if len(data) > LARGEST_RAN:
                empty: Any = {} if part == "functions" else ()
                within = replace(within, **{part: empty}, lacks=_parts({*within.lacks, part}))
                data = _encoded(within)
        return data

    def _within(self) -> Ran:
        """The same within the limits of each part, sorted."""
        lacks = set(self.lacks)

        def cut(part: Part, items: Iterable[_Item], most: int, fits: Callable[[_Item], bool]) -> tuple[_Item, ...]:
            found = sorted(set(items))  # type: ignore[type-var]
            short = tuple(each for each in found if fits(each))[:most]
            if len(short) < len(found):
                lacks.add(part)
            return short

        pairs = ((place, name) for place, names in self.functions.items() for name in names)
        entered: dict[Place, list[str]] = {}
        for place, name in cut("functions", pairs, MOST_FUNCTIONS, lambda each: _fit(*each[0], each[1])):
            entered.setdefault(place, []).append(name)
        return Ran(
            self.means,
            self.why[:LONGEST],
            {place: tuple(names) for place, names in entered.items()},
            cut("modules", self.modules, MOST_MODULES, lambda each: _fit(*each)),
            cut("files", self.files, MOST_FILES, lambda each: _fit(*each[:2])),
            tuple(sorted(set(self.processes))[:MOST_WORDS]),
            tuple(sorted(set(self.compilers))[:MOST_WORDS]),
            _parts(lacks),
        )

    @classmethod
    def read(cls, data: bytes) -> Ran:
        """Read what `written` made.

        Raises:
            SnapshotError: It is malformed, too large, or of a later version.
        """
        try:
            if len(data) > LARGEST_RAN:
                raise ValueError
            fields = json.loads(data)
            if (version := fields["version"]) != VERSION and type(version) is int and version > VERSION:
                raise SnapshotError("what a job ran", f"its form is of version {version}", "Use a later xpm.")
            found = _read(fields)
            if found.written() != data:
                raise ValueError
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            raise SnapshotError("what a job ran", "it is malformed", _RUN_AGAIN) from None
        return found


def _encoded(ran: Ran) -> bytes:
    functions: dict[str, dict[str, list[str]]] = {}
    for (tree, path), names in ran.functions.items():
        functions.setdefault(tree, {})[path] = list(names)
    fields = {
        "version": VERSION,
        "means": ran.means,
        "why": ran.why,
        "functions": functions,
        "modules": [list(each) for each in ran.modules],
        "files": [each.written for each in ran.files],
        "processes": list(ran.processes),
        "compilers": list(ran.compilers),
        "lacks": list(ran.lacks),
    }
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _read(fields: Mapping[str, Any]) -> Ran:
    """The document of parsed JSON.

    Raises:
        KeyError, TypeError, ValueError: It does not have the form.
    """
    if fields["version"] != VERSION or fields["means"] not in ("monitoring", "imports"):
        raise ValueError
    functions = {
        _place(tree, path): _texts(names)
        for tree, paths in fields["functions"].items()
        for path, names in paths.items()
    }
    modules = tuple(RanModule(*_place(tree, path), _text(name)) for tree, path, name in fields["modules"])
    files = tuple(opened_file(*each) for each in fields["files"])
    lacks = _parts(fields["lacks"])
    words = (_texts(fields["processes"]), _texts(fields["compilers"]))
    return Ran(fields["means"], _text(fields["why"]), functions, modules, files, *words, lacks)


def opened_file(tree: str, path: str, where: str, state: str, *rest: Any) -> OpenedFile:
    """Read what `OpenedFile.written` made.

    Raises:
        TypeError, ValueError: It does not have that form.
    """
    if where not in ("copy", "live"):
        raise ValueError
    known, live = _place(tree, path), where == "live"
    if state == "digest":
        (digest,) = rest
        if type(digest) is not str or len(digest) != 64 or set(digest) - _HEX:
            raise ValueError
        return OpenedFile(*known, "digest", digest, live=live)
    if state == "large":
        size, mtime_ns = rest
        if type(size) is not int or type(mtime_ns) is not int or size < 0:
            raise ValueError
        return OpenedFile(*known, "large", "", size, mtime_ns, live)
    if rest or state not in ("absent", "unknown"):
        raise ValueError
    return OpenedFile(*known, "absent" if state == "absent" else "unknown", live=live)


def _parts(names: Iterable[str]) -> tuple[Part, ...]:
    """The parts of these names, in their order."""
    found = set(names)
    if found - set(PARTS):
        raise ValueError
    return tuple(part for part in PARTS if part in found)


def _fit(tree: str, path: str, name: str = "") -> bool:
    """Whether a document can name it."""
    return is_place(tree, path) and len(name) <= LONGEST


def is_place(tree: str, path: str) -> bool:
    """Whether a name of a tree and a path lead downwards, and are not too long."""
    parts = path.split("/")
    downwards = "/" not in tree and not {"", ".", ".."} & {tree, *parts}
    return downwards and "\0" not in tree + path and max(len(tree), len(path)) <= LONGEST


def _place(tree: Any, path: Any) -> Place:
    if type(tree) is not str or type(path) is not str or not is_place(tree, path):
        raise ValueError
    return tree, path


def _text(value: Any) -> str:
    if type(value) is not str or len(value) > LONGEST:
        raise ValueError
    return value


def _texts(values: Any) -> tuple[str, ...]:
    if type(values) is not list:
        raise TypeError
    return tuple(map(_text, values))
