"""One attempt of a job, as its starter sees it: prepared, running, frozen, ended.

Owns: when the job may run (only while its lease does), and when it must end. How it ended is outcome.py's.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from xpm_core.errors import WorkspaceError
from xpm_worker.job import failure
from xpm_worker.job import main as job_process
from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.messages import AttemptEnded, RunJob, StandbyReady, TaskFinished, TaskLoaded
from xpm_worker.starter import outcome, stacks
from xpm_worker.starter.logs import Logs
from xpm_worker.starter.standbys import Standbys
from xpm_worker.starter.templates import Template
from xpm_worker.system import clock, processes
from xpm_worker.system.memory import PeakMemory

FORK_S = 150.0
"""How long a template may take at most to fork the process of a job, including the imports that it does before."""


class Attempt:
    """One execution of a job.

    The job runs only while its lease does. Before the lease ends, `tick` freezes the job's processes, and lets them go
    on once the lease is renewed. Time for which they were frozen does not count against the time limit.

    Args:
        job: What to run.
        standbys: The standbys of the starter, which go on when the job's processes are frozen or killed.

    Raises:
        WorkspaceError: The job's directory cannot be prepared.

    Example:
        >>> attempt = Attempt(job, standbys)
        >>> attempt.tick()                          # again at attempt.due()
        >>> attempt.end(status, usage)              # when its process has ended
    """

    def __init__(self, job: RunJob, standbys: Standbys) -> None:
        self.job = job
        self._standbys = standbys
        self._template: Template | None = None
        """The template that was asked to fork the job's process; None once the process exists."""
        self._load_by = math.inf
        self._end_by = math.inf
        self.pid = 0
        """Process id of the job; 0 before it was started."""
        self.begun = False
        """Whether the job's process exists."""
        self.reports: Channel | None = None
        """The channel over which the job's process reports; None when nothing more can be read from it."""
        self.stopped = ""
        """Why the starter ended the job; empty if it did not."""
        self.finished: TaskFinished | None = None
        self.ran = b""
        """What the job's process has run, as it says; empty if it has said nothing, as when it was killed."""
        self.reported: dict[str, Any] | None = None
        """What the job has reported for tables, as its process says once its code has ended."""
        self._sigterm_at: float | None = None
        """When SIGTERM was sent to the job."""
        self._overrun = ""
        """What took too long, once the job was killed for this."""
        self._stack: list[dict[str, Any]] = []
        """The frames of its main thread at that moment."""
        self._seeds: dict[str, Any] = {}
        self._lease_until = job.lease_until
        self._frozen_at: float | None = None
        self._timeout_at = math.inf
        self._kill_at = math.inf
        self._started = datetime.now(timezone.utc)
        self._directory = job_process.directory_of(job)
        self._memory = PeakMemory()
        self._logs = Logs(self._directory.logs, job.max_log, self._paused)
        self.number = self._directory.prepare(job.attempt, resumable=job.resumable)
        """Number of the attempt in the job's directory."""

    # -- the clock -------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Do what is due now: start, freeze, let go on, or kill."""
        now = clock.boot_time()
        if now >= self._kill_at:
            self._kill()
        elif now >= self._lease_until:
            self._freeze(now)
        else:
            self._go(now)
            self._logs.look(now)
            self._memory.look(now, self._standbys.pids)
            if now >= self._timeout_at:
                self.stop("timeout")
            elif now >= self._load_by:
                self._stop_loading()
            elif now >= self._end_by:
                self._end_by = math.inf
                self.stop("end timeout")

    def due(self) -> float:
        """When to call `tick` next, by the boot clock."""
        if self._frozen_at is not None:
            return self._kill_at
        return min(
            self._kill_at,
            self._lease_until,
            self._timeout_at,
            self._load_by,
            self._end_by,
            self._logs.due,
            self._memory.due,
        )

    def renew(self, lease_until: float) -> None:
        """Note that the lease now ends at a later moment of the boot clock."""
        self._lease_until = lease_until

    def stop(self, reason: str, grace_s: float = 0.0) -> None:
        """End the job. A later call can only shorten the grace.

        Args:
            reason: Why.
            grace_s: How long after SIGTERM it is killed, seconds; with 0 it is killed at once.
        """
        was_stopped = bool(self.stopped)
        self.stopped = self.stopped or reason
        kill_at = clock.boot_time() + grace_s
        self._kill_at = min(kill_at, self._kill_at)
        if not grace_s or not self.pid:  # a job that has not begun needs no grace
            self._kill()
        elif not was_stopped:
            self._sigterm_at = clock.boot_time()
            processes.send_signal([self.pid], signal.SIGTERM)

    def _go(self, now: float) -> None:
        """Start the job, or let it go on."""
        if self._frozen_at is not None:
            processes.thaw_descendants()
            frozen_s, self._frozen_at = now - self._frozen_at, None
            self._timeout_at += frozen_s
            self._load_by += frozen_s
            self._end_by += frozen_s
        if not self.pid and self._template is None and not self.stopped:
            self._launch()
            self._timeout_at = math.inf if self.job.timeout_s is None else now + self.job.timeout_s

    def _freeze(self, now: float) -> None:
        if self._frozen_at is None:
            self._frozen_at = now
            about_to_fork = {self._template.pid} if self._template is not None else set()
            processes.freeze_descendants(self._standbys.pids - about_to_fork)

    @contextlib.contextmanager
    def _paused(self) -> Iterator[None]:
        """Freeze the job inside the `with` block, and also afterwards if its lease has ended by then."""
        self._freeze(clock.boot_time())
        try:
            yield
        finally:
            now = clock.boot_time()
            if now < self._lease_until:
                self._go(now)

    # -- its process -----------------------------------------------------------------------------------------------

    def _launch(self) -> None:
        """Send the job to a standby."""
        self._started = datetime.now(timezone.utc)
        standby, template = self._standbys.take(self.job)
        self.reports = standby.run(self.job._replace(number=self.number))
        if standby.ready is not None:
            self.begin(standby.ready)
        else:
            self._template = template
            self._load_by = clock.boot_time() + min(outcome.load_s(), FORK_S)
        self._standbys.prepare(template)

    def begin(self, message: StandbyReady) -> None:
        """Note that the job's process exists."""
        self.begun = True
        self.pid, self._template = message.pid, None
        now = clock.boot_time()
        self._load_by = now + outcome.load_s()
        self._logs.start(now)
        self._memory.start(now)
        if self._frozen_at is not None:  # it was being forked while the others were frozen, and so it was missed
            processes.freeze_descendants(self._standbys.pids)

    def loaded(self, message: TaskLoaded) -> None:
        """Note that the job has imported its modules."""
        self._load_by = math.inf
        self._seeds = message.seeds
        self._standbys.templates.learn(self.job, message.modules)

    def closing(self) -> None:
        """Note that the job's code has ended, and that its process now writes what was left open."""
        self._end_by = clock.boot_time() + outcome.end_s()

    def reports_ended(self) -> None:
        """Note that the channel of the job's process is closed.

        If a template was asked to fork the process, the template has gone before it did. Then another template forks
        it, or the starter itself.
        """
        if self._template is not None:
            self._standbys.give_up(self._template)
            self._template = None
            self.reports = None
            self._load_by = math.inf

    def _stop_loading(self) -> None:
        """The imports take too long: the job's, or those of the template that should fork its process."""
        if self._template is None:
            self.stop("import timeout")
        else:
            if self.reports is not None:
                self.reports.close()
            self.reports_ended()
            processes.kill_descendants(self._standbys.pids)  # the job's process may have been forked just now

    def close_inherited(self) -> None:
        """In a process forked from the starter, close the descriptors that belong to the starter."""
        self._logs.close_files()
        if self.reports is not None:
            self.reports.close()

    # -- its end ---------------------------------------------------------------------------------------------------

    def _kill(self) -> None:
        if self._template is not None:  # the template may be about to fork the job
            self._standbys.templates.drop(self._template)
            self._template = None
        self._note_overrun()
        processes.send_signal(processes.descendants(os.getpid(), self._standbys.pids), signal.SIGKILL)
        self._kill_at = clock.boot_time() + 1.0  # again, to kill what was forked meanwhile

    def _note_overrun(self) -> None:
        """If the job is killed because something takes too long, note this and where its main thread is, once."""
        if not self.begun or self._overrun:
            return
        since_sigterm_s = None if self._sigterm_at is None else clock.boot_time() - self._sigterm_at
        self._overrun = outcome.overrun(self.job, self.stopped, since_sigterm_s)
        if self._overrun and self._frozen_at is None:  # frozen, it could not answer; and its lease is over
            self._stack = stacks.ask(self.pid, self._directory.logs[1], self._overrun, self._lease_until)

    def end(self, status: int | None, usage: Any) -> AttemptEnded:
        """Kill what the job's process has left behind, and write the record.

        Args:
            status: The wait status of the job's process; None if the job was stopped before it began.
            usage: The resources that the process used, as `os.wait4` returns them.

        Returns:
            The message for the slot. A job whose record cannot be written has failed, because nobody would find its
            result again.
        """
        if processes.children() - self._standbys.pids:
            self._standbys.templates.settle()
            processes.kill_descendants(self._standbys.pids)
        if self._frozen_at is not None:
            processes.thaw_descendants()
        self._logs.close()
        now = datetime.now(timezone.utc)
        ending = outcome.Ending(
            self.job, self.stopped, self.finished, self._overrun, self._stack, self._memory, status, usage, self._seeds
        )
        ended = outcome.ended(ending, (now - self._started).total_seconds(), began=self.begun)
        record = outcome.record(ending, ended, self.pid, self._started, now)
        record |= outcome.kept_ran(self.job, self.ran)
        reported = outcome.kept_results(self._directory, self.job.execution, self.reported, self.finished)
        record, ended = record | reported, ended._replace(reported=reported, live_files="live_files" in record)
        ended = ended._replace(number=self.number)
        record["log_to"] = self._directory.log_sizes()
        try:
            self._directory.write_record(self.number, self.job.execution, record)
        except WorkspaceError as refused:  # such as a full disk or a deleted directory
            if ended.reason == "done":
                return ended._replace(reason="failed", error=failure.from_write_error(refused))
        return ended
