"""The name that all clones and worktrees of one git repository share, read from their files. Runs no program."""

from __future__ import annotations

import os
import re
from functools import lru_cache

_SECTION = re.compile(r'\s*\[(\w+)(?:\s+"(.*)")?\]')
_URL = re.compile(r"\s*url\s*=\s*(\S+)")
_REMOTE = re.compile(r"(?:\w[\w+.-]*://)?(?:[^/@]*@)?([\w.-]+)(?::\d+(?=/))?[:/]+(.+)")
"""Finds host and path in `ssh://user@host:port/path` or `user@host:path`."""


def checkout_of(folder: str) -> str | None:
    """The root of the checkout around a folder; None when there is none."""
    while not os.path.exists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder


@lru_cache(maxsize=64)
def repository_of(root: str) -> str | None:
    """The name of the repository of a checkout.

    It is `host/path` of the remote repository. For a clone of another checkout on this machine, and for a worktree, it
    is the name of that other checkout. Without a remote repository it is the name of the folder.

    Returns:
        The name; None when the remote repository is a folder that does not exist.
    """
    return _name(os.path.realpath(root), frozenset())


def _name(root: str, seen: frozenset[str]) -> str | None:
    home = _home(root)
    main = os.path.dirname(home) if os.path.basename(home) == ".git" else root
    url = _remote(os.path.join(home, "config"))
    if url is None or main in seen:
        return os.path.basename(main)
    folder = url.removeprefix("file://")
    if folder.startswith(("/", ".")):
        other = checkout_of(os.path.realpath(os.path.join(main, folder)))
        return None if other is None else _name(other, seen | {main})
    found = _REMOTE.fullmatch(url)
    return None if found is None else f"{found[1].lower()}/{found[2].strip('/').removesuffix('.git')}"


def _home(root: str) -> str:
    """The folder with the settings of a checkout; for a worktree, the folder of the main checkout."""
    place = own_folder(root)
    shared = text_of(os.path.join(place, "commondir"))
    return place if shared is None else os.path.realpath(os.path.join(place, shared))


def own_folder(root: str) -> str:
    """The folder of git's files that only this checkout has. In a worktree or a submodule, a file `.git` names it."""
    place = os.path.join(root, ".git")
    said = text_of(place)
    return place if said is None else os.path.realpath(os.path.join(root, said.removeprefix("gitdir:").strip()))


def text_of(file: str) -> str | None:
    """The text of a file; None when it cannot be read."""
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as text:
            return text.read().strip()
    except OSError:
        return None


def _remote(file: str) -> str | None:
    """The URL of the remote repository named `origin` in git's settings, else of the first one."""
    urls: dict[str, str] = {}
    name = None
    for line in (text_of(file) or "").splitlines():
        if section := _SECTION.match(line):
            name = section[2] if section[1] == "remote" else None
        elif name is not None and (url := _URL.match(line)):
            urls.setdefault(name, url[1])
    return urls.get("origin", next(iter(urls.values()), None))
