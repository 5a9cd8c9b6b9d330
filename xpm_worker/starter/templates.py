"""The templates of one starter.

Owns: which templates there are, which jobs each of them is for, and when one is ended. It learns from each job what the
jobs of its task import. The process of a template is template/main.py.
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

from xpm_core.project.moved_code import UNMOVED, MovedCode
from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.codec import LARGEST_REPORT
from xpm_worker.protocol.messages import RunJob, TemplateReady
from xpm_worker.starter.launch import SPAWN, Standby, pair
from xpm_worker.system import clock, processes
from xpm_worker.system.memory import available_share
from xpm_worker.template import main as template_process

TEMPLATES_VARIABLE = "XPM_TEMPLATES"
"""In the environment of a worker: if it is 0, no template imports anything."""

MOST = 3
"""How many templates one starter keeps, besides the empty one."""
SETTLE_S = 1.0
"""How long a template may take to fork a process while the starter waits for it."""
IMPORT_S = 120.0
"""How long a template may import. After that, its jobs run without it."""
LEAST_MEMORY = 0.1
"""The share of the machine's memory that must be available before another template is started."""

_FOLDERS = site.getsitepackages()

Key = tuple[frozenset[str], tuple[tuple[str, str], ...]]
"""What a template is for: the modules that it imports, and the environment variables of its jobs."""

EMPTY: Key = (frozenset(), ())
"""The key of the empty template, which imports nothing. It forks the standbys for all jobs without another template.

The starter does not fork them itself, because after a fork the parent also has to copy each page that it writes to.
That took a starter a millisecond for each job.
"""


@dataclass
class Template:
    """A template as its starter sees it.

    Attributes:
        key: What it is for.
        pid: Its process id.
        channel: The way to it, for its messages.
        sock: The same socket, for requests.
        due: When it must have imported everything, by the boot clock.
        task: The task for whose first job it was started; empty if it was not.
        ready: Whether it has imported everything.
        used: When a job was last forked from it, by the boot clock.
        standby: The process that it has forked, or was asked to fork, for the next job.
    """

    key: Key
    pid: int
    channel: Channel
    sock: socket.socket
    due: float
    task: str = ""
    ready: bool = False
    used: float = field(default_factory=clock.boot_time)
    standby: Standby | None = None

    def prepare(self) -> None:
        """Ask it to fork a standby."""
        self.standby = None
        with contextlib.suppress(OSError):  # the template is gone or does not read, or no descriptor is left
            standby, theirs = pair()
            with theirs:
                socket.send_fds(self.sock, [b"+"], [theirs.fileno()])
            self.standby = standby

    def take(self) -> Standby | None:
        """Return its standby for a job; None if it can fork none."""
        if self.standby is not None:
            self.standby.receive()
        if self.standby is None or self.standby.channel.closed:
            self.prepare()
        standby, self.standby = self.standby, None
        return standby

    def close(self) -> None:
        """Close the ways to it and to its standby."""
        self.channel.close()
        if self.standby is not None:
            self.standby.channel.close()


