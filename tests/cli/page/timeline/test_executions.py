"""What events mean for executions, and which source is believed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xpm_cli.page.timeline.executions import Executions
from xpm_cli.page.timeline.lanes import Execution, How
from xpm_cli.page.timeline.moves import Move
from xpm_core.states import Event

ENDS = {
    Event.DONE: How.DONE, Event.FAILED: How.FAILED, Event.DELAYED: How.RETRIED, Event.CANCELLED: How.CANCELLED,
    Event.LOST: How.LOST, Event.RELEASED: How.RELEASED,
}  # fmt: skip


def move(at_s: float, event: Event, execution: str = "e", worker: str = "w.0") -> Move:
    return Move(at_s, event, "job", "demo:Task", execution, worker, 1 if event is Event.STARTED else 0)


def end(how: How = How.DONE, ended_s: float = 9.0) -> Execution:
    return Execution("e", "job", "", "w.0", 1, 1.5, ended_s, how)


def known(found: Executions, now_s: float = 100.0) -> list[tuple[float, float | None, How]]:
    return [(run.of.started_s, run.of.ended_s, run.of.how) for lane in found.lanes(now_s) for run in lane.runs]


def test_each_event_ends_an_execution_in_its_way() -> None:
    for event, how in ENDS.items():
        found = Executions()
        found.add_moves([move(1, Event.STARTED), move(5, event), move(6, Event.READY)])
        assert known(found) == [(1, 5, how)]


def test_the_first_end_counts() -> None:
    """A lost execution is followed by what becomes of the job; both events name it."""
    found = Executions()
    found.add_moves([move(1, Event.STARTED), move(5, Event.LOST), move(5, Event.FAILED)])
    assert known(found) == [(1, 5, How.LOST)]


def test_events_come_before_the_index_in_whatever_order_they_are_read() -> None:
    events = [move(1, Event.STARTED), move(8, Event.DONE)]
    for first in (True, False):
        found = Executions()
        if first:
            found.add_ends([end()])
        found.add_moves(events)
        found.add_ends([end()])
        assert known(found) == [(1, 8, How.DONE)]


def test_the_index_ends_what_events_left_open() -> None:
    found = Executions()
    found.add_moves([move(1, Event.STARTED)])
    assert known(found) == [(1, None, How.RUNNING)]
    found.add_ends([end()])
    assert known(found) == [(1, 9.0, How.DONE)]
    assert not found.running


def test_ends_of_what_nobody_saw_begin_are_counted_until_the_index_says_more() -> None:
    found = Executions()
    found.add_moves([move(5, Event.LOST), move(5, Event.DONE, "f")])
    assert found.unseen == {"e"}
    found.add_ends([end(How.FAILED)])
    assert found.unseen == set()


def test_a_worker_is_there_from_its_coming_to_its_leaving() -> None:
    found = Executions()
    found.add_moves([move(1, Event.WORKER_UP, ""), move(7, Event.WORKER_DOWN, "")])
    [lane] = found.lanes(100.0)
    assert (lane.from_s, lane.to_s, lane.runs) == (1, 7, ())


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([Event.STARTED, *ENDS]), st.floats(0, 5)), max_size=40))
def test_each_execution_that_began_is_there_once(steps: list[tuple[int, Event, float]]) -> None:
    found, at_s, begun = Executions(), 0.0, set()
    for number, event, passed_s in steps:
        at_s += passed_s
        if event is Event.STARTED and f"e{number}" in begun:
            continue
        begun |= {f"e{number}"} if event is Event.STARTED else set()
        found.add_moves([move(at_s, event, f"e{number}", f"w.{number % 2}")])
    runs = [run.of.execution for lane in found.lanes(at_s) for run in lane.runs]
    assert sorted(runs) == sorted(begun)
