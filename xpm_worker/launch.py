"""Starting a job's process: by fork from the starter, or, where fork is unsafe (macOS), as a fresh interpreter."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from collections.abc import Callable

from xpm_worker import job_process
from xpm_worker.protocol import LARGEST_REPORT, Channel, Run

SPAWN = sys.platform == "darwin"
"""Whether jobs get a fresh interpreter."""

_SPAWNED = "import sys; sys.path.pop(0); from xpm_worker.launch import spawned; spawned(int(sys.argv[1]))"


def launch(job: Run, leave_starter: Callable[[], None]) -> tuple[int, Channel]:
    """Start the process of a job.

    Args:
        job: What it runs.
        leave_starter: Called in a forked child: closes what belongs to the starter.

    Returns:
        Its process id, and the way by which it reports.
    """
    ours, theirs = socket.socketpair()
    if SPAWN:
        return _spawn(job, ours, theirs)
    starter = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # until the child has a handler of it
    pid = os.fork()
    if pid == 0:
        leave_starter()
        ours.close()
        job_process.run(job, theirs, starter, announce=SPAWN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    theirs.close()
    return pid, Channel(ours, LARGEST_REPORT)


def _spawn(job: Run, ours: socket.socket, theirs: socket.socket) -> tuple[int, Channel]:
    theirs.set_inheritable(True)
    command = [sys.executable, "-c", _SPAWNED, str(theirs.fileno())]
    pid = os.posix_spawn(sys.executable, command, os.environ)
    theirs.close()
    channel = Channel(ours)
    channel.send(job)
    while channel.pending and not channel.closed:
        select.select([], [channel], [], 1.0)
        channel.flush()
    return pid, channel


def spawned(fd: int) -> None:
    """Be a job's process that was spawned: what to run comes first over the socket."""
    sock = socket.socket(fileno=fd)
    sock.set_inheritable(False)
    starter = os.getppid()
    channel = Channel(sock)
    while not channel.closed:
        select.select([channel], [], [])
        for message in channel.receive():
            if isinstance(message, Run):
                job_process.run(message, sock, starter)
