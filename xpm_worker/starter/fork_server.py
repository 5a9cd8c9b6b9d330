"""The fork server: a small clean interpreter, from which the starter of each slot is forked.

The daemon starts it as a new program, with an environment without secrets (environment.py). It has imported neither
redis nor rq. So the process of a job inherits no connection, no password and no thread. Owns: the warming of what jobs
will use, and the end of what a dead starter left behind.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import traceback

from xpm_worker.job import streams
from xpm_worker.starter import stacks
from xpm_worker.starter.main import Starter
from xpm_worker.system import kernel, marks, processes, signals
from xpm_worker.template import rehearsal

REHEARSALS = 20
"""How many times the steps of a job are taken before there is a job. Python adapts its code to what it does often."""


def main(control: int) -> None:
    """Be the fork server, in the process that the daemon made (daemon.py).

    Args:
        control: Descriptor of the socket over which slots ask for starters.
    """
    kernel.set_name(kernel.STARTER_NAME)
    signals.reset_signals(signal.SIGINT, signal.SIGTERM)
    stacks.listen()
    kernel.adopt_orphans()
    streams.open_text()
    sock = socket.socket(fileno=control)
    sock.set_inheritable(False)
    _warm()
    ForkServer(sock).serve()
    with contextlib.suppress(OSError):
        rehearsal.sweep()


def _warm() -> None:
    """Do in advance what each process of a job will do, so that it inherits all imports and first calls."""
    compile("def warm(x: int) -> int:\n    return x + 1\n", "<warm>", "exec")
    with contextlib.suppress(LookupError):
        "warm".encode("utf-8", "backslashreplace").decode("utf-8")
    gc.collect()
    gc.freeze()  # each rehearsal collects: it need not look at all that was imported
    with contextlib.suppress(Exception):  # there may be no folder for it; jobs run without
        for _ in range(REHEARSALS):
            rehearsal.warm()
    gc.collect()
    gc.freeze()


class ForkServer:
    """Forks the starters of slots, and kills the processes that a dead starter left behind.

    Args:
        control: The socket over which slots ask.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._signals = signals.SignalPipe(signal.SIGCHLD)
        self._starters: set[int] = set()

    def serve(self) -> None:
        """Serve until no slot is left that could ask, and no starter."""
        poller = select.poll()
        poller.register(self._signals, select.POLLIN)
        poller.register(self._control, select.POLLIN)
        may_be_asked = True
        while may_be_asked or self._starters:
            events = dict(poller.poll())
            self._signals.read()
            self._reap()
            if self._control.fileno() in events and may_be_asked:
                may_be_asked = self._answer()
                if not may_be_asked:
                    poller.unregister(self._control)

    def _answer(self) -> bool:
        """Answer one request. Returns false when nobody is left to send one."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
        except ConnectionError:
            return False
        for descriptor in descriptors:
            self._fork(socket.socket(fileno=descriptor))
        return bool(data)

    def _fork(self, sock: socket.socket) -> None:
        pid = os.fork()
        if pid:
            self._starters.add(pid)
            sock.close()
            return
        try:
            self._signals.close()
            self._control.close()
            mark = os.urandom(16).hex()
            kernel.adopt_orphans()
            Starter(sock, mark if marks.set_mark(mark) else "").serve()
            os._exit(0)
        except BaseException:  # the edge of this process; its slot sees the end of the socket
            traceback.print_exc()
        finally:
            os._exit(1)

    def _reap(self) -> None:
        """Reap the starters that ended, and kill what they left: it has become a child of this process."""
        with contextlib.suppress(ChildProcessError):
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) > 0:
                self._starters.discard(pid)
        own = os.getpid()
        orphans = [pid for pid, parent in processes.parents() if parent == own and pid not in self._starters]
        processes.send_signal(orphans, signal.SIGKILL)
