"""Which files of a root belong to a snapshot, and what becomes of links, secrets, large files, and too many files.

Owns: these rules and their limits. Reads no content of a file, and opens none.
"""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from xpm_core.errors import SnapshotError
from xpm_core.snapshot.taking.files.git import GitFiles
from xpm_core.snapshot.taking.files.links import LinkReader, Surroundings
from xpm_core.snapshot.taking.files.listing import Listing, files_in
from xpm_core.snapshot.taking.files.names import (
    PYTHON,
    Patterns,
    fixed_part,
    is_leftover,
    is_python,
    is_secret,
    output_kind,
    shown,
)
from xpm_core.snapshot.taking.files.settings import SnapshotSettings
from xpm_core.snapshot.taking.files.walk import walk

MOST_FILES = 10_000
MOST_BYTES = 100_000_000
LARGE = 1_000_000
"""Bytes. A larger file is linked to, unless it is code, or the settings include it."""

_CODE = "Python files and what was imported"

_ALWAYS = "pyproject.toml"
"""Kept also among too many files, because it marks the root."""


class Found(NamedTuple):
    """A file that belongs to a snapshot.

    Attributes:
        place: Where to read it: an absolute path that is no link.
        stat: What the system says of it.
    """

    place: str
    stat: os.stat_result


@dataclass
class Notes:
    """What people are told about the files of a root. Paths are relative to it.

    Attributes:
        secrets: Files left out for their names.
        leaving: Links that leave the root.
        large: Files that are linked to, with their sizes.
        closed: Folders that this user may not read.
        only: What alone is kept because there is too much; empty if all files are.
        narrowed: Why.
        refused: Why git did not list the files.
        outputs: Patterns of files that programs write while jobs run. Such files are left out.
        unmatched: Patterns of `include` that no file matches.
    """

    secrets: list[str] = field(default_factory=list)
    leaving: list[str] = field(default_factory=list)
    large: list[tuple[str, int]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    only: str = ""
    narrowed: str = ""
    refused: str = ""
    outputs: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)


@dataclass
class Selection:
    """What belongs to a snapshot of a root, by paths relative to it.

    Attributes:
        files: Files whose content is kept.
        large: Files that are linked to.
        links: Links that leave the root, with their absolute targets.
        notes: What people are told.
        git: What git said; None if it said nothing.
    """

    files: dict[str, Found] = field(default_factory=dict)
    large: dict[str, Found] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)
    git: GitFiles | None = None


def select(root: str, settings: SnapshotSettings, imported: Iterable[str], around: Surroundings) -> Selection:
    """Find what belongs to a snapshot of a root.

    Args:
        root: The root.
        settings: What the root's pyproject.toml says.
        imported: The files in the root that this process has imported, relative to it.
        around: What lies around the root.

    Raises:
        SnapshotError: The root cannot be read, a link leads to a folder that holds it, or the settings include too
            much.
    """
    if not os.access(root, os.R_OK | os.X_OK):
        raise SnapshotError(shown(root), "this folder cannot be read", "Make it readable for you.")
    listing = files_in(root, around.workspace, settings.exclude.match)
    return _Selector(root, settings, set(imported), listing, around).selection()


