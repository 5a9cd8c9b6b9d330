"""A process that stands by for a job: it waits until there is one, runs it, and ends with it.

The starter's side is in launch.py.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
from collections.abc import Callable
from typing import NoReturn

from xpm_worker.job import main as job_process
from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.codec import LARGEST_REPORT
from xpm_worker.protocol.messages import Begun, Run
from xpm_worker.system import kernel


def stand_by(
    sock: socket.socket, starter: int, prepare: Callable[[], object] | None = None, *, announce: bool = False
) -> NoReturn:
    """Get ready, wait for a job, run it, and end with it.

    Args:
        sock: The way to the starter. When it is closed before a job has come, the process ends.
        starter: Its process id.
        prepare: Called before a job is waited for.
        announce: Whether the starter has to be told which process this is.
    """
    try:
        kernel.die_with_parent(starter)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # whatever a package has made of it: there is no job yet
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        kernel.set_name(kernel.STANDBY_NAME)
        channel = Channel(sock, sends=LARGEST_REPORT)
        if announce:
            channel.send(Begun(os.getpid()))
        if prepare is not None:
            with contextlib.suppress(Exception):  # a job can do without
                prepare()
        gc.freeze()  # what there is now is not the job's: see leaving.py
        job = awaited(channel)
        if job is not None:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # until the job has a handler of it
            job_process.run(job, channel)
    finally:
        os._exit(1)


def awaited(channel: Channel) -> Run | None:
    """The job that comes over a channel; None when the other end is closed first."""
    while not channel.closed:
        select.select([channel], [], [])
        for message in channel.receive():
            if isinstance(message, Run):
                return message
    return None
