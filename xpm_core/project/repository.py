"""Checkouts of git: the name that all clones and worktrees of one repository share. Runs no program."""

from __future__ import annotations

import os
import re
from functools import lru_cache

_SECTION = re.compile(r'\s*\[(\w+)(?:\s+"(.*)")?\]')
_URL = re.compile(r"\s*url\s*=\s*(\S+)")
_REMOTE = re.compile(r"(?:\w[\w+.-]*://)?(?:[^/@]*@)?([\w.-]+)(?::\d+(?=/))?[:/]+(.+)")
"""`ssh://user@host:port/path` or `user@host:path`: host and path."""


def checkout_of(folder: str) -> str | None:
    """The root of the checkout that a folder is in; None when it is in none."""
    while not os.path.exists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder


@lru_cache(maxsize=64)
def repository_of(root: str) -> str | None:
    """The name of the repository that a checkout is of.

    That is `host/path` of its remote repository; when it is a clone of a checkout on this machine, or a worktree, the
    name of that; else the name of its folder. None when its remote repository is a folder that is not there.
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
    """The folder of a repository that a checkout keeps its settings in: for a worktree, that of the main checkout."""
    place = os.path.join(root, ".git")
    if (said := _line(place)) is not None:
        place = os.path.realpath(os.path.join(root, said.removeprefix("gitdir:").strip()))
    shared = _line(os.path.join(place, "commondir"))
    return place if shared is None else os.path.realpath(os.path.join(place, shared))


def _line(file: str) -> str | None:
    """The text of a file; None when there is none."""
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as text:
            return text.read().strip()
    except OSError:
        return None


def _remote(file: str) -> str | None:
    """The URL of the remote repository in git's settings: that named `origin`, else the first one."""
    urls: dict[str, str] = {}
    name = None
    for line in (_line(file) or "").splitlines():
        if section := _SECTION.match(line):
            name = section[2] if section[1] == "remote" else None
        elif name is not None and (url := _URL.match(line)):
            urls.setdefault(name, url[1])
    return urls.get("origin", next(iter(urls.values()), None))
