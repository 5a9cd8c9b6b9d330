"""Standbys: processes that are started in advance, each for one job.

A standby is forked by the starter or by a template. Where fork is unsafe (macOS), it is a fresh interpreter. The cost
of a new process is paid while the job before still runs (template/pages.py). Owns: the starter's side of a standby; the
process itself is job/standby.py.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass

from xpm_worker.job import streams
from xpm_worker.job.standby import stand_by
from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.codec import LARGEST_REPORT
from xpm_worker.protocol.messages import RunJob, StandbyReady
from xpm_worker.system import signals
from xpm_worker.template import rehearsal

SPAWN = sys.platform == "darwin"
"""Whether each job gets a fresh interpreter."""

_SPAWNED = "import sys; sys.path.pop(0); from xpm_worker.starter.launch import spawned; spawned(int(sys.argv[1]))"


@dataclass
class Standby:
    """A standby as its starter sees it.

    Attributes:
        channel: The way to the process.
        ready: The message with its process id; None until the process is known to exist.
    """

    channel: Channel
    ready: StandbyReady | None = None

    @property
    def pid(self) -> int:
        """Its process id; 0 until this is known."""
        return 0 if self.ready is None else self.ready.pid

    def receive(self) -> None:
        """Note whether the process has sent that it is ready, or is gone."""
        for message in self.channel.receive():
            if isinstance(message, StandbyReady):
                self.ready = message

    def run(self, job: RunJob) -> Channel:
        """Send it a job. Returns the channel over which the job reports."""
        self.channel.send(job)
        return self.channel


def pair() -> tuple[Standby, socket.socket]:
    """Return a standby whose process is not started yet, and the end of its socket that the process must get."""
    ours, theirs = socket.socketpair()
    return Standby(Channel(ours, receives=LARGEST_REPORT)), theirs


def launch(close_inherited: Callable[[], None]) -> Standby:
    """Start a standby from this process, the starter.

    Args:
        close_inherited: Called in a forked child; closes the descriptors that belong to the starter.

    Raises:
        OSError: No process or no socket can be made.
    """
    standby, theirs = pair()
    with theirs:
        if SPAWN:
            standby.ready = StandbyReady(_spawn(theirs))
            return standby
        starter = os.getpid()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # until the child no longer ignores it
        try:
            pid = os.fork()
            if pid == 0:
                standby.channel.close()
                close_inherited()
                signals.reset_signals()
                stand_by(theirs, starter)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    standby.ready = StandbyReady(pid)
    return standby


def _spawn(theirs: socket.socket) -> int:
    theirs.set_inheritable(True)
    return os.posix_spawn(sys.executable, [sys.executable, "-c", _SPAWNED, str(theirs.fileno())], os.environ)


def spawned(fd: int) -> None:
    """Be a standby, in a fresh interpreter.

    Args:
        fd: Descriptor of the socket to the starter.
    """
    sock = socket.socket(fileno=fd)
    sock.set_inheritable(False)
    streams.open_text()
    signals.reset_signals()
    stand_by(sock, os.getppid(), rehearsal.warm)
