"""Which events count for the timeline."""

from __future__ import annotations

from xpm_cli.page.timeline.moves import Move, moves
from xpm_core.reading.events import Record
from xpm_core.states import Event


def record(event: Event, job: str = "", at_s: float = 1.0, **data: str) -> Record:
    return Record("1-0", event, at_s, job, "demo:Task" if job else "", "", "", data)


def test_talk_counts_only_as_the_first_that_is_heard_of_a_job() -> None:
    heard: set[str] = set()
    found = [record(Event.PROGRESS, "a"), record(Event.OUTPUT, "a"), record(Event.DONE, "a"), record(Event.OUTPUT, "a")]
    assert [each.event for each in moves(found, heard)] == [Event.PROGRESS, Event.DONE]
    assert list(moves([record(Event.PROGRESS, "a")], heard)) == []


def test_what_an_event_needs_is_kept() -> None:
    found = [
        record(Event.STARTED, "a", attempt="2"), record(Event.STARTED, "a", attempt="x²"),
        record(Event.DONE, "b", reason="adopted"), record(Event.QUEUE_PAUSED, queue="gpu"),
    ]  # fmt: skip
    first, second, third, fourth = moves(found, set())
    assert (first.attempt, second.attempt, third.adopted) == (2, 0, True)
    assert fourth == Move(1.0, Event.QUEUE_PAUSED, queue="gpu")


def test_orders_to_workers_do_not_count() -> None:
    assert list(moves([record(Event.WORKER_ORDERED)], set())) == []
