"""From a lease to its end: what a worker does with a job that it holds.

Owns: whether the job still is to be run, what its starter is told, and what Redis and the directory are told
afterwards, in this order: the execution's record, the accepted end, the marker.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import random
import re
import signal
from typing import Any

from xpm_core.errors import ProtocolError, WorkspaceError, XpmError
from xpm_core.job.running import TOKENS_VARIABLE
from xpm_core.states import Event, State
from xpm_core.store import keys
from xpm_core.store.records import FinishCode, Lease, RenewCode
from xpm_core.store.refusals import Refusal
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_records import Handed
from xpm_core.workspace.workspace import Workspace
from xpm_worker.job import failure
from xpm_worker.protocol.messages import (
    AttemptEnded,
    AttemptStarted,
    LeaseRenewed,
    Message,
    OutputRegistered,
    RunJob,
    StatusUpdate,
)
from xpm_worker.settings import Settings
from xpm_worker.slot.claimer import Claimer, HeldLease
from xpm_worker.slot.devices import named, own_devices
from xpm_worker.slot.lease_check import label, vet
from xpm_worker.slot.orders import Orders, Shutdown
from xpm_worker.slot.starter_link import StarterLink, StopsSent
from xpm_worker.system import clock, marks

log = logging.getLogger(__name__)

STALE_CLAIM_S = 0.05
"""A claim that was sent longer ago is renewed before its job starts: it may have been cancelled since."""

RETRY_S = 1.0
"""How soon an unanswered renewal is tried again, at most."""

LACKED_S = 10
"""What a job lacked is rounded up to so many seconds: jobs that need different times stand in different lines."""

LARGEST_ERROR = 4000
"""Bytes of the summary of an error that Redis is given."""


class Runner:
    """Runs, one after the other, the jobs that a worker has claimed."""

    def __init__(
        self, claimer: Claimer, starter: StarterLink, workspace: Workspace, orders: Orders, settings: Settings
    ) -> None:
        self._claimer = claimer
        self._starter = starter
        self._workspace = workspace
        self._orders = orders
        self._settings = settings
        self._devices = own_devices(os.environ)
        self.running: HeldLease | None = None
        """What runs now."""
        self.pid = 0
        """Its process."""
        self._number = 0
        self._outputs: list[dict[str, Any]] = []

    @property
    def running_rq_id(self) -> str | None:
        """The id under which RQ's tools see the job that runs."""
        return None if self.running is None else keys.rq_id(self._claimer.store.w, self.running.lease.identity)

    def run(self, held: HeldLease) -> None:
        """Run a job to its end, whatever that is."""
        self.running, self.pid, self._number, self._outputs = held, 0, 0, []
        try:
            self._run(held)
        finally:
            self._orders.forget(self.running_rq_id or "")
            self.running, self.pid = None, 0

    def _run(self, held: HeldLease) -> None:
        lease = held.lease
        try:
            directory = vet(lease, self._workspace, self._settings.signing_key)
            message = self._message(held)
            adopted = directory.adoptable()
        except (XpmError, OSError) as error:
            self._fail(held, failure.from_text(type(error).__name__, str(error)))
            return
        if not self._may_start(held):
            return
        if adopted is not None and adopted != lease.replaces:
            log.info("%s: done before, by its directory", label(lease))
            if directory.handed() is None:
                with contextlib.suppress(WorkspaceError):  # to run it again, its script has to submit it
                    _keep(directory, lease)
            self._claimer.finish(held, State.DONE, adopted=adopted)
            return
        if lease.attempt > 1:
            marks.sweep_orphans()
        try:
            ended = self._watch(held, message)
        except ProtocolError as error:
            self._fail(held, failure.from_text(type(error).__name__, str(error)))
            return
        if ended is None:
            self._lose(held, directory)
        else:
            self._conclude(held, directory, ended)

    # -- before ----------------------------------------------------------------------------------------------------

    def _may_start(self, held: HeldLease) -> bool:
        """Whether the job is still to be run; if not, its end was told."""
        asked_to_stop = self._orders.wants_stopped(self.running_rq_id or "")
        self._orders.forget(self.running_rq_id or "")  # said of an earlier execution, or before this one was known here
        if clock.boot_time() - held.asked <= STALE_CLAIM_S and not held.lease.cancelled and not asked_to_stop:
            return True
        code = self._claimer.renew(held)
        if code in (RenewCode.STALE, RenewCode.UNKNOWN):
            log.warning("%s: taken away before it started", label(held.lease))
            return False
        if code is RenewCode.CANCEL:
            log.info("%s: cancelled before it started", label(held.lease))
            self._claimer.finish(held, State.CANCELLED)
            return False
        return True

    def _message(self, held: HeldLease) -> RunJob:
        lease, worker = held.lease, self._claimer.worker
        return RunJob(
            execution=lease.execution,
            identity=lease.identity,
            task=lease.task,
            label=label(lease),
            workspace=str(self._workspace.path),
            directory=lease.directory,
            payload=lease.payload,
            attempt=lease.attempt,
            resumable=bool(lease.options.get("resumable")),
            template=lease.options.get("template") is not False,
            env={
                **(lease.options.get("env") or {}),
                **named(lease.variables, self._devices),
                **_token_variables(lease),
            },
            timeout_s=lease.options.get("timeout_s"),
            lease_until=held.until(worker.lease_s),
            worker=worker.name,
            host=worker.host,
            grace_s=self._settings.grace_s,
            ends_at=self._orders.ends_at,
            allow=list(self._settings.allow),
            max_log=round(self._settings.max_log_mb * 1e6),
        )

    # -- meanwhile -------------------------------------------------------------------------------------------------

    def _watch(self, held: HeldLease, message: RunJob) -> AttemptEnded | None:
        """Let the starter run the job, and renew its lease. Returns its end; None when the starter died."""
        if not self._starter.ensure():
            return AttemptEnded(held.lease.execution, "released", None, None, None)
        self._starter.send(message)
        renew_at = held.asked + self._claimer.worker.lease_s / 3
        stops = StopsSent(self._starter, held.lease.execution)
        while True:
            for word in self._starter.receive(self._until(renew_at) - clock.boot_time()):
                if isinstance(word, AttemptEnded) and word.execution == held.lease.execution:
                    return word
                self._note(held, word)
            if not self._starter.alive:
                return None
            self._pass_on(stops)
            if clock.boot_time() >= renew_at:
                renew_at = self._renew(held, stops)
            self._tell_outputs(held)

    def _until(self, renew_at: float) -> float:
        """When something is to be done next, whatever is heard meanwhile."""
        ends_at = self._orders.ends_at
        return renew_at if ends_at is None or self._orders.shutdown >= Shutdown.HAND_BACK else min(renew_at, ends_at)

    def _note(self, held: HeldLease, word: Message) -> None:
        if isinstance(word, AttemptStarted):
            self.pid, self._number = word.pid, word.number
            log.info("%s: starts (attempt %d)", label(held.lease), held.lease.attempt)
        elif isinstance(word, StatusUpdate) and word.kind == Event.PROGRESS.value:
            self._claimer.publish(held, Event.PROGRESS, word.data)
        elif isinstance(word, OutputRegistered):
            self._outputs.append(word.data)

    def _tell_outputs(self, held: HeldLease) -> None:
        while self._outputs and self._claimer.publish(held, Event.OUTPUT, self._outputs[0]):
            del self._outputs[0]

    def _pass_on(self, stops: StopsSent) -> None:
        """Tell the starter what the worker was told."""
        if self._orders.wants_stopped(self.running_rq_id or ""):
            stops.send("cancelled", self._settings.grace_s)
        if self._orders.kill:
            stops.send("killed")
        if self._orders.shutdown is Shutdown.AT_ONCE:
            stops.send("released")
        elif self._orders.shutdown is Shutdown.HAND_BACK:
            stops.send("released", self._settings.grace_s)

    def _renew(self, held: HeldLease, stops: StopsSent) -> float:
        """Renew the lease, and tell the starter. Returns when to do it again."""
        lease_s = self._claimer.worker.lease_s
        code = self._claimer.renew(held)
        if code is None:
            return clock.boot_time() + min(lease_s / 3, RETRY_S) * random.uniform(0.5, 1.0)
        if code in (RenewCode.STALE, RenewCode.UNKNOWN):
            log.warning("%s: another worker has it, or nobody knows it any more; killed", label(held.lease))
            stops.send("lost")
            return clock.boot_time() + lease_s
        self._starter.send(LeaseRenewed(held.lease.execution, held.until(lease_s)))
        if code is RenewCode.CANCEL:
            stops.send("cancelled", self._settings.grace_s)
        return held.asked + lease_s / 3

    # -- after -----------------------------------------------------------------------------------------------------

    def _conclude(self, held: HeldLease, directory: JobDirectory, ended: AttemptEnded) -> None:
        by_order = self._orders.shutdown >= Shutdown.HAND_BACK and ended.signal == signal.SIGTERM
        reason = "released" if by_order else ended.reason
        log.info("%s: %s after %.1f s", label(held.lease), reason, ended.seconds)
        if ended.error is not None and reason in ("cancelled", "released"):  # else it is told with the failure
            log.warning("%s: %s", label(held.lease), ended.error["message"])
        if reason != "lost":
            self._claimer.publish_all(held, Event.OUTPUT, self._outputs)
        if reason == "done":
            self._done(held, directory)
        elif reason == "cancelled":
            self._claimer.finish(held, State.CANCELLED)
        elif reason == "released":
            self._claimer.release(held, started=ended.began, least_s=self._lacked(held, ended))
        elif reason == "refused":
            self._refuse(held, directory, ended)
        elif reason != "lost":
            self._fail(held, ended.error or failure.from_text("Unknown", reason), directory)

    def _lacked(self, held: HeldLease, ended: AttemptEnded) -> int:
        """How much time was too little for a job that handed itself back, seconds; 0 if that cannot have been why."""
        left_s, timeout_s = self._orders.left_s(), held.lease.options.get("timeout_s")
        by_its_timeout = left_s is not None and timeout_s is not None and timeout_s - ended.seconds < left_s
        if not ended.handed_back or left_s is None or by_its_timeout:
            return 0
        return (math.floor(left_s) // LACKED_S + 1) * LACKED_S

    def _done(self, held: HeldLease, directory: JobDirectory) -> None:
        try:
            _keep(directory, held.lease)
        except WorkspaceError as refused:  # Redis is about to forget how to run it
            error = failure.from_write_error(refused)
            _amend(directory, held.lease.execution, {"reason": "failed", "error": error})
            self._fail(held, error, directory)
            return
        reply = self._claimer.finish(held, State.DONE)
        if reply is None:
            return
        # Where the server was wiped, nobody else can have run it: the marker lets the next submission adopt it.
        if reply.code is FinishCode.UNKNOWN or (reply.accepted and reply.state == State.DONE.value):
            _mark(directory, "done", held.lease)
        elif not reply.accepted:
            log.warning("%s: done, but another execution has taken its place", label(held.lease))

    def _fail(self, held: HeldLease, error: dict[str, Any], directory: JobDirectory | None = None) -> None:
        log.warning("%s: %s: %s", label(held.lease), error["type"], error["message"])
        reply = self._claimer.finish(held, State.FAILED, error=failure.brief(error, LARGEST_ERROR))
        if directory is not None and reply is not None and reply.accepted and reply.state == State.FAILED.value:
            _mark(directory, "failed", held.lease)

    def _refuse(self, held: HeldLease, directory: JobDirectory, ended: AttemptEnded) -> None:
        """The job's code cannot be imported here: that is this worker's fault, and no failure of the job's."""
        host = self._claimer.worker.host
        name = self._settings.name or host
        said = f"worker {name} on {host} cannot import {ended.missing}: looked in {ended.looked}"
        log.warning("%s: %s", label(held.lease), said)
        error = failure.brief(ended.error or failure.from_text("Unknown", said), LARGEST_ERROR)
        if self._claimer.refuse(held, Refusal(name, host, ended.missing, ended.looked, said), error):
            _mark(directory, "failed", held.lease)

    def _lose(self, held: HeldLease, directory: JobDirectory) -> None:
        """The starter died, and with it the job."""
        swept = self._starter.sweep()
        log.warning("%s: its starter died; %d processes killed", label(held.lease), swept)
        if self._number:
            record = {
                "task": held.lease.task,
                "host": self._claimer.worker.host,
                "pid": self.pid,
                "worker": self._claimer.worker.name,
                "reason": "lost",
                "error": failure.from_text("StarterLost", "the process that started the job was killed"),
            }
            with contextlib.suppress(WorkspaceError):  # the record is for people; the loss is told all the same
                directory.write_record(self._number, held.lease.execution, record)
        if self._claimer.lose(held):
            with contextlib.suppress(WorkspaceError):
                directory.write_lost(held.lease.execution)


def _keep(directory: JobDirectory, lease: Lease) -> None:
    """Write down what is needed to run the job again, because Redis forgets it.

    Raises:
        WorkspaceError: It cannot be written.
    """
    directory.write_handed(
        Handed(
            lease.name, lease.payload, lease.options, lease.needs, lease.max_retries, lease.max_losses, lease.backoff_s
        )
    )


def _amend(directory: JobDirectory, execution: str, fields: dict[str, Any]) -> None:
    """Change fields of an execution's record. Where that is refused, too, Redis alone has the reason."""
    record = directory.record(execution)
    if record is not None:
        with contextlib.suppress(WorkspaceError):
            directory.write_record(record["number"], execution, {**record, **fields})


def _mark(directory: JobDirectory, kind: Any, lease: Lease) -> None:
    try:
        directory.write_marker(kind, lease.execution)
    except WorkspaceError as error:  # the next look at the job mends it: Redis names the execution
        log.warning("%s: %s", label(lease), error)


def _token_variables(lease: Lease) -> dict[str, str]:
    """What the job holds of each token: `XPM_TOKEN_GPU=0,2` for numbered units, else how many; and all of it in one."""
    said, told = {}, []
    for name, (units, numbers) in lease.units.items():
        said[f"XPM_TOKEN_{re.sub('[^A-Z0-9]', '_', name.upper())}"] = numbers or str(units)
        told.append(f"{name}={units}:{numbers}" if numbers else f"{name}={units}")
    return {**said, TOKENS_VARIABLE: ";".join(told)}
