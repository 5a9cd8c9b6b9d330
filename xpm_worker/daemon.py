"""The daemon: the parent of its slots, and of the mother of their starters.

Owns: how many there are of each, who dies with whom, and what the daemon's signals mean to its slots. Slots
are forked from this one process, which has loaded everything and holds no connection; a slot that died is forked again.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import subprocess
from typing import NoReturn

from xpm_core.backoff import Backoff
from xpm_core.errors import XpmError
from xpm_core.server.embedded.server import EmbeddedServer
from xpm_worker.slot.main import Place, work
from xpm_worker.slot.orders import SIGNALS, Stop, stricter
from xpm_worker.starter.fork_server import clean_environment, start_mother
from xpm_worker.system import clock, kernel, marks, processes, signals

log = logging.getLogger(__name__)

TICK_S = 1.0
"""How often the daemon looks after its workspace, its server and what it has to start again."""

FIRST_REST_S, LONGEST_REST_S = 0.1, 10.0
"""How long it waits before it starts something again that keeps dying."""

MOTHER_END_S = 10.0


class Daemon:
    """Runs the slots of one `xpm-worker`.

    Args:
        place: Where they work.
        mothers_end: The mother's end of `place.control`. It is kept here, so that another mother can take over.
        server: The workspace's own server, if that is the one in use: this process counts as its user.
    """

    def __init__(self, place: Place, mothers_end: socket.socket, server: EmbeddedServer | None) -> None:
        self._place = place
        self._mothers_end = mothers_end
        self._server = server
        self._home = kernel.hold_directory(place.workspace.path)
        self._slots: dict[int, int] = {}
        self._waiting: list[int] = []
        self._backoff = Backoff(FIRST_REST_S, LONGEST_REST_S)
        self._rest_until = 0.0
        self._told = Stop.NONE
        self._pid = os.getpid()
        settings = place.settings
        self._environment = clean_environment(os.environ, place.url, settings.pythonpath, key=settings.signing_key)
        name = f"{settings.name or place.host}-{os.urandom(4).hex()}"
        self._names = [f"{name}.{number}" for number in range(settings.slots)]
        """Alike but for the number: what one cannot import is noted of all (store/refusals.py)."""
        self._mother: subprocess.Popen[bytes] | None = None
        self._mother_started = 0.0
        heeded = [signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, *signals.AS_SIGTERM]
        if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:  # under nohup
            heeded.remove(signal.SIGHUP)
        self._signals = signals.SignalPipe(*heeded)

    def run(self) -> None:
        """Run until all slots have left."""
        marks.sweep_orphans()
        self._start_mother()
        self._waiting = list(range(self._place.settings.slots))
        while self._slots or (self._waiting and not self._told):
            self._start_slots()
            select.select([self._signals], [], [], TICK_S)
            for number in self._signals.read():
                if number != signal.SIGCHLD:
                    self._pass_on(number)
            self._reap()
            self._look_after_workspace()
            self._look_after_server()
        self._end_mother()

    # -- slots -----------------------------------------------------------------------------------------------------

    def _start_slots(self) -> None:
        if self._told or clock.boot_time() < self._rest_until:
            return
        for number in self._waiting:
            pid = os.fork()
            if not pid:
                self._be_slot(number)
            self._slots[pid] = number
        self._waiting.clear()

    def _be_slot(self, number: int) -> NoReturn:
        """Be a slot, in the process that was just forked, and end with it."""
        code = 1
        try:
            kernel.die_with_parent(self._pid)
            signals.reset_signals()
            self._signals.close()
            self._mothers_end.close()
            os.close(self._home)
            os.setsid()  # a terminal's Ctrl-C goes to the daemon alone, which passes it on
            work(self._place, self._names[number])
            code = 0
        except BaseException:  # the edge of the process
            log.exception("slot %d", number)
        finally:
            logging.shutdown()
            os._exit(code)

    def _pass_on(self, number: signal.Signals) -> None:
        if self._told and number == signal.SIGHUP:  # a terminal that closes hangs up once, and its shell once more
            return
        self._leave(stricter(self._told, number), number.name)

    def _leave(self, how: Stop, why: str) -> None:
        self._told = how
        log.info("%s: %s", why, "leaving at once" if how is Stop.AT_ONCE else "leaving")
        processes.send_signal(list(self._slots), SIGNALS[how])

    def _reap(self) -> None:
        rested = clock.boot_time() - self._mother_started > TICK_S
        if self._mother is not None and self._mother.poll() is not None and rested:
            log.warning("the mother of starters died; starting another")
            self._start_mother()
        for pid in list(self._slots):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self._left(self._slots.pop(pid), os.waitstatus_to_exitcode(status))

    def _left(self, number: int, code: int) -> None:
        """A slot has ended: one that left by itself stays away."""
        if code == 0 or self._told:
            return
        log.warning("%s ended with %d; starting another", self._names[number], code)
        # A name of its own: what RQ's tools and cancels say of the dead one does not concern its successor.
        self._names[number] = f"{self._names[number].rpartition('-')[0]}-{os.urandom(4).hex()}.{number}"
        self._waiting.append(number)
        now = clock.boot_time()
        if now - self._rest_until < LONGEST_REST_S:
            self._rest_until = now + self._backoff.next_s()
        else:  # the first one for long: no rest
            self._rest_until = now
            self._backoff.reset()

    # -- what slots need -------------------------------------------------------------------------------------------

    def _look_after_workspace(self) -> None:
        """Leave if the workspace was removed: what its jobs compute can be kept nowhere."""
        if self._told is not Stop.AT_ONCE and kernel.is_removed(self._home):
            self._leave(Stop.AT_ONCE, f"workspace {self._place.workspace.path}: its directory was removed")

    def _look_after_server(self) -> None:
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

    def _start_mother(self) -> None:
        self._mother = start_mother(self._mothers_end, self._environment)
        self._mother_started = clock.boot_time()

    def _end_mother(self) -> None:
        """The slots are gone: so goes the mother, once nobody can ask her any more."""
        self._place.control.close()
        self._mothers_end.close()
        if self._mother is not None:
            try:
                self._mother.wait(MOTHER_END_S)
            except subprocess.TimeoutExpired:
                self._mother.kill()
                self._mother.wait()
