"""A standby: a process that waits for a job, runs it, and ends with it.

The starter's side is starter/launch.py.
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
from xpm_worker.protocol.messages import RunJob, StandbyReady
from xpm_worker.system import kernel


def stand_by(
    sock: socket.socket, starter: int, prepare: Callable[[], object] | None = None, *, announce: bool = False
) -> NoReturn:
    """Get ready, wait for a job, run it, and end this process.

    Args:
        sock: The way to the starter. If the starter closes it before it sends a job, this process ends.
        starter: Process id of the starter.
        prepare: Called before the wait.
        announce: Whether to send the starter this process's id.
    """
    try:
        kernel.die_with_parent(starter)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a package may have set a handler, but there is no job yet
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        kernel.set_name(kernel.STANDBY_NAME)
        channel = Channel(sock, sends=LARGEST_REPORT)
        if announce:
            channel.send(StandbyReady(os.getpid()))
        if prepare is not None:
            with contextlib.suppress(Exception):  # the job can run without
                prepare()
        gc.freeze()  # objects that exist now are not the job's, see leaving.py
        job = wait_for_job(channel)
        if job is not None:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # until the job has set its handler
            job_process.run(job, channel)
    finally:
        os._exit(1)


def wait_for_job(channel: Channel) -> RunJob | None:
    """Wait for a job, and return it; None if the other end is closed first."""
    while not channel.closed:
        select.select([channel], [], [])
        for message in channel.receive():
            if isinstance(message, RunJob):
                return message
    return None
