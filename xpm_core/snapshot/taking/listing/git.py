"""Asking git: which files a checkout has, and how it stands.

Owns: how the program is called. Variables of the environment that name another repository are taken away, no program
of the user's settings is started, and git writes nothing.
"""

from __future__ import annotations

import os
import subprocess
from typing import NamedTuple

from xpm_core.snapshot.provenance import GitState

MOST_CHANGED = 50
"""Changed files that a state names."""

_OPTIONS = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "--no-pager")
_REFUSED_S = 5.0

_SUBMODULE = b"160000"
"""The mode of a submodule in git's index."""


class GitRefused(Exception):  # noqa: N818 - it never reaches a user
    """Git is missing, or did not answer. The text says why, in git's words."""


class GitSlow(GitRefused):
    """Git took too long."""


class GitFiles(NamedTuple):
    """What git lists of a folder. Paths are relative to the folder, with `/`.

    Attributes:
        tracked: Files that git tracks, whether they exist or not.
        untracked: Files that git neither tracks nor ignores.
        changed: Tracked files that differ from what was staged, or no longer exist.
        nested: Folders that are repositories of their own: submodules, and others that git does not ignore.
    """

    tracked: list[str]
    untracked: list[str]
    changed: list[str]
    nested: list[str]


class Asked:
    """A git program that runs. It is asked now, and answers later.

    Args:
        folder: Where it runs.
        arguments: What it is asked.
    """

    def __init__(self, folder: str, *arguments: str) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
        command = ["git", *_OPTIONS, *arguments]
        try:
            self._process = subprocess.Popen(
                command, cwd=folder, env=_environment(), stdin=nothing, stdout=pipe, stderr=pipe
            )
        except OSError as error:
            self._problem = f"git cannot be started: {(error.strerror or str(error)).lower()}"

    def answer(self, seconds: float = _REFUSED_S) -> bytes:
        """What it wrote.

        Raises:
            GitSlow: It took longer than that. It was ended.
            GitRefused: It could not be started, or failed.
        """
        if self._process is None:
            raise GitRefused(self._problem)
        try:
            out, said = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise GitSlow(f"git did not answer within {seconds:g} s") from None
        if self._process.returncode != 0:
            first = said.decode("utf-8", "replace").strip().partition("\n")[0]
            raise GitRefused(first.removeprefix("fatal: ") or f"git ended with {self._process.returncode}")
        return out


def files_of(folder: str, seconds: float) -> GitFiles:
    """The files of a folder that lies in a checkout.

    Raises:
        GitRefused: Git is missing, slow, or refuses.
    """
    out = Asked(folder, "ls-files", "-z", "-t", "-s", "-o", "-m", "-d", "-c", "--exclude-standard").answer(seconds)
    found: dict[str, dict[str, None]] = {"?": {}, "C": {}, "R": {}}
    tracked: dict[str, None] = {}
    nested: dict[str, None] = {}
    for line in out.split(b"\0"):
        if not line:
            continue
        kind, rest = chr(line[0]), line[2:]
        mode, path = (b"", rest) if kind == "?" else (rest[:6], rest.partition(b"\t")[2])
        name = os.fsdecode(path)
        if name.endswith("/"):
            nested[name[:-1]] = None
        elif mode == _SUBMODULE and kind not in found:
            nested[name] = None
        else:
            found.get(kind, tracked)[name] = None
    return GitFiles(list(tracked), list(found["?"]), list({**found["C"], **found["R"]}), list(nested))


def tracked_files(folder: str, seconds: float) -> list[str]:
    """The files that git tracks in a folder. It does not look for others, so this is fast in a folder of any size.

    Raises:
        GitRefused: Git is missing, slow, or refuses.
    """
    out = Asked(folder, "ls-files", "-z", "-c").answer(seconds)
    return list(dict.fromkeys(os.fsdecode(line) for line in out.split(b"\0") if line))


def is_ignored(folder: str) -> bool:
    """Whether the checkout around a folder ignores the folder."""
    try:
        Asked(folder, "check-ignore", "-q", ".").answer()
    except GitRefused:
        return False
    return True


class StateAsked:
    """The state of a checkout. Git is asked when this is made, so that it works while the files are listed.

    Args:
        folder: The root, or any folder in a checkout.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._head = Asked(folder, "rev-parse", "HEAD", "--symbolic-full-name", "HEAD")
        self._staged = Asked(folder, "diff-index", "--cached", "--name-only", "-z", "--relative", "HEAD")

    def state(self, files: GitFiles | None) -> GitState | None:
        """How the checkout stands; None if git does not say it.

        Args:
            files: What git lists of the folder; None if that is not known.
        """
        changed = set() if files is None else {*files.changed, *files.untracked}
        try:
            staged = self._staged.answer()
            commit, _, branch = self._head.answer().decode("utf-8", "replace").strip().partition("\n")
            changed |= {os.fsdecode(each) for each in staged.split(b"\0") if each}
        except GitRefused:
            commit = ""
            try:
                branch = self._first_branch()
            except GitRefused:
                return None
            changed |= set() if files is None else set(files.tracked)
        shown = sorted(_written(each) for each in changed)
        name = "" if branch == "HEAD" else branch.removeprefix("refs/heads/")
        return GitState(commit, name, shown[:MOST_CHANGED], len(shown))

    def _first_branch(self) -> str:
        """The branch of a checkout without a commit."""
        return Asked(self._folder, "symbolic-ref", "-q", "HEAD").answer().decode("utf-8", "replace").strip()


def _written(path: str) -> str:
    """A path as text that every file can hold."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _environment() -> dict[str, str]:
    """The environment without what names another repository."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k.startswith(("GIT_CONFIG_", "GIT_CEIL"))
    }
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
