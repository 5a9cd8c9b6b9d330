"""The words of each kind: jobs, states, tags with their values, tasks, columns, experiments, workspaces, workers.

Owns: how a list with commas, a name with its value, and the name of a job are completed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from xpm_core.completion import server_names
from xpm_core.completion.known_names import KnownNames
from xpm_core.errors import XpmError
from xpm_core.labels import LIVE, short
from xpm_core.states import State

MOST = 200
"""How many words are returned at most."""
LATEST = 30
"""How many jobs are proposed before anything of their names was typed."""

_IDENTITY = re.compile(r"[0-9a-f]+", re.IGNORECASE)
_SPECIAL = {"last": "the job that something happened to last", "failed": "the job that failed last"}


class Candidate(NamedTuple):
    """A word that can come next.

    Attributes:
        word: The word. For the kinds of files, it is empty.
        text: What it means, in a few words.
        kind: `word`; or `part`, if more belongs to it, so that no blank follows; or `dir` or `file`, if the shell
            itself completes folders or files.
    """

    word: str
    text: str = ""
    kind: str = "word"


FOLDERS, FILES = Candidate("", kind="dir"), Candidate("", kind="file")


class Values:
    """The words that options and arguments take, in the workspace that is meant.

    Args:
        given: What --workspace was given; None without it.
        columns: The names of columns that every list of jobs can have.
    """

    def __init__(self, given: str | None, columns: Sequence[str]) -> None:
        self._given, self._columns = given, columns

    @cached_property
    def known(self) -> KnownNames:
        """The names of the workspace. It raises a WorkspaceError if there is none."""
        return KnownNames(self._place)

    @cached_property
    def _place(self) -> Path:
        from xpm_cli.lookup.find_workspace import find_workspace  # late, because commands and states do without

        return find_workspace(self._given, quiet=True).path.resolve()

    def of(self, kind: str, incomplete: str) -> list[Candidate]:
        """Return the words of a kind that begin so.

        Args:
            kind: The kind of an option or argument (command_table.py).
            incomplete: The beginning of the word.
        """
        if kind.startswith("choice:"):
            return _beginning(kind.removeprefix("choice:").split(","), incomplete)
        if kind in ("dir", "file"):
            return [FOLDERS if kind == "dir" else FILES]
        complete: Callable[[str], list[Candidate]] | None = getattr(self, f"_{kind}", None)
        return [] if complete is None else complete(incomplete)[:MOST]

    def _job(self, incomplete: str) -> list[Candidate]:
        if incomplete.startswith((".", "/", "~")):
            return [FOLDERS]
        task, slash, prefix = incomplete.rpartition("/")
        found = [Candidate(word, text) for word, text in _SPECIAL.items() if word.startswith(incomplete)]
        if not prefix or _IDENTITY.fullmatch(prefix):
            jobs = self.known.jobs(prefix.lower(), MOST if prefix else LATEST)
            found += [
                Candidate(f"{task}{slash}{job.name}", job.title)
                for job in jobs
                if not task or re.split("[ ,]", job.title)[0].lower() == task.lower()
            ]
        return found if slash else found + self._tag(incomplete)

    def _workspace(self, incomplete: str) -> list[Candidate]:
        from xpm_core.project.workspace_names import names  # late, because most words do without

        known: Mapping[str, str] = {}
        with suppress(XpmError):  # folders are completed, also if the file of the names is damaged
            known = names()
        return [*(each._replace(text=known[each.word]) for each in _beginning(known, incomplete)), FOLDERS]

    def _state(self, incomplete: str) -> list[Candidate]:
        return _in_list([state.value for state in State], incomplete)

    def _tag(self, incomplete: str) -> list[Candidate]:
        before, comma, last = incomplete.rpartition(",")
        name, equals, value = last.partition("=")
        tags = self.known.names.tags
        if equals:
            found = [f"{name}={each}" for each in tags.get(name, ()) if each.startswith(value)]
            return [Candidate(f"{before}{comma}{each}") for each in found]
        return [Candidate(f"{before}{comma}{each}=", "tag", "part") for each in tags if each.startswith(last)]

    def _task(self, incomplete: str) -> list[Candidate]:
        return _in_list(self.known.names.tasks, incomplete)

    def _experiment(self, incomplete: str) -> list[Candidate]:
        from xpm_core.results.foreign import with_foreign  # late, because most words do without

        return _beginning(with_foreign(self.known.experiments(), self._place), incomplete)

    def _number(self, incomplete: str) -> list[Candidate]:
        """The beginning of the name of a number, `digits:accuracy`. Its filter is not completed."""
        experiment, colon, result = incomplete.partition(":")
        if not colon:
            return [each._replace(word=f"{each.word}:", kind="part") for each in self._experiment(experiment)]
        found = _beginning(self.known.names.results, result)
        return [each._replace(word=f"{experiment}:{each.word}", kind="part") for each in found]

    def _worker(self, incomplete: str) -> list[Candidate]:
        workers = server_names.noted(self._place, server_names.WORKERS)
        daemons = dict.fromkeys(worker.rpartition(".")[0] for worker in workers)
        return _beginning([*filter(None, daemons), *workers], incomplete)

    def _queue(self, incomplete: str) -> list[Candidate]:
        return _beginning(server_names.noted(self._place, server_names.QUEUES), incomplete)

    def _token(self, incomplete: str) -> list[Candidate]:
        return _beginning(server_names.noted(self._place, server_names.TOKENS), incomplete)

    def _column(self, incomplete: str) -> list[Candidate]:
        return _in_list(self._fields, incomplete)

    def _key(self, incomplete: str) -> list[Candidate]:
        before, comma, last = incomplete.rpartition(",")
        sign = "-" if last.startswith("-") else ""
        found = _beginning(self._fields, last.removeprefix("-"))
        return [Candidate(f"{before}{comma}{sign}{each.word}") for each in found]

    def _filter(self, incomplete: str) -> list[Candidate]:
        """The first name of a filter, and the values of a state, a snapshot or a tag. The rest stands in quotes."""
        name, equals, value = incomplete.partition("=")
        if not equals:
            return [each._replace(word=f"{each.word}=", kind="part") for each in _beginning(self._fields, incomplete)]
        if name == "state":
            return [each._replace(word=f"state={each.word}") for each in self._state(value)]
        if name == "code":
            return [each._replace(word=f"code={each.word}") for each in _beginning(self._snapshots, value)]
        return self._tag(incomplete)

    @property
    def _snapshots(self) -> list[str]:
        """The snapshots of the workspace, as people are shown them, and the word for code that is not kept."""
        with suppress(OSError):
            return [*sorted(map(short, os.listdir(self._place / "code" / "snapshots"))), LIVE]
        return [LIVE]

    @property
    def _fields(self) -> list[str]:
        names = self.known.names
        return list(dict.fromkeys([*self._columns, *names.tags, *names.params, *names.results]))


def _beginning(words: Iterable[str], incomplete: str) -> list[Candidate]:
    return [Candidate(word) for word in words if word.startswith(incomplete)]


def _in_list(words: Iterable[str], incomplete: str) -> list[Candidate]:
    """The words that can be the last one of a list with commas; what stands in it already is left out."""
    before, comma, last = incomplete.rpartition(",")
    taken = set(before.split(","))
    return [Candidate(f"{before}{comma}{word}") for word in words if word.startswith(last) and word not in taken]
