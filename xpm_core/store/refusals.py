"""Why workers hand jobs back: they lack a module that the job's code imports, do not know an option of the job, or
cannot hold its code.

A worker that has refused a job gets no more jobs of its project, as long as another worker may have them. All workers
of a daemon lack the same, so a refusal is noted for the daemon. `lua/include/refusals.lua` decides which worker gets a
job.

Owns: the form of a refusal, and reading it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass
from functools import lru_cache

from xpm_core.store.replies import map_of, shown

LONGEST_OPTION = 100
"""Characters of an option's name that are kept: others can write into Redis."""

LATER = ("option", "trouble")
"""Fields that are written only if they say something: a worker of an earlier xpm did not write them."""

_SLOT = re.compile(r"(.+)\.[0-9]+")


@dataclass(frozen=True)
class Refusal:
    """What a worker lacks for a job. Make one by `of_module`, `of_option` or `of_trouble`.

    Args:
        worker: The name of its daemon, as the user gave it.
        host: Its machine.
        module: The module that it cannot import; empty if it lacks something else.
        looked: Where it looked for the module.
        said: All this in a sentence.
        option: The option of the job that it does not know; empty if it lacks something else.
        trouble: Why its machine cannot hold the job's code; empty if it can. No job fails because of that.
    """

    worker: str
    host: str
    module: str
    looked: str
    said: str
    option: str = ""
    trouble: str = ""

    @classmethod
    def of_module(cls, worker: str, host: str, module: str, looked: str) -> Refusal:
        """The worker cannot import a module."""
        return cls(
            worker, host, module, looked, f"worker {worker} on {host} cannot import {module}: looked in {looked}"
        )

    @classmethod
    def of_option(cls, worker: str, host: str, option: str) -> Refusal:
        """The worker does not know an option, because its version is older than the script's."""
        option = ascii(option)[1:-1][:LONGEST_OPTION] or "''"  # others can write into Redis, whatever they want
        return cls(worker, host, "", "", f"worker {worker} on {host} {_unknown(option)}", option)

    @classmethod
    def of_trouble(cls, worker: str, host: str, trouble: str) -> Refusal:
        """Its machine cannot hold the job's code: `trouble` says where and why."""
        return cls(worker, host, "", "", f"worker {worker} on {host} {_troubled(trouble)}", trouble=trouble)

    @classmethod
    def read(cls, written: str) -> Refusal:
        """Read what `written` made. Others can write into Redis, so its texts may say anything."""
        found = shown(map_of(written))
        return cls(*(str(found.get(name, "")) for name in cls.__dataclass_fields__))

    def written(self) -> dict[str, str]:
        """Its facts, as they stand in Redis and in what `xpm status --json` prints."""
        return {name: value for name, value in asdict(self).items() if value or name not in LATER}

    @property
    def problem(self) -> str:
        """What is wrong, without the worker: `cannot import sweep: looked in /data/code`."""
        if self.trouble:
            return _troubled(self.trouble)
        return _unknown(self.option) if self.option else f"cannot import {self.module}: looked in {self.looked}"

    @property
    def remedy(self) -> str:
        """What to do about it."""
        if self.trouble:
            return "mend that folder, or start the worker again with another one in XPM_SNAPSHOT_FOLDER"
        if self.option:
            return "start it again with the script's version of xpm"
        return "install it there, or start the worker with --pythonpath"

    @property
    def tag(self) -> str:
        """What is lacking, in the short form that stands in the names of lines. No module has a space in its name."""
        if self.trouble:
            return tag("code folder")
        return tag(f"option {self.option}" if self.option else self.module)


def _troubled(trouble: str) -> str:
    return f"cannot hold the code of its jobs: {trouble}"


def _unknown(option: str) -> str:
    return f"does not know the option {option!r}: its version is older than the script's"


class Refused:
    """The jobs of a run that workers have refused, by what these workers lack.

    Example:
        >>> refused.note(identity, record.data["said"])
        >>> refused.lines(done)
        ['! worker m2 cannot import sweep: looked in /data/code. 7 jobs went to other workers.']
    """

    def __init__(self) -> None:
        self._jobs: dict[tuple[str, str], set[str]] = {}

    def note(self, identity: str, written: str) -> None:
        """Note that a worker has refused a job: `written` is the refusal in its event."""
        refusal = Refusal.read(written)
        self._jobs.setdefault((refusal.worker, refusal.problem), set()).add(identity)

    def lines(self, done: Collection[str]) -> list[str]:
        """Lines about the refused jobs that are done, by other workers. The error of a failed job names its workers."""
        counts = {cause: len(jobs.intersection(done)) for cause, jobs in self._jobs.items()}
        return [
            f"! worker {worker} {problem}. {'1 job' if count == 1 else f'{count} jobs'} went to other workers."
            for (worker, problem), count in sorted(counts.items())
            if count
        ]


@lru_cache(maxsize=1024)
def tag(name: str) -> str:
    """Return the short form of a project's or a module's name in the names of lines: 8 hexadecimal digits."""
    return hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:8]


def daemon_of(worker: str) -> str:
    """Return the name of a worker's daemon, under which its refusals are noted."""
    found = _SLOT.fullmatch(worker)
    return found[1] if found else worker


def project_in(line: str) -> str:
    """Return the tag of the project in the name of a line."""
    _, _, rest = line.partition("|")
    return rest.partition("|")[2].partition(".")[0]
