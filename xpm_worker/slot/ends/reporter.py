"""Report how a job ended, and hand back a job that this worker cannot run.

Owns: what goes to Redis then, what is written into the directory, and the order: the execution's record, the accepted
end, the marker.
"""

from __future__ import annotations

import contextlib
import logging
import math
import signal
import time
from typing import Any

from xpm_core.errors import PayloadError, SnapshotFolderError, WorkspaceError
from xpm_core.snapshot.facts.of_worker import WorkerFacts
from xpm_core.states import Event, State
from xpm_core.store.records import FinishCode, Lease
from xpm_core.store.refusals import Refusal
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.kept_job import KeptJob
from xpm_core.workspace.reported import results_file
from xpm_worker.job import failure
from xpm_worker.protocol.messages import AttemptEnded
from xpm_worker.settings import Settings
from xpm_worker.slot.claimer import Claimer, HeldLease
from xpm_worker.slot.orders import Orders, Shutdown

log = logging.getLogger(__name__)

REFUSED_S = 1.0
"""The pause after a refused option: no fork takes time here, and the job may come back to this worker at once."""

LOOK_S = 1.0
"""How long the end of a job waits at most until the packages have been looked at."""

LACKED_S = 10
"""The time that a job needs is rounded up to a multiple of this, because each time has a line of its own."""

LARGEST_ERROR = 4000
"""The most bytes of an error's summary that go to Redis."""


