"""The templates of one starter: which there are, what each is for, and when one goes.

Owns: what was learnt of each task's imports. What a template does is template.py's.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import site
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.codec import LARGEST_REPORT
from xpm_worker.protocol.messages import Ready, Run
from xpm_worker.starter.launch import SPAWN, Standby, pair
from xpm_worker.system import clock, kernel, processes
from xpm_worker.template import main as template

TEMPLATES_VARIABLE = "XPM_TEMPLATES"
"""In the environment of a worker: 0 when it is to have none that imports anything."""

MOST = 3
"""Templates that one starter keeps."""
SETTLE_S = 1.0
"""How long a template may take for a fork while others wait for that."""
IMPORT_S = 120.0
"""How long a template may import; after that its jobs do without it."""
LEAST_MEMORY = 0.1
"""The share of the machine's memory that must be available for another template."""

_FOLDERS = site.getsitepackages()

Key = tuple[frozenset[str], tuple[tuple[str, str], ...]]
"""The modules that a template imports, and the variables that its jobs have."""

PLAIN: Key = (frozenset(), ())
"""The template that imports nothing. It forks for all other jobs, so that the starter need not: after a fork, whatever
a process writes to is copied page by page, which took a starter a millisecond a job."""


@dataclass
class Template:
    """A template as its starter sees it."""

    key: Key
    pid: int
    channel: Channel
    sock: socket.socket
    due: float
    task: str = ""
    """The task whose first job it was started for, if it was."""
    ready: bool = False
    used: float = field(default_factory=clock.boot_time)
    standby: Standby | None = None
    """The process that it forked, or is to fork, for the next job."""

    def prepare(self) -> None:
        """Have it fork a process that stands by."""
        self.standby = None
        with contextlib.suppress(OSError):  # it is gone or does not listen, or no descriptor is left
            standby, theirs = pair()
            with theirs:
                socket.send_fds(self.sock, [b"+"], [theirs.fileno()])
            self.standby = standby

    def take(self) -> Standby | None:
        """The process for a job; None when it can have none forked."""
        if self.standby is not None:
            self.standby.hear()
        if self.standby is None or self.standby.channel.closed:
            self.prepare()
        standby, self.standby = self.standby, None
        return standby