class Templates:
    """Keeps the templates of one starter.

    Args:
        close_inherited: Called in a forked template; closes the descriptors that belong to the starter.
        wanted: Whether there may be templates besides the empty one.
    """

    def __init__(self, close_inherited: Callable[[], None], wanted: bool) -> None:
        self._close_inherited = close_inherited
        self._wanted = wanted
        self._living: dict[Key, Template] = {}
        self._modules: dict[str, tuple[str, ...]] = {}
        """The modules to import for each task. Until they are known, the task's own name stands for them."""
        self._unfit: set[Key] = set()
        self._seen = _installed_state()

    @property
    def pids(self) -> set[int]:
        """Process ids of the templates and of their standbys, which must not be killed together with a job."""
        return {pid for each in self._living.values() for pid in (each.pid, each.standby.pid if each.standby else 0)}

    @property
    def channels(self) -> list[Channel]:
        """The channels to poll."""
        return [each.channel for each in self._living.values()]

    def due(self) -> float:
        """When to call `check` next, by the boot clock."""
        return min((each.due for each in self._living.values() if not each.ready), default=math.inf)

    # -- for a job -------------------------------------------------------------------------------------------------

    def find(self, job: RunJob) -> Template | None:
        """Return the template for a job; None if there is none.

        For a task's first job a template is started that imports what the job's module imports first. This job then
        need not import it. With `--allow` this is not done: then only the job may decide what is imported.
        """
        if not job.template or not self._wanted:
            return None
        self._forget_after_installation()
        if job.task not in self._modules and not job.allow and available_share() > LEAST_MEMORY:
            self._modules[job.task] = (job.task,)
            return self._start(self._key(job), (), job)
        found = self._living.get(self._key(job))
        if found is not None:
            found.used = clock.boot_time()
        return found

    def empty(self) -> Template | None:
        """Return the empty template, and start it if necessary; None if it cannot be started."""
        return None if SPAWN else self._living.get(EMPTY) or self._start(EMPTY, ())

    def learn(self, job: RunJob, modules: list[str]) -> None:
        """Prepare a template for the next job of a task.

        Args:
            job: A job of the task.
            modules: The modules of installed packages that the job has imported itself.
        """
        if not job.template or not self._wanted or not modules:
            return
        before = self._key(job)
        known = [name for name in self._modules.get(job.task, ()) if name != job.task]
        self._modules[job.task] = (*known, *(name for name in modules if name not in known))
        key = self._key(job)
        if before != EMPTY and before in self._living and before[0] not in map(frozenset, self._modules.values()):
            self.drop(self._living[before])
        if key not in self._living and key not in self._unfit and available_share() > LEAST_MEMORY:
            self._start(key, self._modules[job.task])
            self._trim()

    def _key(self, job: RunJob) -> Key:
        return frozenset(self._modules.get(job.task, ())), tuple(sorted(job.env.items()))

    def _forget_after_installation(self) -> None:
        """End all templates if a package was installed or removed, because jobs may now import other files."""
        state = _installed_state()
        if state != self._seen:
            self._seen = state
            self._modules.clear()
            self._unfit.clear()
            for each in list(self._living.values()):
                self.drop(each)

    # -- processes -------------------------------------------------------------------------------------------------

    def _start(self, key: Key, modules: tuple[str, ...], first: RunJob | None = None) -> Template | None:
        payload, task = (b"", "") if first is None else (first.payload, first.task)
        code = UNMOVED if first is None else MovedCode(first.code)
        try:
            pid, sock = template_process.start(modules, dict(key[1]), self._close_inherited, payload, code)
        except OSError:  # no process or no memory left: jobs run without a template
            return None
        channel = Channel(sock, receives=LARGEST_REPORT)
        self._living[key] = Template(key, pid, channel, sock, clock.boot_time() + IMPORT_S, task)
        self._living[key].prepare()
        return self._living[key]

    def check(self) -> None:
        """Read the messages of templates, and end those that take too long or cannot be used."""
        now = clock.boot_time()
        for each in list(self._living.values()):
            for message in each.channel.receive():
                if isinstance(message, TemplateReady):
                    each.ready = not message.problem
                    if message.problem:
                        self.refuse(each, ends=True)
                    elif each.task:
                        self._set_modules(each, message.modules)
            if each.key in self._living and (each.channel.closed or (not each.ready and now >= each.due)):
                self.refuse(each)

    def _set_modules(self, template: Template, modules: list[str]) -> None:
        """Note what a template has imported that was started for a task's first job.

        If there is another template with the same modules, that one is ended.
        """
        self._modules[template.task] = tuple(modules)
        del self._living[template.key]
        template.key = frozenset(modules), template.key[1]
        if template.key in self._living:
            self.drop(self._living[template.key])
        self._living[template.key] = template
        self._trim()

    def settle(self) -> None:
        """Learn the process ids of standbys that templates are forking just now.

        A template that does not send the id within `SETTLE_S` is ended.
        """
        for each in list(self._living.values()):
            if each.ready and each.standby is not None and not each.standby.pid:
                if not select.select([each.standby.channel], [], [], SETTLE_S)[0]:
                    self.drop(each)
                else:
                    each.standby.receive()

    def forget(self, pid: int) -> None:
        """Forget a standby, because this child of the starter has ended: another process may get the same id."""
        for each in self._living.values():
            if each.standby is not None and each.standby.pid == pid:
                each.standby.channel.close()
                each.standby = None

    def _trim(self) -> None:
        """If there are too many templates, end those that were not used for the longest time."""
        while len(others := [each for each in self._living.values() if each.key != EMPTY]) > MOST:
            self.drop(min(others, key=lambda each: each.used))

    def refuse(self, template: Template, *, ends: bool = False) -> None:
        """End a template, and start none like it again. Only the empty one is tried again.

        Args:
            template: Which one.
            ends: See `drop`.
        """
        if template.key != EMPTY:
            self._unfit.add(template.key)
        self.drop(template, ends=ends)

    def drop(self, template: Template, *, ends: bool = False) -> None:
        """End a template if it is still kept. Jobs that were forked from it go on.

        Args:
            template: Which one.
            ends: Whether it ends by itself, and so is not killed: it may still run its task's first job.
        """
        if self._living.get(template.key) is template:
            del self._living[template.key]
            template.close()
            if not ends:
                processes.send_signal([template.pid], signal.SIGKILL)

    def close_inherited(self) -> None:
        """In a process forked from the starter, close the ways to templates."""
        for each in self._living.values():
            each.close()


def _installed_state() -> tuple[int, ...]:
    """When the folders of installed packages were last changed: it differs after an installation or a removal."""
    found = []
    for folder in _FOLDERS:
        try:
            found.append(os.stat(folder).st_mtime_ns)
        except OSError:
            found.append(0)
    return tuple(found)
