"""Links: which are followed, which stay links, and which go round in a circle.

Owns: what lies at a path of a root. A link that leads into a root is followed, and what it leads to is kept under the
link's path. A link that leaves all roots stays a link.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import takewhile
from typing import NamedTuple

from xpm_core.errors import SnapshotError
from xpm_core.snapshot.taking.files.names import lies_in, output_kind, shown
from xpm_core.snapshot.taking.files.walk import FolderRules, walk

MOST_FOLLOWED = 50_000
"""Files that links to folders may lead to."""


class Surroundings(NamedTuple):
    """What lies around a root.

    Attributes:
        roots: All roots of the snapshot. Links into them are followed.
        workspace: The workspace of the run. Nothing in it is kept, and links into it stay links. The same holds for the
            folder of this machine in which copies of code lie.
    """

    roots: Sequence[str]
    workspace: str


Content = tuple[str, str, "os.stat_result | str"]
"""A path in the root; where its content is; what the system says of that, or the target if it stays a link."""


class LinkReader:
    """Says what lies at the paths of a root.

    Args:
        root: The root.
        around: What lies around it.
        paths: The files of the root. A link to one of its folders leads to those that lie there.
    """

    def __init__(self, root: str, around: Surroundings, paths: Sequence[str]) -> None:
        self._root, self._roots, self._paths = root, [root, *around.roots], paths
        self._rules = {each: FolderRules(each, around.workspace) for each in self._roots}
        self._linked: dict[str, bool] = {"": False}
        self._followed = 0

    def read(self, path: str, *, follow_file: bool = False) -> Iterator[Content]:
        """What lies at a path: nothing, a file, a link that stays one, or all that a link to a folder leads to.

        Args:
            path: Its path, relative to the root.
            follow_file: Whether a file is kept also if the link to it leaves the root, because it was imported.

        Raises:
            SnapshotError: A link leads to a folder that holds it.
        """
        if follow_file or not self._below_link(path.rpartition("/")[0]):
            yield from self._at(path, f"{self._root}/{path}", (), follow_file)

    def _below_link(self, folder: str) -> bool:
        """Whether a folder is a link, or lies below one. Git can list what was there before."""
        known = self._linked.get(folder)
        if known is None:
            known = self._below_link(folder.rpartition("/")[0]) or os.path.islink(f"{self._root}/{folder}")
            self._linked[folder] = known
        return known

    def _at(self, path: str, place: str, passed: tuple[str, ...], follow_file: bool = False) -> Iterator[Content]:
        try:
            status = os.lstat(place)
            if not stat.S_ISLNK(status.st_mode):
                if stat.S_ISREG(status.st_mode):
                    yield path, place, status
                return
            target = os.path.normpath(os.path.join(os.path.dirname(place), os.readlink(place)))
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                raise _unreadable(place, path, error) from None
            return
        yield from self._link(path, place, target, (*passed, os.path.realpath(os.path.dirname(place))), follow_file)

    def _link(
        self, path: str, place: str, target: str, passed: tuple[str, ...], follow_file: bool
    ) -> Iterator[Content]:
        try:
            real = os.path.realpath(place, strict=True)
            status = os.stat(real)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _circle(place, path) from None
            yield path, place, target
            return
        home = self._home(real)
        if home is None and not (follow_file and stat.S_ISREG(status.st_mode)):
            yield path, place, target
        elif stat.S_ISREG(status.st_mode):
            yield path, real, status
        elif home is not None and stat.S_ISDIR(status.st_mode):
            if any(lies_in(folder, real) for folder in passed):
                raise _circle(place, path)
            for name in self._names_in(real, home):
                self._count(place, path)
                yield from self._at(f"{path}/{name}", os.path.join(real, name), passed)

    def _home(self, real: str) -> str | None:
        """The root that a path lies in; None if it lies in none, or in a folder that is never kept."""
        for root in self._roots:
            if lies_in(real, root):
                inside = os.path.relpath(real, root)
                if inside != "." and self._rules[root].leave_out(f"{inside}/x"):
                    return None
                return root
        return None

    def _names_in(self, real: str, home: str) -> list[str]:
        """The files in a folder that a link leads to: those that are listed, or if none are, all of them."""
        start = f"{os.path.relpath(real, self._root)}/"
        listed = self._sorted_below(start) if home == self._root else []
        return listed or walk(real, skip=lambda path: bool(output_kind(path))).paths

    @cached_property
    def _in_order(self) -> list[str]:
        return sorted(self._paths)

    def _sorted_below(self, start: str) -> list[str]:
        first = bisect_left(self._in_order, start)
        below = takewhile(lambda path: path.startswith(start), self._in_order[first:])
        return [path[len(start) :] for path in below]

    def _count(self, place: str, path: str) -> None:
        self._followed += 1
        if self._followed > MOST_FOLLOWED:
            raise SnapshotError(
                shown(place), f"links like this lead to more than {MOST_FOLLOWED:,} files", exclude(path)
            )


def exclude(path: str) -> str:
    """What to write to leave a path out. Bytes that are no UTF-8 cannot stand there; the pattern has a `?` for each."""
    plain = "".join("?" if "\udc80" <= each <= "\udcff" else each for each in path)
    return f"Write into pyproject.toml: [tool.xpm.snapshot] exclude = [{json.dumps(plain, ensure_ascii=False)}]."


def _circle(place: str, path: str) -> SnapshotError:
    return SnapshotError(shown(place), "this link leads to a folder that holds it", f"Remove it. Or: {exclude(path)}")


def _unreadable(place: str, path: str, error: OSError) -> SnapshotError:
    reason = (error.strerror or str(error)).lower()
    return SnapshotError(shown(place), f"cannot be read: {reason}", f"Make it readable for you. Or: {exclude(path)}")