class Templates:
    """Keeps templates for one starter.

    Args:
        leave_starter: Called in a forked template: closes what belongs to the starter.
        wanted: Whether there are to be any.
    """

    def __init__(self, leave_starter: Callable[[], None], wanted: bool) -> None:
        self._leave_starter = leave_starter
        self._wanted = wanted
        self._living: dict[Key, Template] = {}
        self._modules: dict[str, tuple[str, ...]] = {}
        """What is to be imported for each task. Until that is known, the task itself stands for it."""
        self._unfit: set[Key] = set()
        self._seen = _installed_state()

    @property
    def pids(self) -> set[int]:
        """Process ids of the templates, and of what they have forked that stands by: they are nobody's leftovers."""
        return {pid for each in self._living.values() for pid in (each.pid, each.standby.pid if each.standby else 0)}

    def settle(self) -> None:
        """Learn which processes templates are just forking; one that does not tell within a second is ended."""
        for each in list(self._living.values()):
            if each.ready and each.standby is not None and not each.standby.pid:
                if not select.select([each.standby.channel], [], [], SETTLE_S)[0]:
                    self.drop(each)
                else:
                    each.standby.hear()

    def forget(self, pid: int) -> None:
        """A child of the starter has ended: another process may get its number."""
        for each in self._living.values():
            if each.standby is not None and each.standby.pid == pid:
                each.standby.channel.close()
                each.standby = None

    @property
    def channels(self) -> list[Channel]:
        """What is to be polled."""
        return [each.channel for each in self._living.values()]

    def due(self) -> float:
        """When to `tend` next, by the boot clock."""
        return min((each.due for each in self._living.values() if not each.ready), default=math.inf)

    def find(self, run: Run) -> Template | None:
        """The template for a job, if there is one, or may soon be; else the job is forked from the starter.

        For the first job of a task, one is started that reads what the job begins with: this job, too, would import
        that. But not where only some modules are allowed, for the job checks that itself.
        """
        if not run.template or not self._wanted:
            return None
        state = _installed_state()
        if state != self._seen:  # something was installed or removed: what was imported may not be what would be
            self._seen = state
            self._modules.clear()
            self._unfit.clear()
            for each in list(self._living.values()):
                self.drop(each)
        if run.task not in self._modules and not run.allow and _memory_left() > LEAST_MEMORY:
            self._modules[run.task] = (run.task,)
            return self._start(self._key(run), (), run)
        found = self._living.get(self._key(run))
        if found is not None:
            found.used = clock.boot_time()
        return found

    def plain(self) -> Template | None:
        """The template that imports nothing; None where there is to be none."""
        return None if SPAWN else self._living.get(PLAIN) or self._start(PLAIN, ())

    def learn(self, run: Run, modules: list[str]) -> None:
        """A job has imported modules of installed packages: prepare a template for the next one of its task."""
        if not run.template or not self._wanted or not modules:
            return
        before = self._key(run)
        known = [name for name in self._modules.get(run.task, ()) if name != run.task]
        self._modules[run.task] = (*known, *(name for name in modules if name not in known))
        key = self._key(run)
        if before != PLAIN and before in self._living and before[0] not in map(frozenset, self._modules.values()):
            self.drop(self._living[before])
        if key not in self._living and key not in self._unfit and _memory_left() > LEAST_MEMORY:
            self._start(key, self._modules[run.task])
            self._trim()

    def _trim(self) -> None:
        """Where there are too many, end what was used least recently."""
        while len(others := [each for each in self._living.values() if each.key != PLAIN]) > MOST:
            self.drop(min(others, key=lambda each: each.used))

    def _start(self, key: Key, modules: tuple[str, ...], first: Run | None = None) -> Template | None:
        payload, task = (b"", "") if first is None else (first.payload, first.task)
        try:
            pid, sock = template.start(modules, dict(key[1]), self._leave_starter, payload)
        except OSError:  # no process or no memory left: jobs do without
            return None
        channel = Channel(sock, receives=LARGEST_REPORT)
        self._living[key] = Template(key, pid, channel, sock, clock.boot_time() + IMPORT_S, task)
        self._living[key].prepare()
        return self._living[key]

    def tend(self) -> None:
        """Hear what templates say, and end those that take too long, or turned out not to be fit."""
        now = clock.boot_time()
        for each in list(self._living.values()):
            for message in each.channel.receive():
                if isinstance(message, Ready):
                    each.ready = not message.problem
                    if message.problem:
                        self.refuse(each, ends=True)
                    elif each.task:
                        self._know(each, message.modules)
            if each.key in self._living and (each.channel.closed or (not each.ready and now >= each.due)):
                self.refuse(each)

    def _know(self, which: Template, modules: list[str]) -> None:
        """A template that was started for a task's first job has told what it has imported; one for that is enough."""
        self._modules[which.task] = tuple(modules)
        del self._living[which.key]
        which.key = frozenset(modules), which.key[1]
        if which.key in self._living:
            self.drop(self._living[which.key])
        self._living[which.key] = which
        self._trim()

    def refuse(self, which: Template, *, ends: bool = False) -> None:
        """Let jobs do without this template, now and later; but for the plain one, which is tried again."""
        if which.key != PLAIN:
            self._unfit.add(which.key)
        self.drop(which, ends=ends)

    def drop(self, which: Template, *, ends: bool = False) -> None:
        """End a template, if it still lives; jobs forked from it go on. One that `ends` by itself may run its job."""
        if self._living.get(which.key) is which:
            del self._living[which.key]
            _close(which)
            if not ends:
                processes.send_signal([which.pid], signal.SIGKILL)

    def leave(self) -> None:
        """In a process forked from the starter: close the ways to templates."""
        for each in self._living.values():
            _close(each)

    def _key(self, run: Run) -> Key:
        return frozenset(self._modules.get(run.task, ())), tuple(sorted(run.env.items()))


def _close(which: Template) -> None:
    which.channel.close()
    if which.standby is not None:
        which.standby.channel.close()


def _installed_state() -> tuple[int, ...]:
    """Changes whenever a package is installed or removed."""
    found = []
    for folder in _FOLDERS:
        try:
            found.append(os.stat(folder).st_mtime_ns)
        except OSError:
            found.append(0)
    return tuple(found)


def _memory_left() -> float:
    """The share of the machine's memory that is available; 1 where that cannot be known."""
    if not kernel.LINUX:
        return 1.0
    with open("/proc/meminfo") as file:
        lines = dict(line.split(":", 1) for line in file)
    return int(lines["MemAvailable"].split()[0]) / int(lines["MemTotal"].split()[0])
