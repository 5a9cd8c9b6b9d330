"""The roots of code that is not kept: where it lies, and how its checkouts stand."""

from __future__ import annotations

from collections.abc import Iterable

from xpm_core.project.repository import checkout_of
from xpm_core.snapshot.provenance import GitState, Tree
from xpm_core.snapshot.taking.files.git import GitRefusedError, StateAsked, files_of
from xpm_core.snapshot.taking.files.listing import new_files
from xpm_core.snapshot.taking.imported import Imports
from xpm_core.snapshot.taking.roots import arranged, names_of, root_of

GIT_S = 2.0
"""How long git may take, seconds. What it does not say by then is not recorded, because the job waits for nothing."""


def live_roots(classes: Iterable[type]) -> set[str]:
    """The roots of the files of some classes."""
    return set(filter(None, map(root_of, classes)))


def live_trees(paths: Iterable[str], workspace: str) -> list[Tree]:
    """The trees that a snapshot of some roots would have. No file is read.

    Args:
        paths: The roots.
        workspace: The workspace of the run. What lies in it is no change of the code.

    Example:
        >>> [tree.roots for tree in live_trees(live_roots({Train}), "/home/me/digits/workspace")]
        [['/home/me/digits']]
    """
    roots = arranged(paths)
    files = Imports().files() if roots else []
    found = []
    for root in roots:
        names = names_of(root.path, files)
        found.append(Tree(root.name, names.roots, _git(root.path, workspace), names.inner))
    return found


def _git(root: str, workspace: str) -> GitState | None:
    """How the checkout of a root stands; None outside of git, or if git does not say it."""
    if checkout_of(root) is None:
        return None
    asked = StateAsked(root)
    try:
        return asked.state(new_files(root, workspace, files_of(root, GIT_S)))
    except GitRefusedError:
        return None
    finally:
        asked.close()
