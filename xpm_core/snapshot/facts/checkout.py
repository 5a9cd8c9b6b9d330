"""The commit of a checkout, and whether files in a folder of it differ from the commit.

Owns: asking git, and reading its files where the program is missing or refuses.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from xpm_core.project.repository import checkout_of, own_folder, text_of
from xpm_core.snapshot.taking.files.git import Asked, GitRefusedError

ASK_S = 10.0
"""How long git may take to answer, seconds."""

_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


class Checkout(NamedTuple):
    """How a folder stands in its checkout.

    Attributes:
        commit: The commit, 40 or 64 hexadecimal digits; empty before the first one.
        dirty: Whether files in the folder differ from the commit, or are unknown to git; None if that is not known.
    """

    commit: str
    dirty: bool | None


def checkout(folder: str) -> Checkout | None:
    """How a folder stands in its checkout; None if it lies in none.

    No hook runs, and nothing is written into the checkout.

    Example:
        >>> checkout("/home/me/lab")
        Checkout(commit='1a2b3c4...', dirty=True)
    """
    root = checkout_of(folder)
    if root is None:
        return None
    said = _asked(folder)
    if said is None:
        return Checkout(_commit_in(root), None)
    found = re.search(rb"^# branch\.oid ([0-9a-f]+)$", said, re.MULTILINE)
    changed = any(line and not line.startswith(b"#") for line in said.split(b"\n"))
    return Checkout(found[1].decode() if found else "", changed)


def _asked(folder: str) -> bytes | None:
    """What git says of a folder; None if it says nothing, for example because another user owns the checkout."""
    options = ("--porcelain=v2", "--branch", "--untracked-files=normal", "--ignore-submodules=none", "--", ".")
    try:
        return Asked(folder, "status", *options).answer(ASK_S)
    except GitRefusedError:
        return None


def _commit_in(root: str) -> str:
    """The commit by git's files; empty if they do not say it."""
    own = own_folder(root)
    shared = os.path.join(own, text_of(os.path.join(own, "commondir")) or "")
    head = text_of(os.path.join(own, "HEAD")) or ""
    if head.startswith("ref:"):
        name = head.removeprefix("ref:").strip()
        head = text_of(os.path.join(own, name)) or text_of(os.path.join(shared, name)) or _packed(shared, name)
    return head if _COMMIT.fullmatch(head) else ""


def _packed(shared: str, name: str) -> str:
    lines = (text_of(os.path.join(shared, "packed-refs")) or "").splitlines()
    return next((line.split()[0] for line in lines if line.endswith(f" {name}")), "")


def stamps(folder: str) -> list[tuple[int, int]]:
    """What changes when the commit changes: size and time of git's files. Empty outside of a checkout."""
    root = checkout_of(folder)
    if root is None:
        return []
    own, found = own_folder(root), []
    for name in ("HEAD", "index", "logs/HEAD"):
        try:
            status = os.stat(os.path.join(own, name))
        except OSError:
            continue
        found.append((status.st_size, status.st_mtime_ns))
    return found
