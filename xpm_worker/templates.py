"""The templates of one starter: which there are, what each is for, and when one goes.

Owns: what was learnt of each task's imports, and the choice between a fork of a template and one of the starter. What
a template does is template.py's.
"""

from __future__ import annotations

import os
import signal
import site
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from xpm_worker import system, template
from xpm_worker.protocol import LARGEST_MESSAGE, LARGEST_REPORT, Channel, Ready, Run, encode

TEMPLATES_VARIABLE = "XPM_TEMPLATES"
"""In the environment of a worker: 0 when it is to have none."""

MOST = 3
"""Templates that one starter keeps."""
IMPORT_S = 120.0
"""How long a template may import; after that its jobs do without it."""
LEAST_MEMORY = 0.1
"""The share of the machine's memory that must be available for another template."""

Key = tuple[frozenset[str], tuple[tuple[str, str], ...]]
"""The modules that a template imports, and the variables that its jobs have."""


@dataclass
class Template:
    """A template as its starter sees it."""

    key: Key
    pid: int
    channel: Channel
    sock: socket.socket
    due: float
    ready: bool = False
    used: float = field(default_factory=system.boot_time)


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
        self._unfit: set[Key] = set()
        self._seen = _installed_state()

    @property
    def pids(self) -> set[int]:
        """Process ids of the templates: they are nobody's leftovers."""
        return {each.pid for each in self._living.values()}

    @property
    def channels(self) -> list[Channel]:
        """What is to be polled."""
        return [each.channel for each in self._living.values()]

    def due(self) -> float | None:
        """When to `tend` next, by the boot clock."""
        return min((each.due for each in self._living.values() if not each.ready), default=None)

    def find(self, run: Run) -> Template | None:
        """The template for a job, if there is one, or may soon be; else the job is forked from the starter."""
        if not run.template or not self._wanted:
            return None
        state = _installed_state()
        if state != self._seen:  # something was installed or removed: what was imported may not be what would be
            self._seen = state
            self._modules.clear()
            self._unfit.clear()
            for each in list(self._living.values()):
                self.drop(each)
        found = self._living.get(self._key(run)) if run.task in self._modules else None
        if found is not None:
            found.used = system.boot_time()
        return found

    def learn(self, run: Run, modules: list[str]) -> None:
        """A job has imported modules of installed packages: prepare a template for the next one of its task."""
        if not run.template or not self._wanted or not modules:
            return
        known = self._modules.get(run.task, ())
        self._modules[run.task] = (*known, *(name for name in modules if name not in known))
        key = self._key(run)
        if key not in self._living and key not in self._unfit and _memory_left() > LEAST_MEMORY:
            while len(self._living) >= MOST:
                self.drop(min(self._living.values(), key=lambda each: each.used))
            pid, sock = template.start(self._modules[run.task], dict(key[1]), self._leave_starter)
            self._living[key] = Template(key, pid, Channel(sock, LARGEST_REPORT), sock, system.boot_time() + IMPORT_S)

    def launch(self, found: Template, run: Run) -> Channel | None:
        """Have a job forked by a template. Returns the way by which it reports; None when the template is gone."""
        ours, theirs = socket.socketpair()
        data = memoryview(encode(run, LARGEST_MESSAGE))
        try:
            found.sock.setblocking(True)
            sent = socket.send_fds(found.sock, [data], [theirs.fileno()])
            found.sock.sendall(data[sent:])
        except OSError:
            ours.close()
            self.refuse(found)
            return None
        finally:
            found.sock.setblocking(False)
            theirs.close()
        return Channel(ours, LARGEST_REPORT)

    def tend(self) -> None:
        """Hear what templates say, and end those that take too long, or turned out not to be fit."""
        now = system.boot_time()
        for each in list(self._living.values()):
            for message in each.channel.receive():
                if isinstance(message, Ready):
                    each.ready = not message.problem
                    if message.problem:
                        self.refuse(each)
            if each.key in self._living and (each.channel.closed or (not each.ready and now >= each.due)):
                self.refuse(each)

    def refuse(self, which: Template) -> None:
        """Let jobs do without this template, now and later."""
        self._unfit.add(which.key)
        self.drop(which)

    def drop(self, which: Template) -> None:
        """End a template; jobs forked from it go on."""
        self._living.pop(which.key, None)
        which.channel.close()
        system.send_signal([which.pid], signal.SIGKILL)

    def leave(self) -> None:
        """In a process forked from the starter: close the ways to templates."""
        for each in self._living.values():
            each.channel.close()

    def _key(self, run: Run) -> Key:
        return frozenset(self._modules[run.task]), tuple(sorted(run.env.items()))


def _installed_state() -> tuple[int, ...]:
    """Changes whenever a package is installed or removed."""
    found = []
    for folder in site.getsitepackages():
        try:
            found.append(os.stat(folder).st_mtime_ns)
        except OSError:
            found.append(0)
    return tuple(found)


def _memory_left() -> float:
    """The share of the machine's memory that is available; 1 where that cannot be known."""
    if not system.LINUX:
        return 1.0
    with open("/proc/meminfo") as file:
        lines = dict(line.split(":", 1) for line in file)
    return int(lines["MemAvailable"].split()[0]) / int(lines["MemTotal"].split()[0])
