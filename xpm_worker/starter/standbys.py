"""The processes that stand by for one starter's jobs: each template has forked one.

Owns: which of them gets a job, and when the next is started: as soon as one has a job, so that the next is ready when
that job ends.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from xpm_worker.protocol.messages import Run
from xpm_worker.starter.launch import Standby, launch
from xpm_worker.starter.templates import PLAIN, Template, Templates


class Standbys:
    """Keeps processes for one starter.

    Args:
        leave_starter: Called in a forked process: closes what belongs to the starter.
        templates: Those of the starter. Where there are none, the starter forks or spawns.
    """

    def __init__(self, leave_starter: Callable[[], None], templates: Templates) -> None:
        self._leave_starter = leave_starter
        self.templates = templates
        self._own: Standby | None = None
        self._alone = False

    @property
    def pids(self) -> set[int]:
        """Process ids of templates, and of what stands by: they are nobody's leftovers."""
        return self.templates.pids | ({self._own.pid} if self._own is not None else set())

    def take(self, run: Run) -> tuple[Standby, Template | None]:
        """The process for a job, and the template that has forked it, or is to.

        Raises:
            OSError: No process can be started.
        """
        while not self._alone and (found := self.templates.find(run) or self.templates.plain()) is not None:
            standby = found.take()
            if standby is not None:
                return standby, found
            self.forsake(found)
        self._alone = False
        return self._take_own(), None

    def forsake(self, which: Template) -> None:
        """A template has forked nothing for a job. Where it was the plain one, the starter forks that job itself."""
        self.templates.refuse(which)
        self._alone = which.key == PLAIN

    def _take_own(self) -> Standby:
        standby, self._own = self._own, None
        if standby is not None:
            standby.hear()
        return launch(self._leave_starter) if standby is None or standby.channel.closed else standby

    def prepare(self, template: Template | None) -> None:
        """Start the next process: from a template, or from the starter."""
        if template is not None:
            template.prepare()
        elif self._own is None:
            with contextlib.suppress(OSError):  # no process or no memory left: tried again when there is a job
                self._own = launch(self._leave_starter)

    def forget(self, pid: int) -> None:
        """A child of the starter has ended, and stands by no more."""
        self.templates.forget(pid)
        if self._own is not None and self._own.pid == pid:
            self._own.channel.close()
            self._own = None

    def leave(self) -> None:
        """In a process forked from the starter: close the ways to the others."""
        self.templates.leave()
        if self._own is not None:
            self._own.channel.close()
