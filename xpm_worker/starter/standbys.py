"""The standbys of one starter.

Owns: which standby gets a job, and when the next one is started. That is as soon as a standby has got a job, so that
the next one is ready when this job ends.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from xpm_worker.protocol.messages import RunJob
from xpm_worker.starter.launch import Standby, launch
from xpm_worker.starter.templates import EMPTY, Template, Templates


class Standbys:
    """Keeps the standbys of one starter.

    Args:
        close_inherited: Called in a forked process; closes the descriptors that belong to the starter.
        templates: The templates of the starter, which fork standbys. Where there are none, the starter forks or spawns
            the standby itself.
    """

    def __init__(self, close_inherited: Callable[[], None], templates: Templates) -> None:
        self._close_inherited = close_inherited
        self.templates = templates
        self._own: Standby | None = None
        self._without_template = False

    @property
    def pids(self) -> set[int]:
        """Process ids of templates and standbys, which must not be killed together with a job."""
        return self.templates.pids | ({self._own.pid} if self._own is not None else set())

    def take(self, job: RunJob) -> tuple[Standby, Template | None]:
        """Return the standby for a job, and the template that has forked the standby or will fork it.

        The template is None if the starter itself has started the standby.

        Raises:
            OSError: No process can be started.
        """
        while not self._without_template and (found := self.templates.find(job) or self.templates.empty()) is not None:
            standby = found.take()
            if standby is not None:
                return standby, found
            self.give_up(found)
        self._without_template = False
        return self._take_own(), None

    def give_up(self, template: Template) -> None:
        """Use a template no more, because it has not forked a standby for a job.

        If it was the empty one, the starter itself forks for this job.
        """
        self.templates.refuse(template)
        self._without_template = template.key == EMPTY

    def _take_own(self) -> Standby:
        standby, self._own = self._own, None
        if standby is not None:
            standby.receive()
        return launch(self._close_inherited) if standby is None or standby.channel.closed else standby

    def prepare(self, template: Template | None) -> None:
        """Have the next standby started.

        Args:
            template: The template that forks it; None for the starter itself.
        """
        if template is not None:
            template.prepare()
        elif self._own is None:
            with contextlib.suppress(OSError):  # no process or no memory left: tried again when there is a job
                self._own = launch(self._close_inherited)

    def forget(self, pid: int) -> None:
        """Forget a standby, because this child of the starter has ended."""
        self.templates.forget(pid)
        if self._own is not None and self._own.pid == pid:
            self._own.channel.close()
            self._own = None

    def close_inherited(self) -> None:
        """In a process forked from the starter, close the ways to templates and standbys."""
        self.templates.close_inherited()
        if self._own is not None:
            self._own.channel.close()
