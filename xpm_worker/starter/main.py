"""A slot's own starter: runs one job at a time for one worker, and guards its lease.

The worker's end of the socket is its life: when the worker is gone, the job's processes are killed, and so ends the
starter. Owns: the loop that waits for the worker, the job, the clock and the end of processes.
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
    Begun,
    Ended,
    Finished,
    Hello,
    Leaving,
    Loaded,
    Message,
    Output,
    Relay,
    Renewed,
    Run,
    Started,
    Stop,
)
from xpm_worker.starter.attempt import Attempt
from xpm_worker.starter.launch import SPAWN
from xpm_worker.starter.standbys import Standbys
from xpm_worker.starter.templates import TEMPLATES_VARIABLE, Templates
from xpm_worker.system import clock, processes, signals

RELAY_S = 0.2
"""The least time between two words of one kind that a job tells while it runs; of those between, the last counts."""

QUIET_S = 0.02
"""For so long after its start nobody listens to a job: what a short one says is heard at its end, all at once."""

MOST_KINDS = 16
"""How many kinds of words are kept between two times; those of further kinds are dropped."""


class SlotStarter:
    """Serves one worker.

    Args:
        sock: The way to the worker.
        mark: What the environment of this process and all its descendants shows; empty where it cannot.
    """

    def __init__(self, sock: socket.socket, mark: str) -> None:
        self._worker = Channel(sock)
        self._signals = signals.SignalPipe(signal.SIGCHLD)
        self._usual = {self._worker.fileno(), self._signals.fileno()}
        self._alarm = clock.Alarm()
        self._alarm_at = math.inf
        self._attempt: Attempt | None = None
        self._quiet_until: float | None = None
        """While nobody listens to the job; its worker is not told yet that it has started."""
        self._relays: dict[str, Relay] = {}
        self._relay_at = 0.0
        self._mark = mark
        self._templates = Templates(self._leave, os.environ.get(TEMPLATES_VARIABLE) != "0" and not SPAWN)
        self._standbys = Standbys(self._leave, self._templates)

    def serve(self) -> None:
        """Serve until the worker is gone."""
        self._worker.send(Hello(self._mark, os.getpid()))
        if self._templates.plain() is None:
            self._standbys.prepare(None)
        while not self._worker.closed:
            told = self._wait()
            if self._quiet_until is None:
                self._hear_job()  # before the worker tells to end it: one that has begun is given time
            if self._worker.fileno() in told:
                self._hear_worker()
            if not told or told - self._usual:  # by a template; or time has passed
                self._templates.tend()
            if self._signals.fileno() in told:
                self._signals.read()
                self._reap()
            if self._attempt is not None and not self._worker.closed:
                self._advance(self._attempt)
        if self._attempt is not None:
            self._attempt.stop("lost")
            self._end(self._attempt, None, None)
        processes.kill_descendants()

    # -- waiting ---------------------------------------------------------------------------------------------------

    def _wait(self) -> set[int]:
        """Wait until something is told, or it is time for something. Returns the descriptors that tell something."""
        poller = select.poll()
        poller.register(self._worker, select.POLLIN | (select.POLLOUT if self._worker.pending else 0))
        poller.register(self._signals, select.POLLIN)
        if self._alarm.fileno() >= 0:
            poller.register(self._alarm, select.POLLIN)
        reports, quiet = self._attempt.reports if self._attempt is not None else None, self._quiet_until is not None
        if reports is not None and (reports.pending or not quiet):
            poller.register(reports, (0 if quiet else select.POLLIN) | (select.POLLOUT if reports.pending else 0))
        for channel in self._templates.channels:
            poller.register(channel, select.POLLIN)
        self._set_alarm()
        told = {descriptor for descriptor, _ in poller.poll(QUIET_S * 1000 if quiet else self._alarm.wait_ms())}
        self._worker.flush()
        if reports is not None:
            reports.flush()
        return told

    def _set_alarm(self) -> None:
        """Have the wait end in time. An earlier alarm of another job is left as it is: it ends a wait for nothing."""
        due = min(
            self._attempt.due() if self._attempt is not None else math.inf,
            self._relay_at if self._relays else math.inf,
            self._templates.due(),
        )
        if due < self._alarm_at or self._alarm_at <= clock.boot_time():
            self._alarm_at = due
            self._alarm.set(None if due == math.inf else due)

    # -- the worker ------------------------------------------------------------------------------------------------

    def _hear_worker(self) -> None:
        for message in self._worker.receive():
            if isinstance(message, Run):
                self._begin(message)
            elif self._attempt is not None and getattr(message, "execution", "") == self._attempt.run.execution:
                self._obey(self._attempt, message)

    def _begin(self, run: Run) -> None:
        try:
            self._attempt = Attempt(run, self._standbys)
        except XpmError as error:
            self._worker.send(_unstarted(run, error))

    def _obey(self, attempt: Attempt, message: Message) -> None:
        if isinstance(message, Renewed):
            attempt.renew(message.lease_until)
        elif isinstance(message, Stop):
            attempt.stop(message.reason, message.grace_s)

    # -- the job ---------------------------------------------------------------------------------------------------

    def _advance(self, attempt: Attempt) -> None:
        """Let the clock do its work, and tell the worker what is new."""
        begun = attempt.begun
        try:
            attempt.tick()
        except OSError as error:  # no process or no memory left
            self._end(attempt, None, None, error)
            return
        now = clock.boot_time()
        if attempt.begun and not begun:
            self._quiet_until = now + QUIET_S
        elif self._quiet_until is not None and now >= self._quiet_until:
            self._quiet_until = None
            self._worker.send(Started(attempt.run.execution, attempt.pid, attempt.number))
        if attempt.stopped and not attempt.pid:
            self._end(attempt, None, None)
        if self._relays and now >= self._relay_at and not self._worker.pending:
            self._pass_on_relays()

    def _pass_on_relays(self) -> None:
        for relay in self._relays.values():
            self._worker.send(relay)
        self._relays.clear()
        self._relay_at = clock.boot_time() + RELAY_S

    def _hear_job(self) -> None:
        attempt = self._attempt
        if attempt is None or attempt.reports is None:
            return
        try:
            for message in attempt.reports.receive():
                if isinstance(message, Finished):
                    attempt.finished = message
                elif isinstance(message, Output):
                    self._worker.send(message)
                elif isinstance(message, Relay) and (message.kind in self._relays or len(self._relays) < MOST_KINDS):
                    self._relays[message.kind] = message
                elif isinstance(message, Loaded):
                    attempt.loaded(message)
                elif isinstance(message, Leaving):
                    attempt.leaving()
                elif isinstance(message, Begun) and not attempt.begun:
                    self._templates.tend()  # what its template has said before
                    attempt.begin(message)
                    self._quiet_until = clock.boot_time() + QUIET_S
        except ProtocolError:  # the job wrote nonsense: it is heard no more, and ends as its exit code says
            attempt.reports.close()
        if attempt.reports.closed:
            attempt.reports.close()
            attempt.reports = None
            attempt.forsaken()

    def _reap(self) -> None:
        """Take up all children that have ended: the job's process, and what it left behind."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
                if not pid:
                    return
                self._standbys.forget(pid)
                self._hear_job()  # also which process it is, if it was forked by a template
                if self._attempt is not None and pid == self._attempt.pid:
                    self._end(self._attempt, status, usage)

    def _end(self, attempt: Attempt, status: int | None, usage: Any, error: OSError | None = None) -> None:
        if attempt.reports is not None:
            attempt.reports.close()
        self._attempt = None
        self._quiet_until = None
        if self._relays:
            self._pass_on_relays()
        if error is not None:
            attempt.finished = Finished(False, failure.summarize(error))
        self._worker.send(attempt.end(status, usage))

    def _leave(self) -> None:
        """In a process forked for a job: close what belongs to the starter."""
        self._worker.close()
        self._signals.close()
        self._alarm.close()
        self._standbys.leave()
        if self._attempt is not None:
            self._attempt.leave()


def _unstarted(run: Run, error: XpmError) -> Ended:
    return Ended(run.execution, "failed", failure.plain(type(error).__name__, str(error)), None, None)
