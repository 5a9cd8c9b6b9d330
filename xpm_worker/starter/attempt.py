"""One execution of a job, as its starter sees it: prepared, running, frozen, ended.

Owns: when the job may run (only while its lease does), when it must end, and what is written down about it.
"""

from __future__ import annotations

import contextlib
import math
import os
import platform
import signal
import socket
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from xpm_core.errors import WorkspaceError
from xpm_worker.job import failure
from xpm_worker.job import main as job_process
from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.messages import Begun, Ended, Finished, Loaded, Run
from xpm_worker.starter import stacks
from xpm_worker.starter.logs import Logs
from xpm_worker.starter.memory import Peak
from xpm_worker.starter.standbys import Standbys
from xpm_worker.starter.templates import Template
from xpm_worker.system import clock, processes

LOAD_S = float(os.environ.get("XPM_IMPORT_TIMEOUT", "600"))
"""How long a job may import its modules."""
FORK_S = min(LOAD_S, 150.0)
"""How long a template may take to fork a job's process; what it has to import before is part of that."""

END_S = float(os.environ.get("XPM_END_TIMEOUT", "300"))
"""How long a job's process may take to write what its code has left open."""

PYTHON = platform.python_version()


class Attempt:
    """An execution of a job by this process.

    It runs only while the lease does: `tick` freezes the job's processes before that ends, and lets them go on once it
    was renewed. Time that it was frozen does not count against its time limit.

    Args:
        run: What to run.
        standbys: Of the starter; they are spared when the job's processes are stopped or killed.

    Raises:
        WorkspaceError: Its directory cannot be made ready.
    """

    def __init__(self, run: Run, standbys: Standbys) -> None:
        self.run = run
        self._standbys = standbys
        self._template: Template | None = None
        """What was asked to fork the job's process, until that is there."""
        self._load_by = math.inf
        self._end_by = math.inf
        self.pid = 0
        """The job's process; 0 before it was started."""
        self.begun = False
        """Whether the job's process has said that it is there."""
        self.reports: Channel | None = None
        """What the job's process says, while it can be read."""
        self.stopped = ""
        """Why it was told to end; empty when it was not."""
        self.finished: Finished | None = None
        self._told_at: float | None = None
        """When SIGTERM was sent to it."""
        self._overran = ""
        """What took it too long, once it was killed for that; `_stood` holds the frames in which it then was."""
        self._stood: list[dict[str, Any]] = []
        self._lease_until = run.lease_until
        self._frozen_at: float | None = None
        self._timeout_at = math.inf
        self._kill_at = math.inf
        self._started = datetime.now(timezone.utc)
        self._directory = job_process.directory_of(run)
        self._memory = Peak()
        self._logs = Logs(self._directory.logs, run.max_log, self._still)
        self.number = self._directory.prepare(run.attempt, resumable=run.resumable)

    # -- what the clock does ---------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Do what is due now: start, freeze, let go on, or kill."""
        now = clock.boot_time()
        if now >= self._kill_at:
            self._kill()
        elif now >= self._lease_until:
            self._freeze(now)
        else:
            self._go(now)
            self._logs.look(now)
            self._memory.look(now, self._standbys.pids)
            if now >= self._timeout_at:
                self.stop("timeout")
            elif now >= self._load_by:
                self._give_up()
            elif now >= self._end_by:
                self._end_by = math.inf
                self.stop("end timeout")

    def due(self) -> float:
        """When to `tick` next, by the boot clock."""
        if self._frozen_at is not None:
            return self._kill_at
        return min(
            self._kill_at,
            self._lease_until,
            self._timeout_at,
            self._load_by,
            self._end_by,
            self._logs.due,
            self._memory.due,
        )

    def renew(self, lease_until: float) -> None:
        """The lease goes on."""
        self._lease_until = lease_until

    def stop(self, reason: str, grace_s: float = 0.0) -> None:
        """End it: at once, or by SIGTERM and, after the grace, SIGKILL. A later call can only shorten the grace."""
        told_before = bool(self.stopped)
        self.stopped = self.stopped or reason
        kill_at = clock.boot_time() + grace_s
        self._kill_at = min(kill_at, self._kill_at)
        if not grace_s or not self.pid:  # before it began there is nobody to be given time
            self._kill()
        elif not told_before:
            self._told_at = clock.boot_time()
            processes.send_signal([self.pid], signal.SIGTERM)

    def _go(self, now: float) -> None:
        if self._frozen_at is not None:
            processes.thaw_descendants()
            frozen_s, self._frozen_at = now - self._frozen_at, None
            self._timeout_at += frozen_s
            self._load_by += frozen_s
            self._end_by += frozen_s
        if not self.pid and self._template is None and not self.stopped:
            self._launch()
            self._timeout_at = math.inf if self.run.timeout_s is None else now + self.run.timeout_s

    def _launch(self) -> None:
        """Hand the job to a process that stands by."""
        self._started = datetime.now(timezone.utc)
        standby, template = self._standbys.take(self.run)
        self.reports = standby.run(self.run)
        if standby.begun is not None:
            self.begin(standby.begun)
        else:
            self._template = template
            self._load_by = clock.boot_time() + FORK_S
        self._standbys.prepare(template)

    def begin(self, message: Begun) -> None:
        """The job's process is there."""
        self.begun = True
        self.pid, self._template = message.pid, None
        now = clock.boot_time()
        self._load_by = now + LOAD_S
        self._logs.start(now)
        self._memory.start(now)
        if self._frozen_at is not None:  # it was being forked while the others were stopped: a fork is not broken off
            processes.freeze_descendants(self._standbys.pids)

    def loaded(self, message: Loaded) -> None:
        """The job's process has imported what it runs."""
        self._load_by = math.inf
        self._standbys.templates.learn(self.run, message.modules)

    def leaving(self) -> None:
        """The job's code has come to its end."""
        self._end_by = clock.boot_time() + END_S

    def forsaken(self) -> None:
        """The template has gone before it forked the job: another one does, or the starter itself."""
        if self._template is not None:
            self._standbys.forsake(self._template)
            self._template = None
            self.reports = None
            self._load_by = math.inf

    def _give_up(self) -> None:
        """The job's imports take too long; or no process was forked for it, as from a template that was stopped."""
        if self._template is None:
            self.stop("import timeout")
        else:
            if self.reports is not None:
                self.reports.close()
            self.forsaken()
            processes.kill_descendants(self._standbys.pids)  # it may have been forked just now

    def leave(self) -> None:
        """In a process forked for a job: close what belongs to the starter."""
        self._logs.leave()
        if self.reports is not None:
            self.reports.close()

    def _freeze(self, now: float) -> None:
        if self._frozen_at is None:
            self._frozen_at = now
            about_to_fork = {self._template.pid} if self._template is not None else set()
            processes.freeze_descendants(self._standbys.pids - about_to_fork)

    @contextlib.contextmanager
    def _still(self) -> Iterator[None]:
        """Nothing of the job runs meanwhile; nor afterwards, if its lease has ended by then."""
        self._freeze(clock.boot_time())
        try:
            yield
        finally:
            now = clock.boot_time()
            if now < self._lease_until:
                self._go(now)

    def _kill(self) -> None:
        if self._template is not None:  # it may be about to fork the job
            self._standbys.templates.drop(self._template)
            self._template = None
        self._see_where()
        processes.send_signal(processes.descendants(os.getpid(), self._standbys.pids), signal.SIGKILL)
        self._kill_at = clock.boot_time() + 1.0  # again, for what was forked meanwhile

    def _see_where(self) -> None:
        """Note where it stands, once, if it is killed because something took it too long."""
        if self.begun and not self._overran and (words := self._too_long()):
            self._overran = words
            if self._frozen_at is None:  # else it could not answer; beyond its lease nothing is waited for
                self._stood = stacks.ask(self.pid, self._directory.logs[1], words, self._lease_until)

    def _too_long(self) -> str:
        """What takes it too long; empty if nothing does."""
        if self.stopped == "timeout":
            return f"ran longer than {self.run.timeout_s:g} s"
        if self.stopped == "import timeout":
            return f"its modules took longer than {LOAD_S:g} s to import"
        if self.stopped == "end timeout":
            remedy = "A thread of its own may hold a file: end it, and close files, before `execute` returns."
            return f"what it left open was not written in {END_S:g} s. {remedy}"
        if self.stopped == "killed":
            return "killed by SIGKILL, as its worker was told to (kill-horse)"
        if self._told_at is not None:
            return f"had not ended {clock.boot_time() - self._told_at:.1f} s after SIGTERM"
        return ""

    # -- how it ended ----------------------------------------------------------------------------------------------

    def end(self, status: int | None, usage: Any) -> Ended:
        """Its process has ended: kill what it left behind, and write down how it went.

        Args:
            status: As `os.wait4` tells; None when it was stopped before it began.
            usage: As `os.wait4` tells.
        """
        if processes.children() - self._standbys.pids:
            self._standbys.templates.settle()
            processes.kill_descendants(self._standbys.pids)
        if self._frozen_at is not None:
            processes.thaw_descendants()
        self._logs.close()
        ended = datetime.now(timezone.utc)
        code = None if status is None else os.waitstatus_to_exitcode(status)
        reason, error = self._outcome(code, usage)
        told = self.finished if reason == "refused" else None
        outcome = Ended(
            execution=self.run.execution,
            reason=reason,
            error=error,
            exit_code=code if code is not None and code >= 0 else None,
            signal=-code if code is not None and code < 0 else None,
            seconds=(ended - self._started).total_seconds(),
            began=self.begun,
            handed_back=reason == "released" and not self.stopped,
            missing=told.missing if told is not None else "",
            looked=told.looked if told is not None else "",
        )
        try:
            self._directory.write_record(self.number, self.run.execution, self._record(outcome, ended, usage))
        except WorkspaceError as refused:  # a full disk, a deleted directory: nobody could find the result again
            if reason == "done":
                return outcome._replace(reason="failed", error=failure.unrecorded(refused))
        return outcome

    def _outcome(self, code: int | None, usage: Any) -> tuple[str, dict[str, Any] | None]:
        told = self.finished
        if code == 0 and self.stopped != "lost" and (self.stopped != "released" or (told and told.returned)):
            return "done", None
        if self.stopped in ("timeout", "import timeout"):
            kind = "Timeout" if self.stopped == "timeout" else "ImportTimeout"
            return "timeout", failure.standing(kind, self._too_long(), self._stood)
        if self.stopped == "end timeout":
            return "failed", failure.plain("EndTimeout", self._too_long())
        if self.stopped and self.stopped != "killed":
            late = self._overran and code == -signal.SIGKILL
            return self.stopped, failure.standing("NotEnded", self._overran, self._stood) if late else None
        if code is not None and code < 0:
            return "killed", failure.standing("Signal", self._said_of_signal(-code, usage), self._stood)
        if told is not None and told.handed_back:
            return "released", None
        if told is not None and told.error is not None:
            return "refused" if told.missing else "failed", self._memory.with_kills(failure.sound(told.error))
        return "failed", self._memory.with_kills(failure.plain("ExitCode", f"exit code {code}"))

    def _said_of_signal(self, number: int, usage: Any) -> str:
        """What has ended the job's process."""
        said = f"killed by {_signal_name(number)}"
        if number != signal.SIGKILL:
            return said
        return self._too_long() or f"{said}, not by xpm: {self._memory.said_of_kill(usage)}"

    def _record(self, outcome: Ended, ended: datetime, usage: Any) -> dict[str, Any]:
        return {
            "task": self.run.task,
            "host": self.run.host or socket.gethostname(),
            "pid": self.pid,
            "worker": self.run.worker,
            "start": self._started.isoformat(),
            "end": ended.isoformat(),
            "started_s": self._started.timestamp(),
            "ended_s": ended.timestamp(),
            "exit_code": outcome.exit_code,
            "signal": outcome.signal,
            "reason": outcome.reason,
            "error": outcome.error,
            "peak_memory_bytes": self._memory.bytes(usage),
            "cpu_s": None if usage is None else round(usage.ru_utime + usage.ru_stime, 3),
            "python": PYTHON,
        }


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
