"""From a lease to its end: all that a worker does with a job that it holds.

Owns: whether the job still has to run, what the worker sends to its starter, and the lease meanwhile. How the job ended
is reported by ends/reporter.py.
"""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Mapping
from typing import Any

from xpm_core.errors import SnapshotError, SnapshotFolderError, XpmError
from xpm_core.job.environment import token_variables, tracker_names
from xpm_core.project.moved_code import MovedCode
from xpm_core.snapshot.facts.of_worker import WorkerFacts
from xpm_core.snapshot.trees.trees import Trees
from xpm_core.states import Event, State
from xpm_core.store import keys
from xpm_core.store.records import RenewCode
from xpm_core.workspace.job_spec import JobOptions
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
from xpm_worker.slot import lease_check
from xpm_worker.slot.claimer import Claimer, HeldLease
from xpm_worker.slot.code.opening import CodeOpener, NotOpened
from xpm_worker.slot.devices import named, own_devices, visible
from xpm_worker.slot.ends.reporter import Reporter
from xpm_worker.slot.hooks.job_hooks import JobHooks
from xpm_worker.slot.orders import Orders, Shutdown
from xpm_worker.slot.starter_link import StarterLink, StopsSent
from xpm_worker.system import clock, marks

log = logging.getLogger(__name__)

STALE_CLAIM_S = 0.05
"""If a claim was sent longer ago, its lease is renewed before the job starts: somebody may have cancelled the job."""

RETRY_S = 1.0
"""The longest pause before an unanswered renewal is sent again."""


