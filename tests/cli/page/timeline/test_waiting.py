"""What jobs waited for, by a replay of the events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_cli.page.timeline.moves import Move
from xpm_cli.page.timeline.waiting import NEEDS, PAUSE, UNKNOWN, WORKER, Capacity, Line, Waiting
from xpm_core.states import Event

PLAIN, GPU = Line("default", ()), Line("default", (("gpu", 1),))


def replay(
    moves: Iterable[Move],
    lines: Mapping[str, Line],
    *,
    tokens: Mapping[str, Capacity] | None = None,
    ready: Mapping[Line, int] | None = None,
    waiting: int = 0,
    hosts: Mapping[str, str] | None = None,
) -> Waiting:
    found = Waiting(hosts=hosts or {}, lines=dict(lines))
    found.set_tokens(tokens or {})
    moves = list(moves)
    found.begin(moves, Counter(ready or {}), waiting)
    found.add(moves, {})
    return found


def moved(*moves: tuple[float, Event, str]) -> list[Move]:
    return [Move(at_s, event, job, execution=f"of {job}", worker="w.0") for at_s, event, job in moves]


def test_time_in_line_is_for_a_token_while_it_is_held_and_then_for_a_worker() -> None:
    moves = moved(
        (0, Event.SUBMITTED, "a"), (0, Event.READY, "a"), (0, Event.SUBMITTED, "b"), (0, Event.READY, "b"),
        (1, Event.STARTED, "a"), (11, Event.DONE, "a"), (13, Event.STARTED, "b"), (20, Event.DONE, "b"),
    )  # fmt: skip
    found = replay(moves, {"a": GPU, "b": GPU}, tokens={"gpu": Capacity(1, False)})
    assert found.until(100.0) == {WORKER: 2 * 1 + 2, "token gpu": 10}
    assert (found.since_s, found.jobs) == (0, 0)


def test_dependencies_and_pauses_of_retries_count_by_themselves() -> None:
    moves = moved(
        (0, Event.SUBMITTED, "a"), (0, Event.WAITING, "a"), (5, Event.READY, "a"), (6, Event.STARTED, "a"),
        (7, Event.DELAYED, "a"), (17, Event.READY, "a"), (18, Event.STARTED, "a"),
    )  # fmt: skip
    assert replay(moves, {"a": PLAIN}).until(30.0) == {NEEDS: 5, PAUSE: 10, WORKER: 2}


def test_a_paused_queue_comes_before_a_token() -> None:
    moves = [
        *moved((0, Event.SUBMITTED, "a"), (0, Event.READY, "a")),
        Move(3, Event.QUEUE_PAUSED, queue="default"),
        Move(8, Event.QUEUE_RESUMED, queue="default"),
    ]
    found = replay(moves, {"a": GPU}, tokens={"gpu": Capacity(0, False)})
    assert found.until(10.0) == {"token gpu": 3 + 2, "the paused queue default": 5}


def test_what_the_first_event_says_of_before_counts_from_the_oldest_event() -> None:
    """Older events were dropped: `a` ran then and held the token, `b` stood in line, `c` still does."""
    moves = moved((10, Event.PROGRESS, "x"), (20, Event.DONE, "a"), (30, Event.STARTED, "b"))
    lines = {"x": PLAIN, "a": GPU, "b": GPU, "c": GPU}
    found = replay(moves, lines, tokens={"gpu": Capacity(1, False)}, ready={GPU: 1})
    assert found.until(40.0) == {"token gpu": 2 * 10 + 10, WORKER: 2 * 10}
    assert found.since_s == 10
    found.add(moved((50, Event.DONE, "b"), (50, Event.STARTED, "c")), {})
    assert found.jobs == 0


def test_jobs_that_wait_for_others_since_before_the_oldest_event_count_until_they_are_ready() -> None:
    found = replay(moved((0, Event.PROGRESS, "x")), {"x": PLAIN, "late": PLAIN}, waiting=2)
    found.add(moved((10, Event.READY, "late"), (15, Event.STARTED, "late")), {})
    assert found.until(15.0) == {NEEDS: 10 * 2 + 5, WORKER: 5}


def test_a_job_that_first_became_ready_waited_for_what_is_not_known() -> None:
    moves = moved((0, Event.PROGRESS, "x"), (4, Event.READY, "a"), (6, Event.STARTED, "a"))
    assert replay(moves, {"a": PLAIN}).until(9.0) == {UNKNOWN: 4, WORKER: 2}


def test_a_job_that_the_server_forgot_waits_for_what_is_not_known() -> None:
    assert replay(moved((0, Event.SUBMITTED, "a"), (0, Event.READY, "a")), {}).until(5.0) == {UNKNOWN: 5}


def test_units_of_each_machine_are_free_if_one_machine_has_them() -> None:
    moves = [
        Move(0, Event.READY, "a", worker="w.0"), Move(0, Event.STARTED, "a", worker="w.0"),
        Move(0, Event.SUBMITTED, "c"), Move(0, Event.READY, "c"),
        Move(5, Event.SUBMITTED, "b"), Move(5, Event.READY, "b"), Move(5, Event.STARTED, "b", worker="v.0"),
    ]  # fmt: skip
    lines, tokens = dict.fromkeys("abc", GPU), {"gpu": Capacity(1, True)}
    found = replay(moves, lines, tokens=tokens, hosts={"w.0": "node1", "v.0": "node2"})
    assert found.until(8.0) == {WORKER: 5, "token gpu": 3}


def test_lost_and_handed_back_jobs_give_their_units_back() -> None:
    for event in (Event.LOST, Event.RELEASED):
        moves = moved(
            (0, Event.SUBMITTED, "a"), (0, Event.READY, "a"), (0, Event.STARTED, "a"), (0, Event.SUBMITTED, "b"),
            (0, Event.READY, "b"), (4, event, "a"), (4, Event.READY, "a"),
        )  # fmt: skip
        found = replay(moves, {"a": GPU, "b": GPU}, tokens={"gpu": Capacity(1, False)})
        assert found.until(5.0) == {"token gpu": 4, WORKER: 2}


def test_a_clock_that_goes_back_counts_nothing() -> None:
    moves = moved((10, Event.SUBMITTED, "a"), (10, Event.READY, "a"), (5, Event.SUBMITTED, "b"), (5, Event.READY, "b"))
    assert replay(moves, {"a": PLAIN, "b": PLAIN}).until(12.0) == {WORKER: 4}


@given(
    st.lists(st.tuples(st.integers(0, 5), st.floats(0, 9)), max_size=60),
    st.integers(0, 60),
    st.integers(0, 3),
)
def test_all_that_was_waited_is_shared_out(steps: list[tuple[int, float]], cut: int, units: int) -> None:
    """However the events are split into a beginning and later parts, and wherever older ones were cut off."""
    lines = {f"j{number}": GPU if number % 2 else PLAIN for number in range(6)}
    following = {None: Event.READY, Event.READY: Event.STARTED, Event.STARTED: Event.DELAYED,
                 Event.DELAYED: Event.READY}  # fmt: skip
    last: dict[str, Event] = {}
    moves, at_s = [], 0.0
    for number, passed_s in steps:
        at_s += passed_s
        job = f"j{number}"
        if job not in last:
            moves.append(Move(at_s, Event.SUBMITTED, job))
        last[job] = following[last.get(job)]
        moves.append(Move(at_s, last[job], job, worker="w.0"))
    kept = moves[cut:]
    ready = Counter(lines[job] for job, event in last.items() if event is Event.READY)
    found = replay(kept, lines, tokens={"gpu": Capacity(units, False)}, ready=ready)
    if kept:
        expected = sum(waited(moves, job, kept[0].at_s, at_s + 1) for job in lines)
        delayed = sum(waited(moves, job, kept[0].at_s, at_s + 1, Event.DELAYED) for job in unheard(moves, kept))
        assert sum(found.until(at_s + 1).values()) == pytest.approx(expected - delayed, abs=1e-6)


def unheard(moves: list[Move], kept: list[Move]) -> set[str]:
    return {move.job for move in moves} - {move.job for move in kept}


def waited(moves: list[Move], job: str, from_s: float, to_s: float, *events: Event) -> float:
    """How long a job was ready or delayed, between two times."""
    total, since = 0.0, None
    for move in [each for each in moves if each.job == job]:
        if since is not None:
            total += max(min(move.at_s, to_s) - max(since, from_s), 0.0)
        since = move.at_s if move.event in (events or (Event.READY, Event.DELAYED)) else None
    return total + (max(to_s - max(since, from_s), 0.0) if since is not None else 0.0)
