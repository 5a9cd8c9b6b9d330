"""The mother starter: a small clean interpreter, from which each slot's own starter is forked.

It is exec'd by the daemon with the worker's environment less all Redis settings, and has imported neither redis nor rq,
so that a job's process inherits no connection, no credential and no thread. Owns: the environment and the start of
the mother, and how a worker asks it for a starter.
"""

from __future__ import annotations

import contextlib
import gc
import os
import re
import select
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from xpm_worker.job import main as job_process
from xpm_worker.starter import stacks
from xpm_worker.starter.main import SlotStarter
from xpm_worker.system import kernel, marks, processes, signals
from xpm_worker.template import rehearsal

_BOOTSTRAP = "import sys; sys.path.pop(0); from xpm_worker.starter.fork_server import main; main(int(sys.argv[1]))"
"""Not `-m`: that would put the daemon's working directory in front of `sys.path`, also in jobs."""

REHEARSALS = 20
"""How often a job's steps are taken before there is any: Python adapts its code to what it does often."""

_SECRET_NAME = re.compile(r"XPM_SIGNING_KEY|XPM_REDIS_URL|REDIS_URL|REDISCLI_AUTH|RQ_.*")
_REDIS_VALUE = re.compile(r"\b(?:redis|rediss|valkey|valkeys)(?:\+[a-z]+)?://", re.IGNORECASE)


def clean_environment(
    environment: Mapping[str, str], url: str, pythonpath: Sequence[str] = (), *, key: bytes | None = None
) -> dict[str, str]:
    """The environment of starters and jobs: the worker's, less its secrets and whatever tells how to reach Redis.

    Args:
        environment: The worker's.
        url: The address in use; a variable that holds it, or its password, is left out.
        pythonpath: Folders in which jobs, and what they start, look for modules first.
        key: The key that jobs are signed with; a variable that holds it is left out.
    """
    secrets = [urlsplit(url).password or "", (key or b"").decode("utf-8", "surrogateescape")]

    def tells(name: str, value: str) -> bool:
        """Whether a variable tells a secret. Short ones are too likely to stand in others by chance."""
        if _SECRET_NAME.fullmatch(name) or _REDIS_VALUE.search(value) or (url and url in value):
            return True
        return any(secret and (value == secret or (len(secret) >= 8 and secret in value)) for secret in secrets)

    kept = {name: value for name, value in environment.items() if not tells(name, value)}
    if pythonpath:
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, [*pythonpath, kept.get("PYTHONPATH", "")]))
    return kept


def start_mother(control: socket.socket, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a mother, in a session of its own.

    Args:
        control: Its end of the socket over which workers ask (`ask`). It ends when all other ends are closed.
        environment: See `clean_environment`.
    """
    return subprocess.Popen(
        [sys.executable, "-c", _BOOTSTRAP, str(control.fileno())],
        env={**environment, marks.MARK_VARIABLE: marks.BLANK_MARK},
        stdin=subprocess.DEVNULL,
        pass_fds=[control.fileno()],
        start_new_session=True,
    )


def ask(control: socket.socket) -> socket.socket:
    """Ask the mother for a starter of one's own. Returns the way to it, over which a Hello comes first."""
    ours, theirs = socket.socketpair()
    with theirs:
        socket.send_fds(control, [b"+"], [theirs.fileno()])
    return ours


def main(control: int) -> None:
    """Be the mother.

    Args:
        control: Descriptor of the socket over which workers ask.
    """
    kernel.set_name(kernel.STARTER_NAME)
    signals.reset_signals(signal.SIGINT, signal.SIGTERM)
    stacks.listen()
    kernel.adopt_orphans()
    job_process.open_streams()
    sock = socket.socket(fileno=control)
    sock.set_inheritable(False)
    _warm()
    Mother(sock).serve()
    with contextlib.suppress(OSError):
        rehearsal.sweep()


def _warm() -> None:
    """Do what each job's process will do, so that it finds it done: imports, and first runs of all that it calls."""
    compile("def warm(x: int) -> int:\n    return x + 1\n", "<warm>", "exec")
    with contextlib.suppress(LookupError):
        "warm".encode("utf-8", "backslashreplace").decode("utf-8")
    with contextlib.suppress(Exception):  # there is no folder for it: jobs can do without
        for _ in range(REHEARSALS):
            rehearsal.warm()
    gc.collect()
    gc.freeze()


class Mother:
    """Forks slots' starters, and kills what one that died left behind."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._signals = signals.SignalPipe(signal.SIGCHLD)
        self._slots: set[int] = set()

    def serve(self) -> None:
        """Serve until no worker is left that could ask, and no starter."""
        poller = select.poll()
        poller.register(self._signals, select.POLLIN)
        poller.register(self._control, select.POLLIN)
        asked = True
        while asked or self._slots:
            events = dict(poller.poll())
            self._signals.read()
            self._reap()
            if self._control.fileno() in events and asked:
                asked = self._answer()
                if not asked:
                    poller.unregister(self._control)

    def _answer(self) -> bool:
        """Take one request. Returns false when nobody is left to make one."""
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
            self._slots.add(pid)
            sock.close()
            return
        try:
            self._signals.close()
            self._control.close()
            mark = os.urandom(16).hex()
            kernel.adopt_orphans()
            SlotStarter(sock, mark if marks.set_mark(mark) else "").serve()
            os._exit(0)
        except BaseException:  # the edge of this process; its worker sees the end of the socket
            traceback.print_exc()
        finally:
            os._exit(1)

    def _reap(self) -> None:
        """Take up the starters that ended; whatever else is a child of ours by now had one that was killed."""
        with contextlib.suppress(ChildProcessError):
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) > 0:
                self._slots.discard(pid)
        own = os.getpid()
        strangers = [pid for pid, parent in processes.parents() if parent == own and pid not in self._slots]
        processes.send_signal(strangers, signal.SIGKILL)