class Runner:
    """Runs the jobs that a worker has claimed, one after the other.

    Args:
        claimer: The worker's side of the store.
        starter: The process that forks the jobs.
        workspace: The workspace that the worker serves.
        orders: The signals and commands that the worker has got.
        settings: Its settings.
        facts: What records say of this machine, and of its packages.
    """

    def __init__(
        self,
        claimer: Claimer,
        starter: StarterLink,
        workspace: Workspace,
        orders: Orders,
        settings: Settings,
        facts: WorkerFacts,
    ) -> None:
        self._claimer = claimer
        self._starter = starter
        self._workspace = workspace
        self._orders = orders
        self._settings = settings
        self._facts = facts
        self._devices = own_devices(os.environ)
        self._reporter = Reporter(claimer, orders, settings, facts)
        self._opener = CodeOpener(claimer, orders, Trees(workspace.path))
        self.hooks = JobHooks(workspace, claimer.worker)
        """Functions of installed packages that are called when jobs start and end."""
        claimer.on_end = self.hooks.ended
        self.running: HeldLease | None = None
        """The job that runs now."""
        self.pid = 0
        """Its process."""
        self._number = 0
        self._outputs: list[dict[str, Any]] = []

    @property
    def running_rq_id(self) -> str | None:
        """The id under which RQ's tools see the job that runs now."""
        return None if self.running is None else keys.rq_id(self._claimer.store.w, self.running.lease.identity)

    def run(self, held: HeldLease) -> None:
        """Run a job to its end, and report that end."""
        self.running, self.pid, self._number, self._outputs = held, 0, 0, []
        try:
            self._run(held)
        finally:
            self._orders.forget(self.running_rq_id or "")
            self.running, self.pid = None, 0

    def _run(self, held: HeldLease) -> None:
        lease = held.lease
        try:
            directory = lease_check.check(lease, self._workspace, self._settings.signing_key)
            if unknown := lease.spec.options.unknown:
                self._reporter.refuse_unknown(held, unknown[0])
                return
            adopted = directory.adoptable()
        except (XpmError, OSError) as error:
            self._reporter.fail(held, failure.from_text(type(error).__name__, str(error)), forged=True)
            return
        if not self._may_start(held):
            return
        if adopted is not None and adopted != lease.replaces:
            self._reporter.adopt(held, directory, adopted)
            return
        if lease.attempt > 1:
            marks.sweep_orphans()
        try:
            with self._opener.opened(held, self.running_rq_id or "") as code:
                ended = self._watch(held, self._message(held, code))
        except NotOpened as error:
            self._reporter.leave_out(held, error.reason)
        except SnapshotFolderError as error:
            self._reporter.refuse_trouble(held, error)
            self._opener.rest()
        except (XpmError, OSError) as error:
            is_forged = not isinstance(error, SnapshotError)
            self._reporter.fail(held, failure.from_text(type(error).__name__, str(error)), forged=is_forged)
        else:
            if ended is None:
                swept = self._starter.sweep()
                log.warning("%s: its starter died; %d processes killed", lease.spec.label, swept)
                self._reporter.lose(held, directory, self.pid, self._number)
            else:
                self._reporter.conclude(held, directory, ended, self._outputs)

    # -- before ----------------------------------------------------------------------------------------------------

    def _may_start(self, held: HeldLease) -> bool:
        """Whether the job still has to run; if not, its end was reported."""
        asked_to_stop = self._orders.wants_stopped(self.running_rq_id or "")
        self._orders.forget(self.running_rq_id or "")  # it meant an earlier execution, or came too early
        if clock.boot_time() - held.asked <= STALE_CLAIM_S and not held.lease.cancelled and not asked_to_stop:
            return True
        code = self._claimer.renew(held)
        if code in (RenewCode.STALE, RenewCode.UNKNOWN):
            log.warning("%s: taken away before it started", held.lease.spec.label)
            return False
        if code is RenewCode.CANCEL:
            log.info("%s: cancelled before it started", held.lease.spec.label)
            self._claimer.finish(held, State.CANCELLED)
            return False
        return True

    def _message(self, held: HeldLease, code: MovedCode) -> RunJob:
        lease, spec, worker = held.lease, held.lease.spec, self._claimer.worker
        env = {**spec.options.env, **named(lease.variables, self._devices), **token_variables(lease.units)}
        held.about = self._about(spec.options, env)
        names = tracker_names(
            spec.identity, spec.name, tags=lease.tags, experiment=lease.experiment, workspace=self._workspace.id
        )
        return RunJob(
            execution=lease.execution,
            identity=spec.identity,
            task=spec.task,
            label=spec.label,
            workspace=str(self._workspace.path),
            directory=spec.directory,
            payload=spec.payload,
            attempt=lease.attempt,
            resumable=spec.options.resumable,
            template=spec.options.template,
            env=env,
            timeout_s=spec.options.timeout_s,
            lease_until=held.until(worker.lease_s),
            worker=worker.name,
            host=worker.host,
            grace_s=self._settings.grace_s,
            ends_at=self._orders.ends_at,
            allow=list(self._settings.allow),
            max_log=round(self._settings.max_log_mb * 1e6),
            code=dict(code.folders),
            snapshot=spec.options.snapshot,
            provenance=spec.options.provenance,
            about=held.about,
            trackers=names,
            extra=self.hooks.variables(lease),
        )

    def _about(self, options: JobOptions, env: Mapping[str, str]) -> dict[str, Any]:
        """What the record says of the code, the worker and its machine."""
        found = {"code": {"snapshot": options.snapshot, "provenance": options.provenance}}
        devices = visible(env, self._devices)
        return {**found, **self._facts.about(options.provenance), **({"devices": devices} if devices else {})}

    # -- meanwhile -------------------------------------------------------------------------------------------------

    def _watch(self, held: HeldLease, message: RunJob) -> AttemptEnded | None:
        """Let the starter run the job, and renew its lease. Returns its end; None if the starter died."""
        if not self._starter.ensure():
            return AttemptEnded(held.lease.execution, "released", None, None, None)
        self._starter.send(message)
        self._facts.look()  # not before, because it takes time
        renew_at = held.asked + self._claimer.worker.lease_s / 3
        stops = StopsSent(self._starter, held.lease.execution)
        told = self._orders.signalled
        while True:
            self._pass_on(stops)
            for word in self._starter.receive(self._until(renew_at) - clock.boot_time()):
                if isinstance(word, AttemptEnded) and word.execution == held.lease.execution:
                    if word.live_files:
                        held.about = {**held.about, "live_files": True}
                    return word
                self._note(held, word)
            if not self._starter.alive:
                return None
            drains = self._orders.signalled is Shutdown.DRAIN and told is Shutdown.NONE
            hinted = self._orders.take_hint()  # the reply may have an order
            if clock.boot_time() >= renew_at or drains or hinted:  # people see at once that it takes no more jobs
                told = self._orders.signalled
                renew_at = self._renew(held, stops)
            self._report_outputs(held)

    def _until(self, renew_at: float) -> float:
        """When the worker has to act next, by the boot clock, even if no message comes."""
        ends_at = self._orders.ends_at
        return renew_at if ends_at is None or self._orders.shutdown >= Shutdown.HAND_BACK else min(renew_at, ends_at)

    def _note(self, held: HeldLease, word: Message) -> None:
        if isinstance(word, AttemptStarted):
            self.pid, self._number, held.number = word.pid, word.number, word.number
            log.info("%s: starts (attempt %d)", held.lease.spec.label, held.number)
        elif isinstance(word, StatusUpdate) and word.kind == Event.PROGRESS.value:
            self._claimer.publish(held, Event.PROGRESS, word.data)
        elif isinstance(word, OutputRegistered):
            self._outputs.append(word.data)

    def _report_outputs(self, held: HeldLease) -> None:
        while self._outputs and self._claimer.publish(held, Event.OUTPUT, self._outputs[0]):
            del self._outputs[0]

    def _pass_on(self, stops: StopsSent) -> None:
        """Send the orders that the worker has got to the starter."""
        if self._orders.wants_stopped(self.running_rq_id or ""):
            stops.send("cancelled", self._settings.grace_s)
        if self._orders.kill:
            stops.send("killed")
        if self._orders.shutdown is Shutdown.AT_ONCE:
            stops.send("released")
        elif self._orders.shutdown is Shutdown.HAND_BACK:
            stops.send("released", self._settings.grace_s)

    def _renew(self, held: HeldLease, stops: StopsSent) -> float:
        """Renew the lease, and send its new end to the starter. Returns when to do it again."""
        lease_s = self._claimer.worker.lease_s
        code = self._claimer.renew(held)
        if code is None:
            return clock.boot_time() + min(lease_s / 3, RETRY_S) * random.uniform(0.5, 1.0)
        if code in (RenewCode.STALE, RenewCode.UNKNOWN):
            log.warning("%s: killed: another worker has the job, or the server does not know it", held.lease.spec.label)
            stops.send("lost")
            return clock.boot_time() + lease_s
        self._starter.send(LeaseRenewed(held.lease.execution, held.until(lease_s)))
        if code is RenewCode.CANCEL:
            stops.send("cancelled", self._settings.grace_s)
        return held.asked + lease_s / 3
