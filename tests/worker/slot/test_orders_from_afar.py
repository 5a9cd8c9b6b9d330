"""Orders from afar and paused queues, with real daemons."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import worker_tasks as tasks
from helpers.daemons import Crew, Worker
from helpers.waiting import wait_until

from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.refusals import daemon_of
from xpm_core.store.steering.orders import Order, OrderCode, order_worker
from xpm_core.store.steering.pauses import pause_queue, resume_queue
from xpm_worker.slot.orders import Orders, Shutdown
from xpm_worker.system.processes import send_signal

pytestmark = [pytest.mark.redis, pytest.mark.slow]

LONG_S = 600
"""A lease whose renewals no test can wait for: what comes sooner was sent by a hint."""


def running(crew: Crew, name: str, until: Path = Path("/nonexistent")) -> tasks.Wait:
    """Submit a task that waits, and wait until its code runs."""
    task = tasks.Wait.C(note=name, until=until)
    crew.submit(task)
    crew.wait(task, State.RUNNING)
    wait_until((crew.directory(task).path / "pid").exists, show=lambda: crew.explain(task))
    return task


def order(crew: Crew, worker: str, what: Order) -> OrderCode:
    return order_worker(crew.client, crew.workspace.id, worker, what, "ann@node1")[0]


def names(crew: Crew) -> set[str]:
    return {worker.name for worker in crew.known()}


def left(crew: Crew, name: str, daemon: Worker) -> None:
    """Wait until a worker has left."""
    wait_until(lambda: name not in names(crew), show=lambda: daemon.log)


def test_a_busy_worker_drains_and_its_daemon_stays_with_the_others(crew: Crew, tmp_path: Path) -> None:
    daemon = crew.started(slots=2, lease_s=LONG_S)
    task = running(crew, "x", tmp_path / "go")
    worker = crew.job(task).worker
    assert order(crew, worker, Order.DRAIN) is OrderCode.ORDERED
    wait_until(lambda: "from afar to finish its job and leave" in daemon.log, show=lambda: daemon.log)
    crew.submit(other := tasks.Write.C(note="other"))
    crew.wait(other)
    (tmp_path / "go").touch()
    crew.wait(task)
    left(crew, worker, daemon)
    crew.submit(later := tasks.Write.C(note="later"))
    crew.wait(later)
    assert len(names(crew)) == 1
    assert crew.job(other).execution != crew.job(task).execution


def test_a_drain_that_is_taken_back_lets_the_worker_go_on(crew: Crew, tmp_path: Path) -> None:
    daemon = crew.started(lease_s=LONG_S)
    task = running(crew, "x", tmp_path / "go")
    worker = crew.job(task).worker
    order(crew, worker, Order.DRAIN)
    wait_until(lambda: "from afar to finish" in daemon.log, show=lambda: daemon.log)
    assert order(crew, worker, Order.RESUME) is OrderCode.ORDERED
    wait_until(lambda: "from afar to stay" in daemon.log, show=lambda: daemon.log)
    crew.submit(other := tasks.Write.C(note="other"))
    (tmp_path / "go").touch()
    crew.wait(other)
    assert names(crew) == {worker}


@pytest.mark.parametrize("what", [Order.STOP, Order.STOP_NOW])
def test_a_worker_that_stops_hands_its_job_back_and_another_takes_it(crew: Crew, what: Order) -> None:
    daemon = crew.started("--grace", "10", lease_s=LONG_S)
    task = running(crew, "x")
    worker = crew.job(task).worker
    order(crew, worker, what)
    assert daemon.left() == 0
    job = crew.job(task)
    assert (job.state, job.failures, job.losses, job.reason) == (State.READY, 0, 0, "released")
    assert (crew.record(task)["reason"], crew.directory(task).marker()) == ("released", None)
    crew.started()
    assert crew.wait(task, State.RUNNING).worker != worker


def test_a_daemon_whose_slots_have_all_drained_ends(crew: Crew, tmp_path: Path) -> None:
    daemon = crew.started(slots=3, lease_s=LONG_S)
    task = running(crew, "x", tmp_path / "go")
    assert len({daemon_of(name) for name in names(crew)}) == 1
    for name in names(crew):
        order(crew, name, Order.DRAIN)
    wait_until(lambda: names(crew) == {crew.job(task).worker}, show=lambda: daemon.log)
    (tmp_path / "go").touch()
    assert daemon.left() == 0
    assert crew.state(task) is State.DONE


def test_a_slot_that_dies_before_it_has_heard_its_order_is_not_started_for_good(crew: Crew, tmp_path: Path) -> None:
    daemon = crew.started(lease_s=LONG_S)
    running(crew, "x", tmp_path / "go")
    [slot] = daemon.slots()
    send_signal([slot.pid], signal.SIGSTOP)
    [name] = names(crew)
    order(crew, name, Order.DRAIN)
    send_signal([slot.pid], signal.SIGKILL)
    assert daemon.left() == 0
    assert "ordered from afar to finish its job and leave" in daemon.log


def test_an_order_reaches_a_worker_whose_registration_was_lost(crew: Crew) -> None:
    daemon = crew.started(lease_s=0.5)
    [name] = names(crew)
    crew.client.delete(keys.rq_worker(name))
    order(crew, name, Order.DRAIN)
    assert daemon.left() == 0


def test_a_paused_queue_keeps_its_due_retry_until_it_is_resumed(crew: Crew) -> None:
    crew.started("--queue", "default", "--queue", "other")
    w, task = crew.workspace.id, tasks.Fail.C()
    crew.submit(task, max_retries=1, backoff_s=LONG_S)
    crew.wait(task, State.DELAYED)
    pause_queue(crew.client, w, "default", "ann@node1")
    crew.client.zadd(keys.delayed(w), {crew.job(task).identity: 0})
    crew.store.look()
    crew.submit(other := tasks.Write.C(note="other"), queue="other")
    crew.wait(other)
    assert (crew.state(task), crew.job(task).attempts) == (State.READY, 1)
    resume_queue(crew.client, w, "default", "ann@node1")
    crew.wait(task, State.FAILED)
    assert crew.job(task).attempts == 2


def test_a_stop_is_final_and_a_stricter_order_counts() -> None:
    orders = Orders()
    assert [orders.steer(word) for word in ("drain", "drain", "")] == [True, False, True]
    assert orders.shutdown is Shutdown.NONE
    orders.steer("stop")
    orders.steer("")
    assert orders.shutdown is Shutdown.HAND_BACK
    orders.steer("stop_now")
    orders.steer("drain")
    assert (orders.shutdown, orders.signalled) == (Shutdown.AT_ONCE, Shutdown.NONE)


def test_a_signal_counts_beside_an_order_that_is_taken_back() -> None:
    orders = Orders()
    orders.steer("drain")
    orders.signal(signal.SIGINT)
    orders.steer("")
    assert orders.shutdown is Shutdown.DRAIN
