"""A starter: it runs one job at a time for one slot, and guards the job's lease.

When the slot is gone, its end of the socket is closed. Then the starter kills the job's processes and ends. Owns: the
loop that waits for the slot, the job, the clock, and the end of processes.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import socket
from typing import Any

from xpm_core.errors import ProtocolError, XpmError
from xpm_worker.job import failure
from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.messages import (
    AttemptEnded,
    AttemptStarted,
    ClosingFiles,
    Hello,
    LeaseRenewed,
    Message,
    OutputRegistered,
    ResultsReported,
    RunJob,
    StandbyReady,
    StatusUpdate,
    StopJob,
    TaskFinished,
    TaskLoaded,
    TaskRan,
)
from xpm_worker.starter.attempt import Attempt
from xpm_worker.starter.launch import SPAWN
from xpm_worker.starter.standbys import Standbys
from xpm_worker.starter.templates import TEMPLATES_VARIABLE, Templates
from xpm_worker.system import clock, processes, signals

UPDATE_S = 0.2
"""The least time between two status updates of one kind, seconds. Of those between, only the last is sent."""

QUIET_S = 0.02
"""How long after its start the messages of a job are not read, seconds. Those of a short job are read at its end."""

MOST_KINDS = 16
"""How many kinds of status updates are kept between two sends. Updates of further kinds are dropped."""


class Starter:
    """Serves one slot.

    Args:
        sock: The way to the slot.
        mark: The mark in the environment of this process and all its descendants; empty where there can be none.
    """

    def __init__(self, sock: socket.socket, mark: str) -> None:
        self._slot = Channel(sock)
        self._signals = signals.SignalPipe(signal.SIGCHLD)
        self._usual = {self._slot.fileno(), self._signals.fileno()}
        self._alarm = clock.Alarm()
        self._alarm_at = math.inf
        self._attempt: Attempt | None = None
        self._quiet_until: float | None = None
        """Until then the job's messages are not read. The slot does not know yet that the job has started."""
        self._updates: dict[str, StatusUpdate] = {}
        self._update_at = 0.0
        self._mark = mark
        self._templates = Templates(self._close_inherited, os.environ.get(TEMPLATES_VARIABLE) != "0" and not SPAWN)
        self._standbys = Standbys(self._close_inherited, self._templates)

    def serve(self) -> None:
        """Serve until the slot is gone."""
        self._slot.send(Hello(self._mark, os.getpid()))
        if self._templates.empty() is None:
            self._standbys.prepare(None)
        while not self._slot.closed:
            readable = self._wait()
            if self._quiet_until is None:
                self._read_job()  # before the slot's messages: a job that has begun gets the grace when it is stopped
            if self._slot.fileno() in readable:
                self._read_slot()
            if not readable or readable - self._usual:  # a template has sent something, or time has passed
                self._templates.check()
            if self._signals.fileno() in readable:
                self._signals.read()
                self._reap()
            if self._attempt is not None and not self._slot.closed:
                self._advance(self._attempt)
        if self._attempt is not None:
            self._attempt.stop("lost")
            self._end(self._attempt, None, None)
        processes.kill_descendants()

    # -- waiting ---------------------------------------------------------------------------------------------------

    def _wait(self) -> set[int]:
        """Wait until something can be read, or is due. Returns the descriptors that can be read."""
        poller = select.poll()
        poller.register(self._slot, select.POLLIN | (select.POLLOUT if self._slot.pending else 0))
        poller.register(self._signals, select.POLLIN)
        if self._alarm.fileno() >= 0:
            poller.register(self._alarm, select.POLLIN)
        reports, quiet = self._attempt.reports if self._attempt is not None else None, self._quiet_until is not None
        if reports is not None and (reports.pending or not quiet):
            poller.register(reports, (0 if quiet else select.POLLIN) | (select.POLLOUT if reports.pending else 0))
        for channel in self._templates.channels:
            poller.register(channel, select.POLLIN)
        self._set_alarm()
        ready = {descriptor for descriptor, _ in poller.poll(QUIET_S * 1000 if quiet else self._alarm.wait_ms())}
        self._slot.flush()
        if reports is not None:
            reports.flush()
        return ready

    def _set_alarm(self) -> None:
        """Make the wait end in time. An earlier alarm of another job is left: it only ends one wait too soon."""
        due = min(
            self._attempt.due() if self._attempt is not None else math.inf,
            self._update_at if self._updates else math.inf,
            self._templates.due(),
        )
        if due < self._alarm_at or self._alarm_at <= clock.boot_time():
            self._alarm_at = due
            self._alarm.set(None if due == math.inf else due)

    # -- the slot --------------------------------------------------------------------------------------------------

    def _read_slot(self) -> None:
        for message in self._slot.receive():
            if isinstance(message, RunJob):
                self._begin(message)
            elif self._attempt is not None and getattr(message, "execution", "") == self._attempt.job.execution:
                self._obey(self._attempt, message)

    def _begin(self, job: RunJob) -> None:
        try:
            self._attempt = Attempt(job, self._standbys)
        except XpmError as error:
            problem = failure.from_text(type(error).__name__, str(error))
            self._slot.send(AttemptEnded(job.execution, "failed", problem, None, None))

    def _obey(self, attempt: Attempt, message: Message) -> None:
        if isinstance(message, LeaseRenewed):
            attempt.renew(message.lease_until)
        elif isinstance(message, StopJob):
            attempt.stop(message.reason, message.grace_s)

    # -- the job ---------------------------------------------------------------------------------------------------

    def _advance(self, attempt: Attempt) -> None:
        """Let the attempt do what is due, and send the slot what is new."""
        had_begun = attempt.begun
        try:
            attempt.tick()
        except OSError as error:  # no process or no memory left
            self._end(attempt, None, None, error)
            return
        now = clock.boot_time()
        if attempt.begun and not had_begun:
            self._quiet_until = now + QUIET_S
        elif self._quiet_until is not None and now >= self._quiet_until:
            self._quiet_until = None
            self._slot.send(AttemptStarted(attempt.job.execution, attempt.pid, attempt.number))
        if attempt.stopped and not attempt.pid:
            self._end(attempt, None, None)
        if self._updates and now >= self._update_at and not self._slot.pending:
            self._send_updates()

    def _send_updates(self) -> None:
        for update in self._updates.values():
            self._slot.send(update)
        self._updates.clear()
        self._update_at = clock.boot_time() + UPDATE_S

    def _read_job(self) -> None:
        attempt = self._attempt
        if attempt is None or attempt.reports is None:
            return
        try:
            for message in attempt.reports.receive():
                self._take_report(attempt, message)
        except ProtocolError:  # the job's code wrote nonsense: nothing more is read, and the exit code decides
            attempt.reports.close()
        if attempt.reports.closed:
            attempt.reports.close()
            attempt.reports = None
            attempt.reports_ended()

    def _take_report(self, attempt: Attempt, message: Message) -> None:
        if isinstance(message, TaskFinished):
            attempt.finished = message
        elif isinstance(message, OutputRegistered):
            self._slot.send(message)
        elif isinstance(message, StatusUpdate) and (message.kind in self._updates or len(self._updates) < MOST_KINDS):
            self._updates[message.kind] = message
        elif isinstance(message, TaskLoaded):
            attempt.loaded(message)
        elif isinstance(message, TaskRan):
            attempt.ran = message.document
        elif isinstance(message, ResultsReported):
            attempt.reported = message.summary
        elif isinstance(message, ClosingFiles):
            attempt.closing()
        elif isinstance(message, StandbyReady) and not attempt.begun:
            self._templates.check()  # first the messages that its template has sent before
            attempt.begin(message)
            self._quiet_until = clock.boot_time() + QUIET_S

    def _reap(self) -> None:
        """Reap all children that have ended: the job's process, and what it left behind."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
                if not pid:
                    return
                self._standbys.forget(pid)
                self._read_job()  # if a template forked the job, a message says which process it is
                if self._attempt is not None and pid == self._attempt.pid:
                    self._end(self._attempt, status, usage)

    def _end(self, attempt: Attempt, status: int | None, usage: Any, error: OSError | None = None) -> None:
        if attempt.reports is not None:
            attempt.reports.close()
        self._attempt = None
        self._quiet_until = None
        if self._updates:
            self._send_updates()
        if error is not None:
            attempt.finished = TaskFinished(False, failure.from_error(error))
        self._slot.send(attempt.end(status, usage))

    def _close_inherited(self) -> None:
        """In a process forked from this one, close the descriptors that belong to the starter."""
        self._slot.close()
        self._signals.close()
        self._alarm.close()
        self._standbys.close_inherited()
        if self._attempt is not None:
            self._attempt.close_inherited()
