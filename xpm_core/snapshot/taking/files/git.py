"""Asking git: which files a checkout has, and how it stands.

Owns: how the program is called. Variables of the environment that name another repository are taken away, no program
of the user's settings is started, and git writes nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

from xpm_core.snapshot.provenance import GitState

MOST_CHANGED = 50
"""Changed files that a state names."""

_OPTIONS = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "--no-pager")
_REFUSED_S = 5.0

_CLOSED = re.compile(r"^warning: could not open directory '(.*)': ", re.MULTILINE)
_PATTERN = re.compile(r"[\\*?\[ ]")
"""Characters that mean something in a pattern of git."""

_SUBMODULE = b"160000"
"""The mode of a submodule in git's index."""


class GitRefused(Exception):
    """Git is missing, or did not answer. The text says why, in git's words."""


class GitSlow(GitRefused):
    """Git took too long."""


class GitFiles(NamedTuple):
    """What git lists of a folder. Paths are relative to the folder, with `/`.

    Attributes:
        tracked: Files that git tracks, whether they exist or not.
        untracked: Files that git neither tracks nor ignores.
        nested: Folders that are repositories of their own: submodules, and others that git does not ignore.
        closed: Folders that git could not read.
    """

    tracked: list[str]
    untracked: list[str]
    nested: list[str]
    closed: list[str]


class Asked:
    """A git program that runs. It is asked now, and answers later.

    Args:
        folder: Where it runs.
        arguments: What it is asked.
    """

    def __init__(self, folder: str, *arguments: str) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.said = ""
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
        self.said = said.decode("utf-8", "surrogateescape")
        if self._process.returncode != 0:
            first = self.said.strip().partition("\n")[0]
            raise GitRefused(first.removeprefix("fatal: ") or f"git ended with {self._process.returncode}")
        return out

    def close(self) -> None:
        """End it, if nobody wants its answer any more."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            self._process.communicate()


def files_of(folder: str, seconds: float, passed_over: Sequence[str] = ()) -> GitFiles:
    """The files of a folder that lies in a checkout.

    Args:
        folder: The folder.
        seconds: How long git may take.
        passed_over: Paths of folders in this one in which git need not look for untracked files.

    Raises:
        GitRefused: Git is missing, slow, or refuses.
    """
    not_in = [f"--exclude=/{_PATTERN.sub(_escaped, name)}/" for name in passed_over]
    asked = Asked(folder, "ls-files", "-z", "-t", "-s", "-c", "-o", "--exclude-standard", *not_in)
    tracked: dict[str, None] = {}  # a file in a conflict is listed several times
    untracked: list[str] = []
    nested: dict[str, None] = {}
    for line in asked.answer(seconds).split(b"\0"):
        name = os.fsdecode(line[2:] if line[:1] == b"?" else line.partition(b"\t")[2])
        if name.endswith("/"):
            nested[name[:-1]] = None
        elif line[2:8] == _SUBMODULE and line[:1] != b"?":
            nested[name] = None
        elif line[:1] == b"?":
            untracked.append(name)
        elif name:
            tracked[name] = None
    closed = [each.rstrip("/") or "." for each in _CLOSED.findall(asked.said)]
    return GitFiles(list(tracked), untracked, list(nested), closed)


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
        self._modified = Asked(folder, "ls-files", "-z", "-m", "-d")

    def state(self, files: GitFiles | None) -> GitState | None:
        """How the checkout stands; None if git does not say it.

        Args:
            files: What git lists of the folder; None if that is not known.
        """
        changed = set() if files is None else set(files.untracked)
        try:
            changed |= self._changed_tracked()
            commit, branch = self._commit(changed, files)
        except GitRefused:
            return None
        shown = sorted(_written(each) for each in changed)
        name = "" if branch == "HEAD" else branch.removeprefix("refs/heads/")
        return GitState(commit, name, shown[:MOST_CHANGED], len(shown))

    def close(self) -> None:
        """End what still runs."""
        for each in (self._head, self._staged, self._modified):
            each.close()

    def _changed_tracked(self) -> set[str]:
        """Tracked files that differ from what was staged. If comparing contents takes long, their times decide."""
        try:
            return _paths(self._modified.answer())
        except GitSlow:
            return _paths(Asked(self._folder, "diff-files", "-z", "--name-only", "--relative").answer())

    def _commit(self, changed: set[str], files: GitFiles | None) -> tuple[str, str]:
        """The commit and the branch. Files that differ between the commit and what was staged are added to a set."""
        try:
            staged, head = self._staged.answer(), self._head.answer()
        except GitSlow:
            raise
        except GitRefused:  # there is no commit yet, so all files are new
            changed |= set() if files is None else set(files.tracked)
            branch = Asked(self._folder, "symbolic-ref", "-q", "HEAD").answer()
            return "", branch.decode("utf-8", "replace").strip()
        changed |= _paths(staged)
        commit, _, branch_name = head.decode("utf-8", "replace").strip().partition("\n")
        return commit, branch_name


def _paths(out: bytes) -> set[str]:
    return {os.fsdecode(each) for each in out.split(b"\0") if each}


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match[0]}"


def _written(path: str) -> str:
    """A path as text that every file can hold."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _environment() -> dict[str, str]:
    """The environment without what names another repository."""
    kept = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith("GIT_") or k.startswith(("GIT_CONFIG_", "GIT_CEILING", "GIT_DISCOVERY"))
    }
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
