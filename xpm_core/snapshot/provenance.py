"""Provenance: how tasks came to be submitted. All tasks that a run submits with one snapshot share the document.

Owns: its form. What it says of git, of the script and of packages is found out elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from xpm_core.errors import SnapshotError
from xpm_core.snapshot.manifest import RUN_AGAIN

SCHEMA = 1


@dataclass(frozen=True)
class GitState:
    """How a checkout stood when a snapshot of it was taken.

    Attributes:
        commit: The commit, 40 or 64 hexadecimal digits; empty before the first one.
        branch: The branch; empty if HEAD is detached.
        changed: Files that differed from the commit, or that git did not know, at most 50, sorted.
        changed_count: How many there were.
    """

    commit: str = ""
    branch: str = ""
    changed: Sequence[str] = ()
    changed_count: int = 0

    @property
    def is_dirty(self) -> bool:
        """Whether files differed from the commit."""
        return self.changed_count > 0


@dataclass(frozen=True)
class Tree:
    """One root of a snapshot.

    Attributes:
        name: Its name in the snapshot.
        roots: The absolute paths by which the script has reached it; the first one is its own.
        git: How the checkout stood that it lies in; None outside of git.
        inner: Absolute paths by which the script has reached folders in the root without passing the root itself, as by
            a link into it: for each, the path of the folder in the tree.
    """

    name: str
    roots: Sequence[str]
    git: GitState | None = None
    inner: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Provenance:
    """How tasks came to be submitted.

    Attributes:
        snapshot: The snapshot, 64 hexadecimal digits; empty for code that is not kept.
        trees: Its trees, in the order of the manifest; without a snapshot, the roots of the live code.
        script: The script as it was started; empty if there was none, as in a notebook.
        arguments: Its arguments. Those that may be secret are hidden.
        folder: The working directory of the script.
        host: The machine that it ran on.
        user: Who ran it.
        python: The version of its Python.
        variables: The variables of its environment that matter, with secrets hidden.
        packages: The installed packages, by the digest of their list; empty if they are not known.

    Example:
        >>> store.put("provenance", provenance.written())
    """

    snapshot: str
    trees: Sequence[Tree]
    script: str = ""
    arguments: Sequence[str] = ()
    folder: str = ""
    host: str = ""
    user: str = ""
    python: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    packages: str = ""

    @property
    def roots(self) -> dict[str, str]:
        """For each path by which the script has reached a root: the name of its tree; with a folder, if it leads there.

        Example:
            >>> provenance.roots
            {'/home/me/digits': 'digits', '/home/me/links/src': 'digits/src'}
        """
        found = {root: tree.name for tree in self.trees for root in tree.roots}
        return {**found, **{path: f"{tree.name}/{inner}" for tree in self.trees for path, inner in tree.inner.items()}}

    def written(self) -> bytes:
        """The content of the document. It has no time in it: equal runs share it."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, sort_keys=True, indent=1).encode() + b"\n"

    @classmethod
    def read(cls, data: bytes) -> Provenance:
        """Read what `written` made. Fields of a later xpm are passed over.

        Raises:
            SnapshotError: It is malformed.
        """
        try:
            fields = json.loads(data)
            trees = [_tree(each) for each in fields["trees"]]
            known = {name: fields[name] for name in cls.__dataclass_fields__ if name in fields and name != "trees"}
            return cls(trees=trees, **known)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise SnapshotError("provenance", "it is malformed", RUN_AGAIN) from None


def _tree(written: Mapping[str, Any]) -> Tree:
    git = written["git"]
    known = None if git is None else GitState(**{k: git[k] for k in GitState.__dataclass_fields__ if k in git})
    inner = {str(path): str(folder) for path, folder in written.get("inner", {}).items()}
    return Tree(str(written["name"]), [str(root) for root in written["roots"]], known, inner)
