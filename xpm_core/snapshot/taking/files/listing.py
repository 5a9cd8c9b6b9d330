"""The files of a root, by git where it is used, else by a walk.

Owns: which of both counts, what happens when git is missing, refuses or is slow, and what belongs of repositories that
lie in a root.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from xpm_core.project.repository import checkout_of
from xpm_core.snapshot.taking.files.git import (
    GitFiles,
    GitRefusedError,
    GitSlowError,
    files_of,
    is_ignored,
    tracked_files,
)
from xpm_core.snapshot.taking.files.names import output_kind
from xpm_core.snapshot.taking.files.walk import SECONDS, FolderRules, walk

_DEEPEST = 20
"""Repositories within each other."""


@dataclass
class Listing:
    """The files of a root.

    Attributes:
        paths: Files and links, relative to the root, with `/`. Some may no longer exist.
        whole: Whether all files were found. If not, the search took too long.
        closed: Folders that this user may not read.
        outputs: Files and folders that are left out, because programs write such files while jobs run.
        git: What git said; None if it was not asked, or said nothing.
        refused: Why git did not list the files though they lie in a checkout; empty if it did.
    """

    paths: list[str]
    whole: bool = True
    closed: list[str] = field(default_factory=list)
    outputs: set[str] = field(default_factory=set)
    git: GitFiles | None = None
    refused: str = ""


def files_in(root: str, workspace: str, skip: Callable[[str], bool]) -> Listing:
    """List the files of a root.

    Args:
        root: The root, an absolute path without links.
        workspace: The workspace of the run. Nothing in it is listed.
        skip: Says of a relative path whether the settings exclude it.
    """
    rules, end = FolderRules(root, workspace), time.monotonic() + SECONDS
    refused = ""
    if checkout_of(root) is not None:
        try:
            return _of_checkout(root, "", rules, skip, end, 0)
        except GitSlowError as slow:
            return Listing(_tracked_only(root, rules, skip), whole=False, refused=str(slow))
        except GitRefusedError as why:
            refused = "" if why.args == _IGNORED else str(why)
    return _walked(root, "", rules, skip, refused)


def new_files(root: str, workspace: str, files: GitFiles) -> GitFiles:
    """What git lists of a root, without what is never kept: caches, environments, workspaces, output of programs.

    Args:
        root: The root.
        workspace: The workspace of the run.
        files: What git lists.
    """
    rules = FolderRules(root, workspace)
    kept = _kept(files.untracked, rules, lambda path: bool(output_kind(path)), tracked=False)
    return files._replace(untracked=kept)


_IGNORED = ("ignored",)
"""The root lies in a checkout that ignores it, as a project in a home directory can. Git has nothing to say of it."""


def _of_checkout(
    root: str, inside: str, rules: FolderRules, skip: Callable[[str], bool], end: float, depth: int
) -> Listing:
    """The files of a folder in a checkout, and of the repositories in it."""
    folder = os.path.join(root, inside)
    files = files_of(folder, max(end - time.monotonic(), 0.1), rules.foreign_folders(inside))
    if not files.tracked and not os.path.exists(os.path.join(folder, ".git")) and is_ignored(folder):
        raise GitRefusedError(*_IGNORED)
    start = f"{inside}/" if inside else ""
    paths = _kept([start + path for path in files.tracked], rules, skip, tracked=True)
    outputs = _Outputs(skip)
    new = _kept([start + path for path in files.untracked], rules, outputs.skip, tracked=False)
    paths += new
    known = files._replace(untracked=[path[len(start) :] for path in new])  # a job's results are no change of the code
    found = Listing(paths, git=known, closed=[start + each for each in files.closed], outputs=outputs.found)
    for each in files.nested:
        path = start + each
        if depth < _DEEPEST and not skip(path) and not rules.is_foreign(path):
            _add(found, _of_nested(root, path, rules, skip, end, depth + 1))
    return found


def _of_nested(
    root: str, inside: str, rules: FolderRules, skip: Callable[[str], bool], end: float, depth: int
) -> Listing:
    """The files of a repository in a root. One that was never checked out has none."""
    if os.path.islink(os.path.join(root, inside)) or not os.path.exists(os.path.join(root, inside, ".git")):
        return Listing([])
    try:
        return _of_checkout(root, inside, rules, skip, end, depth)
    except GitSlowError:
        raise
    except GitRefusedError as why:
        return _walked(root, inside, rules, skip, f"{inside}: {why}")


def _add(found: Listing, nested: Listing) -> None:
    found.paths += nested.paths
    found.closed += nested.closed
    found.outputs |= nested.outputs
    found.whole = found.whole and nested.whole
    found.refused = found.refused or nested.refused


def _kept(paths: list[str], rules: FolderRules, skip: Callable[[str], bool], *, tracked: bool) -> list[str]:
    return [path for path in paths if not rules.leave_out(path, tracked) and not skip(path)]


def _tracked_only(root: str, rules: FolderRules, skip: Callable[[str], bool]) -> list[str]:
    try:
        return _kept(tracked_files(root, SECONDS), rules, skip, tracked=True)
    except GitRefusedError:
        return []


def _walked(root: str, inside: str, rules: FolderRules, skip: Callable[[str], bool], refused: str) -> Listing:
    outputs = _Outputs(lambda path: skip(path) or rules.is_own(path))
    walked = walk(root, inside, skip=outputs.skip)
    return Listing(walked.paths, walked.whole, walked.closed, outputs.found, refused=refused)


class _Outputs:
    """Passes over files that programs write while jobs run, and notes them.

    Args:
        skip: Says of a path whether it is passed over in any case.
    """

    def __init__(self, skip: Callable[[str], bool]) -> None:
        self._skip = skip
        self.found: set[str] = set()

    def skip(self, path: str) -> bool:
        """Whether a path is passed over."""
        if self._skip(path):
            return True
        is_output = bool(output_kind(path))
        if is_output:
            self.found.add(path)
        return is_output