class Reporter:
    """Reports the ends of the jobs of one slot.

    Args:
        claimer: The worker's side of the store.
        orders: The slot's orders.
        settings: The worker's settings.
        facts: What records say of this machine, and of its packages.

    Example:
        >>> reporter.conclude(held, directory, ended, outputs)
    """

    def __init__(self, claimer: Claimer, orders: Orders, settings: Settings, facts: WorkerFacts) -> None:
        self._claimer, self._orders, self._settings, self._facts = claimer, orders, settings, facts

    def adopt(self, held: HeldLease, directory: JobDirectory, execution: str) -> None:
        """Report a job as done whose directory says that this execution has done it."""
        log.info("%s: done before, by its directory", held.lease.spec.label)
        held.about = held.reported = directory.record(execution) or {}  # another execution has run
        if directory.kept(held.lease.spec.task) is None:
            with contextlib.suppress(WorkspaceError):  # to run it again, its script has to submit it
                _keep(directory, held.lease)
        self._claimer.finish(held, State.DONE, adopted=execution)

    def leave_out(self, held: HeldLease, reason: str) -> None:
        """Report a job that was not started, because something has happened while its code was copied."""
        log.info("%s: %s before it started", held.lease.spec.label, reason)
        if reason == "cancelled":
            self._claimer.finish(held, State.CANCELLED)
        elif reason == "released":
            self._claimer.release(held, started=False)

    def conclude(
        self, held: HeldLease, directory: JobDirectory, ended: AttemptEnded, outputs: list[dict[str, Any]]
    ) -> None:
        """Report the end of a job that was started.

        Args:
            held: The job.
            directory: Its directory.
            ended: How it ended.
            outputs: The outputs that it has registered, and that were not published yet.
        """
        held.began_s = time.time() - ended.seconds if ended.began else 0.0
        held.reported, held.number = ended.reported, ended.number
        self._correct_packages(held, directory)
        by_order = self._orders.shutdown >= Shutdown.HAND_BACK and ended.signal == signal.SIGTERM
        reason = "released" if by_order else ended.reason
        log.info("%s: %s after %.1f s", held.lease.spec.label, reason, ended.seconds)
        if ended.error is not None and reason in ("cancelled", "released"):  # else it is logged with the failure
            log.warning("%s: %s", held.lease.spec.label, ended.error["message"])
        if reason != "lost":
            self._claimer.publish_all(held, Event.OUTPUT, outputs)
        if reason == "done":
            self._done(held, directory)
        elif reason == "cancelled":
            self._claimer.finish(held, State.CANCELLED)
        elif reason == "released":
            self._claimer.release(held, started=ended.began, least_s=self._lacked(held, ended))
        elif reason == "refused":
            self._refuse(held, directory, ended)
        elif reason != "lost":
            self.fail(held, ended.error or failure.from_text("Unknown", reason), directory)

    def _correct_packages(self, held: HeldLease, directory: JobDirectory) -> None:
        """Change the record if the packages had changed when the job started. This is known only now."""
        self._facts.settle(LOOK_S)
        fresh = {**held.about, **self._facts.about(held.lease.spec.options.provenance)}
        if held.about and fresh != held.about:
            held.about = fresh
            _amend(directory, held.lease.execution, fresh)

    def _lacked(self, held: HeldLease, ended: AttemptEnded) -> int:
        """A time, in seconds, that was too short for a job that handed itself back; 0 if it had another reason."""
        left_s, timeout_s = self._orders.left_s(), held.lease.spec.options.timeout_s
        by_its_timeout = left_s is not None and timeout_s is not None and timeout_s - ended.seconds < left_s
        if not ended.handed_back or left_s is None or by_its_timeout:
            return 0
        return (math.floor(left_s) // LACKED_S + 1) * LACKED_S

    def _done(self, held: HeldLease, directory: JobDirectory) -> None:
        try:
            _keep(directory, held.lease)
        except WorkspaceError as refused:  # Redis would forget now how to run the job again
            error = failure.from_write_error(refused)
            _amend(directory, held.lease.execution, {"reason": "failed", "error": error})
            self.fail(held, error, directory)
            return
        reply = self._claimer.finish(held, State.DONE)
        if reply is None:
            return
        # Where the server was wiped, nobody else can have run it: the marker lets the next submission adopt it.
        if reply.code is FinishCode.UNKNOWN or (reply.accepted and reply.state == State.DONE.value):
            _mark(directory, "done", held.lease)
        elif not reply.accepted:
            log.warning("%s: done, but another execution has taken its place", held.lease.spec.label)

    def fail(
        self, held: HeldLease, error: dict[str, Any], directory: JobDirectory | None = None, *, forged: bool = False
    ) -> None:
        """Report a failure.

        Args:
            held: The job.
            error: Its summary (xpm_worker.job.failure).
            directory: Its directory, if it was started; then this is marked.
            forged: Whether what was claimed must not be run.
        """
        log.warning("%s: %s: %s", held.lease.spec.label, error["type"], error["message"])
        brief = failure.brief(error, LARGEST_ERROR)
        reply = self._claimer.finish(held, State.FAILED, error=brief, forged=forged)
        if directory is not None and reply is not None and reply.accepted and reply.state == State.FAILED.value:
            _mark(directory, "failed", held.lease)

    def _refuse(self, held: HeldLease, directory: JobDirectory, ended: AttemptEnded) -> None:
        """Hand the job back, because this worker cannot import its code. That is no failure of the job."""
        refusal = Refusal.of_module(*self._names(), ended.missing, ended.looked)
        log.warning("%s: %s", held.lease.spec.label, refusal.said)
        error = ended.error or failure.from_text("Unknown", refusal.said)
        if self._claimer.refuse(held, refusal, failure.brief(error, LARGEST_ERROR)):
            _mark(directory, "failed", held.lease)

    def refuse_unknown(self, held: HeldLease, option: str) -> None:
        """Hand the job back, because this worker does not know an option of it, and would run it wrongly."""
        refusal = Refusal.of_option(*self._names(), option)
        log.warning("%s: %s", held.lease.spec.label, refusal.said)
        error = PayloadError(held.lease.spec.label, refusal.said, f"To run it, {refusal.remedy}.")
        written = failure.brief(failure.from_text(type(error).__name__, str(error)), LARGEST_ERROR)
        if not self._claimer.refuse(held, refusal, written):
            self._orders.wait(REFUSED_S)

    def refuse_trouble(self, held: HeldLease, problem: SnapshotFolderError) -> None:
        """Hand the job back, because this machine cannot hold its code. The job does not fail, whoever else may run it.

        The slot must take no job for a while then, because others may have a place for it.
        """
        refusal = Refusal.of_trouble(*self._names(), f"{problem.where}: {problem.problem}")
        log.warning("%s: %s. %s", held.lease.spec.label, refusal.said, problem.remedy)
        error = failure.from_text(type(problem).__name__, str(problem))
        self._claimer.refuse(held, refusal, failure.brief(error, LARGEST_ERROR))

    def _names(self) -> tuple[str, str]:
        """What a refusal calls this worker's daemon, and its machine."""
        host = self._claimer.worker.host
        return self._settings.name or host, host

    def lose(self, held: HeldLease, directory: JobDirectory, pid: int, number: int) -> None:
        """Report that the starter died, and the job with it.

        Args:
            held: The job.
            directory: Its directory.
            pid: Its process; 0 if it had none.
            number: The number of its attempt in the directory; 0 if the starter died before it said that.
        """
        execution = held.lease.execution
        held.reported = results_file.kept(directory, execution)
        record = {
            "task": held.lease.spec.task,
            "host": self._claimer.worker.host,
            "pid": pid,
            "worker": self._claimer.worker.name,
            "reason": "lost",
            "error": failure.from_text("StarterLost", "the process that started the job was killed"),
            **held.about,
            **held.reported,
        }
        with contextlib.suppress(WorkspaceError, OSError):  # it is for people; Redis learns of the loss all the same
            if not number:
                number = (directory.record(execution) or {}).get("number") or directory.numbered(held.lease.attempt)
            directory.write_record(number, execution, record)
            held.number = number
        if self._claimer.lose(held):
            with contextlib.suppress(WorkspaceError):
                directory.write_lost(execution)


def _keep(directory: JobDirectory, lease: Lease) -> None:
    """Write all that is needed to run the job again, because Redis forgets it.

    Raises:
        WorkspaceError: It cannot be written.
    """
    directory.keep(KeptJob(lease.spec, lease.needs, lease.retries))


def _amend(directory: JobDirectory, execution: str, fields: dict[str, Any]) -> None:
    """Change fields of an execution's record. If that cannot be written either, only Redis has the reason."""
    record = directory.record(execution)
    if record is not None:
        with contextlib.suppress(WorkspaceError):
            directory.write_record(record["number"], execution, {**record, **fields})


def _mark(directory: JobDirectory, kind: Any, lease: Lease) -> None:
    try:
        directory.write_marker(kind, lease.execution)
    except WorkspaceError as error:  # a script writes it later: Redis names the execution
        log.warning("%s: %s", lease.spec.label, error)
