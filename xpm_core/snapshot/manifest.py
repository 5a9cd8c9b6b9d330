"""A manifest: which files a snapshot has. Its SHA-256 is the name of the snapshot.

A manifest is text. The first line says the version and the names of the trees, one tree for each root. Every other line
is a list of JSON, sorted by tree and path:

    [0, "train.py", "100644", "<SHA-256>", 1204]           a file: tree, path, mode, digest, size in bytes
    [0, "model.bin", "large", "/data/model.bin", 5e9, ns]  a large file, which is not kept: where it is, size, mtime
    [0, "shared", "link", "/data/shared"]                  a link that leaves the root: its absolute target

Owns: this form, and what a path in it may be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple

from xpm_core.errors import SnapshotError
from xpm_core.labels import short

VERSION = 1
LARGEST_MANIFEST = 64 * 1024 * 1024
"""Bytes. A larger one is not read, because no snapshot has so many files."""

_LARGE, _LINK = "large", "link"

_encode = json.JSONEncoder(separators=(",", ":")).encode
"""Made once, because `json.dumps` would make another encoder for each line."""


class KeptFile(NamedTuple):
    """A file whose content is kept.

    Attributes:
        tree: The number of its tree.
        path: Its path in the tree, with `/`.
        mode: Its permissions for owner, group and others: 0 to 0o777.
        digest: The SHA-256 of its content, 64 hexadecimal digits.
        size: Bytes.
    """

    tree: int
    path: str
    mode: int
    digest: str
    size: int

    @property
    def written(self) -> list[Any]:
        """Its line in the manifest."""
        return [self.tree, self.path, f"100{self.mode:03o}", self.digest, self.size]


class LargeFile(NamedTuple):
    """A large file that is not kept. A job finds a link to where the file was.

    Attributes:
        tree: The number of its tree.
        path: Its path in the tree.
        target: Its absolute path when the snapshot was taken.
        size: Bytes, then.
        mtime_ns: When it was last changed, then.
    """

    tree: int
    path: str
    target: str
    size: int
    mtime_ns: int

    @property
    def written(self) -> list[Any]:
        """Its line in the manifest."""
        return [self.tree, self.path, _LARGE, self.target, self.size, self.mtime_ns]


class Link(NamedTuple):
    """A symbolic link that leaves the root.

    Attributes:
        tree: The number of its tree.
        path: Its path in the tree.
        target: Its absolute target.
    """

    tree: int
    path: str
    target: str

    @property
    def written(self) -> list[Any]:
        """Its line in the manifest."""
        return [self.tree, self.path, _LINK, self.target]


Entry = KeptFile | LargeFile | Link


class Manifest:
    """The files of a snapshot.

    Args:
        trees: The name of each tree: the last part of its root's path, with a number if two are equal.
        entries: What the trees hold, in any order.

    Raises:
        SnapshotError: A path leaves its tree, or two entries cannot both exist.

    Example:
        >>> manifest = Manifest(["digits"], [KeptFile(0, "train.py", 0o644, digest, 1204)])
        >>> manifest.digest[:7]
        '8c1f2e0'
    """

    def __init__(self, trees: list[str], entries: list[Entry]) -> None:
        self.trees = trees
        self.entries = sorted(entries, key=lambda each: each[:2])
        for problem in self._problems():
            raise SnapshotError("snapshot", problem, "It was not written by xpm: run the script again.")

    @property
    def files(self) -> list[KeptFile]:
        """The files whose content is kept."""
        return [each for each in self.entries if isinstance(each, KeptFile)]

    @cached_property
    def data(self) -> bytes:
        """The manifest as bytes."""
        lines: list[Any] = [{"version": VERSION, "trees": self.trees}, *(each.written for each in self.entries)]
        return "".join(f"{_encode(line)}\n" for line in lines).encode()

    @cached_property
    def digest(self) -> str:
        """The name of the snapshot, 64 hexadecimal digits."""
        return sha256(self.data).hexdigest()

    @classmethod
    def read(cls, data: bytes, digest: str) -> Manifest:
        """Read a manifest.

        Raises:
            SnapshotError: The bytes are not those of the snapshot of this name, or of a later version.
        """
        where = f"snapshot {short(digest)}"
        if sha256(data).hexdigest() != digest:
            raise SnapshotError(where, "its list of files was changed, as by a power cut", RUN_AGAIN)
        try:
            head, *lines = map(json.loads, data.splitlines())
            if head["version"] != VERSION:
                raise SnapshotError(where, f"its form is of version {head['version']}", "Use a later xpm.")
            return cls(list(head["trees"]), [_entry(*line) for line in lines])
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
            raise SnapshotError(where, "its list of files is malformed", RUN_AGAIN) from None

    def _problems(self) -> Iterator[str]:
        for name in self.trees:
            if not _is_plain(name) or "/" in name:
                yield f"its tree {name!r} is no name of a folder"
        if len(set(self.trees)) != len(self.trees):
            yield "two of its trees have one name"
        known: set[tuple[int, str]] = set()
        for each in self.entries:
            if not 0 <= each.tree < len(self.trees) or not _is_plain(each.path):
                yield f"its path {each.path!r} leaves its folder"
            if (each.tree, each.path) in known:
                yield f"its path {each.path!r} is there twice"
            known.add((each.tree, each.path))
        folders: set[tuple[int, str]] = set()
        for tree, path in known:
            above = path.rpartition("/")[0]
            while above and (tree, above) not in folders:
                folders.add((tree, above))
                above = above.rpartition("/")[0]
        for _, path in sorted(known & folders):
            yield f"its path {path!r} is a file and a folder"


RUN_AGAIN = "Run the script again, which writes it anew."


def _is_plain(path: str) -> bool:
    """Whether a path leads only downwards."""
    parts = path.split("/")
    return bool(path) and "\0" not in path and not {"", ".", ".."} & set(parts)


def _entry(tree: int, path: str, kind: str, *rest: Any) -> Entry:
    if type(tree) is not int or type(path) is not str:
        raise TypeError
    if kind == _LINK:
        (target,) = rest
        return Link(tree, path, str(target))
    if kind == _LARGE:
        target, size, mtime_ns = rest
        return LargeFile(tree, path, str(target), int(size), int(mtime_ns))
    digest, size = rest
    if not kind.startswith("100") or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ValueError
    if (mode := int(kind[3:], 8)) > 0o777:
        raise ValueError
    return KeptFile(tree, path, mode, digest, int(size))
