"""The worker: a subclass of RQ's, which claims by our scripts and runs jobs in its starter.

From RQ come registration, birth and death, commands over pub/sub, and the loop, so that its tools see our
workers as their own. Owns: what is overridden, and why. Where RQ would speak to Redis at a moment of its own, or end
the worker for an error, something of ours stands instead.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rq import Worker
from rq.command import handle_command, parse_payload
from rq.job import Job
from rq.queue import Queue

from xpm_core.server.connection import ServerError
from xpm_core.server.faults import fault_of
from xpm_worker.slot.claimer import Claimer, Held
from xpm_worker.slot.orders import Orders
from xpm_worker.slot.runner import Runner
from xpm_worker.slot.starter_link import Starter

log = logging.getLogger(__name__)

AFTER_ERROR_S = 1.0
"""How long a worker rests after an error that nobody foresaw."""


@dataclass(frozen=True)
class Equipment:
    """What makes a worker of RQ's one of ours."""

    orders: Orders
    claimer: Claimer
    runner: Runner
    starter: Starter
    join: Callable[[], None]
    linger_s: float | None


class LeasedJob(Job):
    """What RQ's loop hands from claim to execution: one for all jobs of a worker, none of which RQ knows."""

    held: Held


class XpmWorker(Worker):
    """One slot.

    RQ constructs it, too, to list workers; one that is to work is equipped first.
    """

    equipment: Equipment

    def equip(self, equipment: Equipment) -> None:
        """Make it able to work."""
        self.equipment = equipment
        self.log = log
        self._job = LeasedJob(connection=self.connection)

    # -- registration: repeated until it is answered, and again when a reply says that we are not known ------------

    def register_birth(self) -> None:
        """Make this worker known to RQ's tools and to our scripts."""
        self.equipment.claimer.persist("register", self._register)

    def register_anew(self) -> None:
        """Do it again, after a wipe or a long outage; if that fails, the next reply asks for it again."""
        log.info("%s: registering anew", self.name)
        try:
            self._register()
        except ServerError as error:
            log.warning("%s: cannot register: %s", self.name, error)

    def _register(self) -> None:
        self.connection.delete(self.key)  # else RQ takes it for another worker of this name
        super().register_birth()  # type: ignore[no-untyped-call]
        self.equipment.join()

    def register_death(self) -> None:
        """Say good-bye; an outage does not matter, for what is not heard from is gone."""
        try:
            self.equipment.claimer.store.leave(self.name)
            super().register_death()  # type: ignore[no-untyped-call]
        except ServerError as error:
            log.warning("%s: cannot say good-bye: %s", self.name, error)

    def _set_ip_address(self, connection: Any) -> None:
        self.ip_address = "unknown"
        try:
            super()._set_ip_address(connection)
        except ServerError as error:
            log.warning("%s: %s", self.name, error)

    # -- the loop --------------------------------------------------------------------------------------------------

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Claim a job, or wait for one. `timeout` is None in burst mode."""
        own = self.equipment
        while True:
            try:
                held = own.claimer.next(burst=timeout is None, linger_s=own.linger_s)
            except Exception:  # the edge of the process: a worker does not leave for an error
                log.exception("%s: cannot claim", self.name)
                own.orders.wait(AFTER_ERROR_S)
                continue
            if held is None:
                return None
            self._job.held = held
            return self._job, self.queues[0]

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run what was claimed."""
        assert isinstance(job, LeasedJob)
        try:
            self.equipment.runner.run(job.held)
        except Exception:  # as above; the starter kills what it runs, and the lease runs out
            log.exception("%s: cannot run %s", self.name, job.held.lease.identity)
            self.equipment.starter.sweep()
            self.equipment.orders.wait(AFTER_ERROR_S)

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Nothing: claims and renewals are the heartbeat."""

    def check_for_suspension(self, burst: bool) -> None:
        """Nothing: a claim looks at that itself, between any two jobs."""

    @property
    def should_run_maintenance_tasks(self) -> bool:
        """Never: RQ's clean-up would requeue and expire what it does not understand."""
        return False

    def _start_scheduler(self, *args: Any, **more: Any) -> None:
        """Nothing: claims take up what is due."""

    def procline(self, message: str) -> None:
        """Nothing: the name of the process stays."""

    def set_state(self, state: str, pipeline: Any = None) -> None:
        """Keep it here: the scripts show it, where the worker is registered."""
        self._state = state

    def _set_connection(self, connection: Any) -> Any:
        """Leave its time-outs as they are: they follow the lease."""
        return connection

    # -- signals and commands --------------------------------------------------------------------------------------

    def request_stop(self, signum: int, frame: Any) -> None:
        """A signal came: note it, for it may have come amid anything."""
        self.equipment.orders.signal(signum)

    def request_force_stop(self, signum: int, frame: Any) -> None:
        """As `request_stop`, which tells a second signal from the first."""
        self.equipment.orders.signal(signum)

    def install_signal_handlers(self) -> None:
        """Heed signals from now on; RQ does so only once it is registered."""
        self._install_signal_handlers()  # type: ignore[no-untyped-call]
        signal.signal(signal.SIGQUIT, self.request_stop)

    def handle_payload(self, message: Any) -> None:
        """A command came over pub/sub, in RQ's other thread. One that makes no sense is logged; the next is heard."""
        try:
            payload = parse_payload(message)
            if payload["command"] == "stop-job":
                self.equipment.orders.stop_job(str(payload["job_id"]))
            else:
                handle_command(self, payload)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s: command not understood: %r (%s)", self.name, message.get("data"), error)

    def _pubsub_exception_handler(self, exc: Exception, pubsub: Any, pubsub_thread: Any) -> None:
        fault = fault_of(exc, self.connection)
        log.warning("%s: no commands can be heard: %s; trying again", self.name, fault.problem)
        time.sleep(2.0)

    def subscribe(self) -> None:
        """Listen for commands."""
        self.equipment.claimer.persist("subscribe", super().subscribe)

    def unsubscribe(self) -> None:
        """Listen no more."""
        if self.pubsub_thread is None or self.pubsub is None:
            return
        self.pubsub_thread.stop()  # before the word that wakes it
        try:
            self.pubsub.unsubscribe()
        except ServerError as error:
            log.warning("%s: cannot unsubscribe: %s", self.name, error)
        self.pubsub_thread.join(timeout=1)

    def get_current_job_id(self) -> str | None:
        """The id under which RQ's tools see the job that runs here, also of a worker that was merely listed."""
        if not hasattr(self, "equipment"):
            return super().get_current_job_id()
        return self.equipment.runner.running_rq_id

    @property
    def horse_pid(self) -> int:
        """Process id of the job that runs here, or of its starter, until that has told it; 0 when none runs."""
        if not hasattr(self, "equipment") or self.equipment.runner.running is None:
            return 0
        return self.equipment.runner.pid or self.equipment.starter.pid

    def kill_horse(self, sig: Any = None) -> None:
        """Kill the job that runs here; that counts as its failure."""
        self.equipment.orders.kill_job()

    def wait_for_horse(self) -> tuple[None, None, None]:
        """Nothing: its starter waits for it."""
        return None, None, None

    def request_stop_execution(self, execution_id: str) -> None:
        """Stop one execution."""
        running = self.equipment.runner.running
        if running is not None and running.lease.execution == execution_id:
            self.equipment.orders.stop_job(self.get_current_job_id() or "")
