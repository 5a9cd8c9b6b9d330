"""A slot's worker: a subclass of RQ's worker, which claims jobs with our scripts and runs them in its starter.

The registration, birth and death of a worker, the commands over pub/sub and the loop are RQ's, so that RQ's tools see
our workers as their own. Owns: what is overridden, and why. A method is overridden if RQ would use Redis at a moment of
its own, or would end the worker because of an error.
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
from xpm_worker.slot.claimer import Claimer, HeldLease
from xpm_worker.slot.orders import Orders
from xpm_worker.slot.runner import Runner
from xpm_worker.slot.starter_link import StarterLink

log = logging.getLogger(__name__)

AFTER_ERROR_S = 1.0
"""How long a worker waits after an unexpected error, seconds."""


@dataclass(frozen=True)
class SlotParts:
    """What a worker of RQ's needs to be a slot.

    Attributes:
        orders: The slot's orders.
        claimer: Its side of the store.
        runner: Runs the claimed jobs.
        starter: The way to its starter.
        join: Makes the slot known to our scripts.
        linger_s: See `Settings`.
    """

    orders: Orders
    claimer: Claimer
    runner: Runner
    starter: StarterLink
    join: Callable[[], None]
    linger_s: float | None


class LeasedJob(Job):
    """What RQ's loop passes from claim to execution. RQ does not know our jobs, so one object serves for all."""

    held: HeldLease


class XpmWorker(Worker):
    """The worker of one slot.

    RQ's tools construct it, too, to list workers. Only a slot calls `set_parts`, before it works.
    """

    parts: SlotParts

    def set_parts(self, parts: SlotParts) -> None:
        """Give the worker what it needs to work."""
        self.parts = parts
        self.log = log
        self._job = LeasedJob(connection=self.connection)

    # -- registration: repeated until Redis answers, and again when a reply says that the worker is not known ------

    def register_birth(self) -> None:
        """Make this worker known to RQ's tools and to our scripts."""
        self.parts.claimer.repeat("register", self._register)

    def register_anew(self) -> None:
        """Register again, after Redis was wiped or was away for long. If this fails, the next reply asks again."""
        log.info("%s: registering anew", self.name)
        try:
            self._register()
        except ServerError as error:
            log.warning("%s: cannot register: %s", self.name, error)

    def _register(self) -> None:
        self.connection.delete(self.key)  # else RQ believes that another worker has this name
        super().register_birth()  # type: ignore[no-untyped-call]
        self.parts.join()

    def register_death(self) -> None:
        """Sign off. An outage does not matter, because a worker that does not answer counts as gone."""
        try:
            self.parts.claimer.store.leave(self.name)
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
        """Claim a job, or wait for one.

        Args:
            timeout: None in burst mode.
            max_idle_time: Not used.

        Returns:
            The job, and any of the queues; None if the worker must leave.
        """
        own = self.parts
        while True:
            try:
                held = own.claimer.next(burst=timeout is None, linger_s=own.linger_s)
            except Exception:  # the edge of the process: an error does not end a worker
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
            self.parts.runner.run(job.held)
        except Exception:  # as above; the starter kills what it runs, and the lease ends by itself
            log.exception("%s: cannot run %s", self.name, job.held.lease.identity)
            self.parts.starter.sweep()
            self.parts.orders.wait(AFTER_ERROR_S)

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Do nothing, because claims and renewals are the heartbeat."""

    def check_for_suspension(self, burst: bool) -> None:
        """Do nothing, because each claim looks at the suspension itself."""

    @property
    def should_run_maintenance_tasks(self) -> bool:
        """Never, because RQ's maintenance would requeue or expire jobs that it does not understand."""
        return False

    def _start_scheduler(self, *args: Any, **more: Any) -> None:
        """Do nothing, because claims also take up jobs whose time has come."""

    def procline(self, message: str) -> None:
        """Do nothing, so that the process keeps its name."""

    def set_state(self, state: str, pipeline: Any = None) -> None:
        """Keep the state here only. Our scripts write it into RQ's hash of the worker."""
        self._state = state

    def _set_connection(self, connection: Any) -> Any:
        """Leave the connection's time-outs as they are, because they follow from the lease."""
        return connection

    # -- signals and commands --------------------------------------------------------------------------------------

    def request_stop(self, signum: int, frame: Any) -> None:
        """Note a signal. Nothing else is done here, because a signal may interrupt anything."""
        self.parts.orders.signal(signum)

    def request_force_stop(self, signum: int, frame: Any) -> None:
        """Do the same as `request_stop`; the orders know whether a signal is the second one."""
        self.parts.orders.signal(signum)

    def install_signal_handlers(self) -> None:
        """Handle signals from now on. RQ itself does so only after the registration."""
        self._install_signal_handlers()  # type: ignore[no-untyped-call]
        signal.signal(signal.SIGQUIT, self.request_stop)

    def handle_payload(self, message: Any) -> None:
        """Handle a command that came over pub/sub, in RQ's other thread. A command that is not understood is logged."""
        try:
            payload = parse_payload(message)
            if payload["command"] == "stop-job":
                self.parts.orders.stop_job(str(payload["job_id"]))
            elif payload["command"] == "xpm-order":
                self.parts.orders.hint()
            else:
                handle_command(self, payload)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s: command not understood: %r (%s)", self.name, message.get("data"), error)

    def _pubsub_exception_handler(self, exc: Exception, pubsub: Any, pubsub_thread: Any) -> None:
        fault = fault_of(exc, self.connection)
        log.warning("%s: no commands can be received: %s; trying again", self.name, fault.problem)
        time.sleep(2.0)

    def subscribe(self) -> None:
        """Receive commands from now on."""
        self.parts.claimer.repeat("subscribe", super().subscribe)

    def unsubscribe(self) -> None:
        """Receive no commands any more."""
        if self.pubsub_thread is None or self.pubsub is None:
            return
        self.pubsub_thread.stop()  # before the reply to `unsubscribe`, which wakes the thread
        try:
            self.pubsub.unsubscribe()
        except ServerError as error:
            log.warning("%s: cannot unsubscribe: %s", self.name, error)
        self.pubsub_thread.join(timeout=1)

    def get_current_job_id(self) -> str | None:
        """The id under which RQ's tools see the running job. A worker that was only listed asks Redis."""
        if not hasattr(self, "parts"):
            return super().get_current_job_id()
        return self.parts.runner.running_rq_id

    @property
    def horse_pid(self) -> int:
        """Process id of the running job, or of the starter until it has sent this id; 0 when no job runs."""
        if not hasattr(self, "parts") or self.parts.runner.running is None:
            return 0
        return self.parts.runner.pid or self.parts.starter.pid

    def kill_horse(self, sig: Any = None) -> None:
        """Kill the running job, which then counts as failed."""
        self.parts.orders.kill_job()

    def wait_for_horse(self) -> tuple[None, None, None]:
        """Do nothing, because the starter waits for the job."""
        return None, None, None

    def request_stop_execution(self, execution_id: str) -> None:
        """Stop the running job, if it is this execution."""
        running = self.parts.runner.running
        if running is not None and running.lease.execution == execution_id:
            self.parts.orders.stop_job(self.get_current_job_id() or "")
