"""Starting jobs' processes ahead: each stands by until there is a job for it to run.

It is forked by the starter or by a template, or, where fork is unsafe (macOS), it is a fresh interpreter. What a new
process costs, it has then paid while the job before it ran: see pages.py. Owns: the way to a process that stands by.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass

from xpm_worker.job import main as job_process
from xpm_worker.job.standby import stand_by
from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.codec import LARGEST_REPORT
from xpm_worker.protocol.messages import Begun, Run
from xpm_worker.system import signals
from xpm_worker.template import rehearsal

SPAWN = sys.platform == "darwin"
"""Whether jobs get a fresh interpreter."""

_SPAWNED = "import sys; sys.path.pop(0); from xpm_worker.starter.launch import spawned; spawned(int(sys.argv[1]))"


@dataclass
class Standby:
    """A process that stands by for one job. `begun` is None until it is known which one it is."""

    channel: Channel
    begun: Begun | None = None

    @property
    def pid(self) -> int:
        """Its process id; 0 while that is not known."""
        return 0 if self.begun is None else self.begun.pid

    def hear(self) -> None:
        """Hear whether it has begun, or is gone."""
        for message in self.channel.receive():
            if isinstance(message, Begun):
                self.begun = message

    def run(self, job: Run) -> Channel:
        """Hand it a job. Returns the way by which the job reports."""
        self.channel.send(job)
        return self.channel


def pair() -> tuple[Standby, socket.socket]:
    """A way to a process that is to stand by, and the end of it that the process gets."""
    ours, theirs = socket.socketpair()
    return Standby(Channel(ours, receives=LARGEST_REPORT)), theirs


def launch(leave_starter: Callable[[], None]) -> Standby:
    """Start a process from this one, the starter.

    Args:
        leave_starter: Called in a forked child: closes what belongs to the starter.

    Raises:
        OSError: No process can be started, or no socket be made.
    """
    standby, theirs = pair()
    with theirs:
        if SPAWN:
            standby.begun = Begun(_spawn(theirs))
            return standby
        starter = os.getpid()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # until the child no longer ignores it
        try:
            pid = os.fork()
            if pid == 0:
                standby.channel.close()
                leave_starter()
                signals.reset_signals()
                stand_by(theirs, starter)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    standby.begun = Begun(pid)
    return standby


def _spawn(theirs: socket.socket) -> int:
    theirs.set_inheritable(True)
    return os.posix_spawn(sys.executable, [sys.executable, "-c", _SPAWNED, str(theirs.fileno())], os.environ)


def spawned(fd: int) -> None:
    """Be a job's process that was spawned."""
    sock = socket.socket(fileno=fd)
    sock.set_inheritable(False)
    job_process.open_streams()
    signals.reset_signals()
    stand_by(sock, os.getppid(), rehearsal.warm)
