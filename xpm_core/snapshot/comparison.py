"""Which files of two snapshots differ."""

from __future__ import annotations

from typing import NamedTuple

from xpm_core.snapshot.manifest import Entry, Manifest


class Differing(NamedTuple):
    """A file that two snapshots do not have alike.

    Attributes:
        path: Its path. It begins with the name of its tree if one of the snapshots has several trees.
        first: What the first snapshot has; None if it has no such file.
        second: What the second one has.
    """

    path: str
    first: Entry | None
    second: Entry | None

    @property
    def change(self) -> str:
        """What has become of it from the first to the second: added, removed or changed."""
        return "added" if self.first is None else "removed" if self.second is None else "changed"


def differing(first: Manifest, second: Manifest) -> list[Differing]:
    """The files that differ between two snapshots, in their content, their mode or their kind, by path.

    Trees of one name are compared with each other. If each snapshot has one tree, their names do not matter.

    Example:
        >>> [each.path for each in differing(before, after)]
        ['lib/util.py', 'train.py']
    """
    alone = len(first.trees) == len(second.trees) == 1
    ours, theirs = _by_path(first, alone), _by_path(second, alone)
    paths = sorted(ours.keys() | theirs.keys())
    found = [Differing(path, ours.get(path), theirs.get(path)) for path in paths]
    return [each for each in found if _content(each.first) != _content(each.second)]


def _by_path(manifest: Manifest, alone: bool) -> dict[str, Entry]:
    return {each.path if alone else f"{manifest.trees[each.tree]}/{each.path}": each for each in manifest.entries}


def _content(entry: Entry | None) -> object:
    """What makes an entry differ from another one of the same path."""
    return None if entry is None else (type(entry), *entry[2:])
