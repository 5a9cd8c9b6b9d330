"""What workers cannot import: the form in which they say so, and reading it.

A worker that cannot import the code of a job hands it back, and is offered no more jobs of that project. All workers of
a daemon import alike, so that it is noted of the daemon. Who is offered a job is decided in Lua
(`lua/include/refusals.lua`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from xpm_core.store.replies import map_of, shown

_SLOT = re.compile(r"(.+)\.[0-9]+")


@dataclass(frozen=True)
class Refusal:
    """What a worker cannot import: the module, and where it was looked for. `said` is that in a sentence."""

    worker: str
    host: str
    module: str
    looked: str
    said: str


class Refused:
    """The jobs of a run that workers have handed back, by what these cannot import.

    Example:
        >>> refused.note(identity, record.data["said"])
        >>> refused.lines(done)
        ['! worker m2 cannot import sweep: looked in /data/code. 7 jobs went to other workers.']
    """

    def __init__(self) -> None:
        self._jobs: dict[tuple[str, str, str], set[str]] = {}

    def note(self, identity: str, told: str) -> None:
        """A worker has refused a job, as its event tells."""
        said = shown(map_of(told))
        cause = (str(said.get("worker", "")), str(said.get("module", "")), str(said.get("looked", "")))
        self._jobs.setdefault(cause, set()).add(identity)

    def lines(self, done: Collection[str]) -> list[str]:
        """What is said of those that others have done. A job that has failed names its workers itself."""
        counts = {cause: len(jobs.intersection(done)) for cause, jobs in self._jobs.items()}
        return [
            f"! worker {worker} cannot import {module}: looked in {looked}. "
            f"{'1 job' if count == 1 else f'{count} jobs'} went to other workers."
            for (worker, module, looked), count in sorted(counts.items())
            if count
        ]


@lru_cache(maxsize=1024)
def tag(name: str) -> str:
    """The short form of a project's or a module's name in the names of lines: 8 hexadecimal digits."""
    return hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:8]


def daemon_of(worker: str) -> str:
    """The name of a worker's daemon, as its refusals are noted under."""
    found = _SLOT.fullmatch(worker)
    return found[1] if found else worker


def project_in(line: str) -> str:
    """The tag of the project in the name of a line."""
    _, _, rest = line.partition("|")
    return rest.partition("|")[2].partition(".")[0]
