"""The daemon: the parent of its slots, and of the fork server.

Owns: how many slots there are, which process dies with which, and what the daemon's signals mean to its slots. Slots
are forked from the daemon, which has loaded everything and holds no connection. A slot that died is forked again.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import NoReturn

from xpm_core.backoff import Backoff
from xpm_core.errors import XpmError
from xpm_core.job.environment import clean_environment
from xpm_core.server.embedded.server import EmbeddedServer
from xpm_core.snapshot.trees.removal import remove_unused
from xpm_worker.mark import DaemonMark
from xpm_worker.slot.main import SlotContext, work
from xpm_worker.slot.orders import SIGNALS, Shutdown, stricter
from xpm_worker.system import clock, files, kernel, marks, processes, signals

log = logging.getLogger(__name__)

TICK_S = 1.0
"""How often the daemon checks its workspace, its server and the processes to start again, seconds."""

FIRST_REST_S, LONGEST_REST_S = 0.1, 10.0
"""Pauses before it starts a slot again that keeps dying, seconds."""

ORDERED = 7
"""The exit code of a slot that has left because it was ordered to, from afar."""

_BOOTSTRAP = "import sys; sys.path.pop(0); from xpm_worker.starter.fork_server import main; main(int(sys.argv[1]))"
"""Not `-m`: this would put the daemon's working directory in front of `sys.path`, also in jobs. Nor is the
module imported here: it imports all that a job needs, and the daemon needs none of that."""

FORK_SERVER_END_S = 10.0
"""How long the fork server may take to end, seconds."""


class Daemon:
    """Runs the slots of one `xpm-worker`.

    Args:
        context: What its slots share.
        fork_server_end: The fork server's end of `context.control`. It is kept here, so that another fork server can
            take over.
        server: The workspace's own server, if this one is in use. This process counts as its user.
    """

    def __init__(self, context: SlotContext, fork_server_end: socket.socket, server: EmbeddedServer | None) -> None:
        self._context = context
        self._fork_server_end = fork_server_end
        self._server = server
        self._home = files.hold_directory(context.workspace.path)
        self._slots: dict[int, int] = {}
        """The number of each slot, by process id."""
        self._waiting: list[int] = []
        """Numbers of the slots to start."""
        self._backoff = Backoff(FIRST_REST_S, LONGEST_REST_S)
        self._rest_until = 0.0
        self._shutdown = Shutdown.NONE
        self._all_ordered = True
        self._pid = os.getpid()
        settings = context.settings
        self._environment = clean_environment(os.environ, context.url, settings.pythonpath, key=settings.signing_key)
        name = f"{settings.name or context.host}-{os.urandom(4).hex()}"
        self._name = name
        self._mark = DaemonMark(context.workspace.path, name, context.host)
        self._names = [f"{name}.{number}" for number in range(settings.slots)]
        """The slots' names differ only in the number: a refusal by one of them counts for all (store/refusals.py)."""
        self._died: dict[int, str] = {}
        """The name that a slot had before it died: the next one inherits the order that it had got from afar."""
        self._fork_server: subprocess.Popen[bytes] | None = None
        self._fork_server_started = 0.0
        awaited = [signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, *signals.AS_SIGTERM]
        if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:  # under nohup
            awaited.remove(signal.SIGHUP)
        self._signals = signals.SignalPipe(*awaited)

    def run(self) -> bool:
        """Run until all slots have left. Returns whether each has left because it was ordered to, from afar."""
        marks.sweep_orphans()
        remove_unused()
        self._start_fork_server()
        self._context.facts.about()  # while the fork server imports; the slots inherit it
        self._waiting = list(range(self._context.settings.slots))
        while self._slots or (self._waiting and not self._shutdown):
            self._mark.renew_if_due()  # first, because slots note it
            self._start_slots()
            select.select([self._signals], [], [], TICK_S)
            for number in self._signals.read():
                if number != signal.SIGCHLD:
                    self._pass_on(number)
            self._reap()
            self._check_workspace()
            self._check_server()
        self._mark.remove()
        self._end_fork_server()
        remove_unused()
        return self._all_ordered

    # -- slots -----------------------------------------------------------------------------------------------------

    def _start_slots(self) -> None:
        if self._shutdown or clock.boot_time() < self._rest_until:
            return
        for number in self._waiting:
            pid = os.fork()
            if not pid:
                self._be_slot(number)
            self._slots[pid] = number
        self._waiting.clear()

    def _be_slot(self, number: int) -> NoReturn:
        """Be a slot, in the process that was just forked, and end this process."""
        code = 1
        try:
            kernel.die_with_parent(self._pid)
            signals.reset_signals()
            self._signals.close()
            self._fork_server_end.close()
            os.close(self._home)
            os.setsid()  # a terminal's Ctrl-C goes to the daemon alone, which passes it on
            ordered = work(self._context, self._names[number], self._name, self._died.get(number, ""))
            code = ORDERED if ordered else 0
        except BaseException:  # the edge of the process
            log.exception("slot %d", number)
        finally:
            logging.shutdown()
            os._exit(code)

    def _pass_on(self, number: signal.Signals) -> None:
        if self._shutdown and number == signal.SIGHUP:  # a closing terminal sends it, and its shell again
            return
        self._leave(stricter(self._shutdown, number), number.name)

    def _leave(self, how: Shutdown, why: str) -> None:
        self._shutdown = how
        log.info("%s: %s", why, "leaving at once" if how is Shutdown.AT_ONCE else "leaving")
        processes.send_signal(list(self._slots), SIGNALS[how])

    def _reap(self) -> None:
        rested = clock.boot_time() - self._fork_server_started > TICK_S
        if self._fork_server is not None and self._fork_server.poll() is not None and rested:
            log.warning("the fork server died; starting another")
            self._start_fork_server()
        for pid in list(self._slots):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self._slot_ended(self._slots.pop(pid), os.waitstatus_to_exitcode(status))

    def _slot_ended(self, number: int, code: int) -> None:
        """Have a slot started again if it died. A slot that left by itself is not started again."""
        if code in (0, ORDERED) or self._shutdown:
            self._all_ordered = self._all_ordered and code == ORDERED
            return
        log.warning("%s ended with %d; starting another", self._names[number], code)
        self._died[number] = self._names[number]
        # A name of its own, because RQ's tools and cancellations may still address the dead slot by its name.
        self._names[number] = f"{self._names[number].rpartition('-')[0]}-{os.urandom(4).hex()}.{number}"
        self._waiting.append(number)
        now = clock.boot_time()
        if now - self._rest_until < LONGEST_REST_S:
            self._rest_until = now + self._backoff.next_s()
        else:  # the first death for long: no pause
            self._rest_until = now
            self._backoff.reset()

    # -- what slots need -------------------------------------------------------------------------------------------

    def _check_workspace(self) -> None:
        """Leave if the workspace was removed, because the results of jobs could be kept nowhere."""
        if self._shutdown is not Shutdown.AT_ONCE and files.is_removed(self._home):
            self._leave(Shutdown.AT_ONCE, f"workspace {self._context.workspace.path}: its directory was removed")

    def _check_server(self) -> None:
        """Start the workspace's own server again if it died."""
        if self._server is None:
            return
        try:
            os.kill(self._server.pid, 0)
        except OSError:
            self._revive(self._server)

    def _revive(self, server: EmbeddedServer) -> None:
        try:
            server.revive()
        except XpmError as error:
            log.warning("%s", error)

    def _start_fork_server(self) -> None:
        self._fork_server = start_fork_server(self._fork_server_end, self._environment)
        self._fork_server_started = clock.boot_time()

    def _end_fork_server(self) -> None:
        """End the fork server: it ends when nobody can ask it any more. All slots are gone already."""
        self._context.control.close()
        self._fork_server_end.close()
        if self._fork_server is not None:
            try:
                self._fork_server.wait(FORK_SERVER_END_S)
            except subprocess.TimeoutExpired:
                self._fork_server.kill()
                self._fork_server.wait()


def start_fork_server(control: socket.socket, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a fork server, in a session of its own.

    Args:
        control: The fork server's end of the socket over which slots ask for starters. When all other ends of it are
            closed, and all starters have ended, the fork server ends.
        environment: See `clean_environment`.
    """
    return subprocess.Popen(
        [sys.executable, "-c", _BOOTSTRAP, str(control.fileno())],
        env={**environment, marks.MARK_VARIABLE: marks.BLANK_MARK},
        stdin=subprocess.DEVNULL,
        pass_fds=[control.fileno()],
        start_new_session=True,
    )
