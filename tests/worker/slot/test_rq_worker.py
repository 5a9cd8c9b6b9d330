"""What we rely on in RQ: all that our worker overrides is there, and is called as we expect."""

from __future__ import annotations

import inspect
import types

import pytest
import rq
from rq import Worker

from xpm_worker.slot.rq_worker import XpmWorker

OWN = {"set_parts", "register_anew", "_register", "install_signal_handlers"}
"""What RQ does not know of."""

OVERRIDDEN = sorted(
    name
    for name, value in vars(XpmWorker).items()
    if isinstance(value, (types.FunctionType, property)) and name not in OWN
)


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_what_we_override_is_there(name: str) -> None:
    theirs, ours = getattr(Worker, name), getattr(XpmWorker, name)
    assert isinstance(theirs, property) == isinstance(ours, property), f"RQ {rq.__version__} changed Worker.{name}"
    if isinstance(theirs, property):
        return
    taken = inspect.signature(ours).parameters
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in taken.values()):
        return
    missing = [parameter for parameter in inspect.signature(theirs).parameters if parameter not in taken]
    assert not missing, f"RQ {rq.__version__}: Worker.{name} takes {missing}, too"


def test_nothing_of_rqs_own_work_is_left_to_it() -> None:
    """Each method that would speak to Redis at a moment of its own, or end the worker, is overridden."""
    names = """
        dequeue_job_and_maintain_ttl execute_job kill_horse wait_for_horse heartbeat check_for_suspension
        should_run_maintenance_tasks _start_scheduler procline _set_connection request_stop request_force_stop
        handle_payload register_death unsubscribe set_state
    """
    assert set(names.split()) <= set(OVERRIDDEN)


def test_rqs_loop_speaks_to_redis_through_what_we_override_alone() -> None:
    """The loop names no other method of the worker than these."""
    names = set(Worker.work.__code__.co_names)
    methods = {name for name in names if inspect.isfunction(getattr(Worker, name, None))}
    assert methods == {
        "bootstrap", "_start_scheduler", "_install_signal_handlers", "check_for_suspension", "run_maintenance_tasks",
        "dequeue_job_and_maintain_ttl", "execute_job", "heartbeat", "teardown",
    }  # fmt: skip