class _Selector:
    """Decides about each path of a root. Used once."""

    def __init__(
        self,
        root: str,
        settings: SnapshotSettings,
        imported: set[str],
        listing: Listing,
        around: Surroundings,
    ) -> None:
        self._root, self._settings, self._listing = root, settings, listing
        self._imported = {path for path in imported if not settings.exclude.match(path)}
        self._included = self._search()
        self._forced = self._imported | self._included
        self._links = LinkReader(root, around, listing.paths)
        self._written = _own_outputs()
        self._found = Selection(git=listing.git)
        self._found.notes.closed, self._found.notes.refused = listing.closed, listing.refused
        outputs = (path for path in listing.outputs - self._forced if not settings.include.match(path))
        self._found.notes.outputs = sorted(set(map(output_kind, outputs)))

    def selection(self) -> Selection:
        """What belongs to the snapshot."""
        for path in dict.fromkeys([*self._candidates(), *self._forced]):
            self._add(path)
        found = self._found
        size = sum(file.stat.st_size for file in found.files.values())
        if size > MOST_BYTES or len(found.files) + len(found.large) > MOST_FILES:
            self._narrow(size)
        self._check_included()
        found.notes.secrets.sort()
        found.notes.leaving.sort()
        found.notes.large = sorted((path, file.stat.st_size) for path, file in found.large.items())
        return found

    # -- which paths are looked at ---------------------------------------------------------------------------------

    def _candidates(self) -> list[str]:
        """The paths that are looked at: all, or only code if there are too many."""
        paths, notes = self._listing.paths, self._found.notes
        if self._listing.whole and len(paths) <= MOST_FILES:
            return paths
        code = [path for path in paths if _is_code(path)]
        if self._listing.whole and len(code) <= MOST_FILES:
            notes.narrowed = f"it has {len(paths):,} files ({_largest(Counter(map(_top, paths)), 'files')})"
            notes.only = _CODE
            return code
        notes.narrowed = f"it has {len(code):,} Python files" if self._listing.whole else "it is too large to search"
        notes.narrowed += f" ({_largest(Counter(map(_top, paths)), 'files')})"
        notes.only = "what was imported and the Python files beside it"
        tracked = code[:MOST_FILES] if self._listing.git is None and self._listing.refused else []
        return [*tracked, *self._beside()]

    def _beside(self) -> list[str]:
        """The Python files in the folders of the files that were imported."""
        found = [_ALWAYS]
        for folder in sorted({os.path.dirname(path) for path in self._imported}):
            try:
                names = os.listdir(os.path.join(self._root, folder))
            except OSError:
                continue
            found += [os.path.join(folder, name) for name in names if name.endswith(PYTHON)]
        return [path for path in found if not self._settings.exclude.match(path)][:MOST_FILES]

    def _search(self) -> set[str]:
        """The files that the settings include, whether git ignores them or not."""
        found: set[str] = set()
        for pattern in self._settings.include.patterns:
            start = fixed_part(pattern)
            if not os.path.isdir(os.path.join(self._root, start)) and os.path.lexists(os.path.join(self._root, start)):
                found.add(start)
                continue
            if "/" not in pattern.rstrip("/") and not os.path.isdir(os.path.join(self._root, pattern)):
                start = ""
            walked = walk(self._root, start, skip=self._settings.exclude.match)
            if not walked.whole:
                problem = f"include: the search for {pattern!r} took too long, because the folder is large"
                raise SnapshotError(self._settings.where, problem, "Name the folder in the pattern, as build/*.so.")
            one = Patterns([pattern])
            found.update(path for path in walked.paths if one.match(path))
        return {path for path in found if not self._settings.exclude.match(path)}

    # -- one path ---------------------------------------------------------------------------------------------------

    def _add(self, path: str) -> None:
        """Put a path where it belongs."""
        for own, place, status in self._links.read(path, follow_file=path in self._imported):
            if isinstance(status, str) and not is_leftover(own):
                self._found.links[own] = status
                self._found.notes.leaving.append(own)
            elif not isinstance(status, str) and not self._settings.exclude.match(own):
                self._file(own, place, status, path in self._forced)

    def _file(self, path: str, place: str, status: os.stat_result, forced: bool) -> None:
        if not forced and is_leftover(path):
            return
        if not forced and (is_secret(path) or is_secret(place)):
            self._found.notes.secrets.append(path)
        elif forced or is_python(path):
            self._found.files[path] = Found(place, status)
        elif (status.st_dev, status.st_ino) not in self._written:
            into = self._found.large if status.st_size > LARGE else self._found.files
            into[path] = Found(place, status)

    # -- limits -----------------------------------------------------------------------------------------------------

    def _narrow(self, size: int) -> None:
        """Keep only code, and what the settings include."""
        found = self._found
        counts: Counter[str] = Counter()
        for path, file in found.files.items():
            counts[_top(path)] += file.stat.st_size
        if size > MOST_BYTES:
            found.notes.narrowed = f"it has {size // 1_000_000:,} MB ({_largest(counts, 'MB')})"
        else:
            count = len(found.files) + len(found.large)
            tops = Counter(_top(path) for path in (*found.files, *found.large))
            found.notes.narrowed = f"it has {count:,} files ({_largest(tops, 'files')})"
        found.notes.only = _CODE
        found.files = {path: file for path, file in found.files.items() if _is_code(path) or path in self._forced}
        found.large = {}

    def _check_included(self) -> None:
        """Refuse settings that ask for more than the limits."""
        found, settings = self._found, self._settings
        notes = found.notes
        notes.unmatched = [
            pattern for pattern in settings.include.patterns if not any(map(Patterns([pattern]).match, self._included))
        ]
        sizes = [found.files[path].stat.st_size for path in self._included if path in found.files]
        if len(sizes) > MOST_FILES or sum(sizes) > MOST_BYTES:
            asked = f"{len(sizes):,} files, {sum(sizes) // 1_000_000:,} MB"
            problem = (
                f"include asks for {asked}; at most {MOST_FILES:,} files and {MOST_BYTES // 1_000_000} MB are kept"
            )
            raise SnapshotError(settings.where, problem, "Include less. Jobs can read large files where they lie.")


def _is_code(path: str) -> bool:
    return path.endswith(PYTHON) or path == _ALWAYS


def _top(path: str) -> str:
    """The first folder on a path."""
    return path.partition("/")[0] if "/" in path else "."


def _largest(counts: Counter[str], unit: str) -> str:
    """The largest folders, for people."""
    scale = 1_000_000 if unit == "MB" else 1
    largest = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:3]
    return ", ".join(f"{name}: {count // scale:,} {unit}" for name, count in largest)


def _own_outputs() -> set[tuple[int, int]]:
    """The files that this process writes into, such as the one that its output goes to. They change all the time."""
    found: set[tuple[int, int]] = set()
    descriptors = os.listdir("/dev/fd") if os.path.isdir("/dev/fd") else ("1", "2")
    for descriptor in map(int, descriptors):
        try:
            if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY:
                status = os.fstat(descriptor)
                found.add((status.st_dev, status.st_ino))
        except OSError:
            continue  # the descriptor of the listing itself
    return found
