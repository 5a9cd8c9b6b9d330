"""Asking the server why jobs do not run: seldom, in another thread, and without harm if it does not answer."""

from __future__ import annotations

import threading

import pytest
from helpers.tracked_jobs import job
from helpers.waiting import wait_until

from xpm_core.script.live import asker
from xpm_core.script.live.asker import Asker, typical
from xpm_core.states import State
from xpm_core.words.reasons import Reason
from xpm_core.words.reasons_of_workers import Suspended


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions are not held back."""
    monkeypatch.setattr(asker, "FIRST_S", 0.0)


def test_ready_jobs_are_asked_about_and_the_answer_is_kept() -> None:
    asked: list[str] = []

    def ask(identity: str) -> Reason:
        asked.append(identity)
        return Suspended()

    ready, knows = job(State.READY), Asker(ask)
    for _ in range(2):
        knows.look([job(State.RUNNING), ready])
    wait_until(lambda: knows.answer)
    assert (knows.answer.identity, knows.answer.reason) == (ready.identity, Suspended())  # type: ignore[union-attr]
    for _ in range(9):
        knows.look([ready])
    assert asked == [ready.identity], "not again before EVERY_S"


def test_nobody_is_asked_while_no_job_is_ready() -> None:
    knows = Asker(lambda identity: pytest.fail("asked"))
    for _ in range(3):
        knows.look([job(State.RUNNING), job(State.WAITING)])
    assert knows.answer is None


def test_server_that_hangs_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asker, "EVERY_S", 0.0)
    hangs, calls = threading.Event(), []

    def ask(identity: str) -> Reason:
        calls.append(identity)
        hangs.wait()
        return Suspended()

    knows, ready = Asker(ask), [job(State.READY)]
    for _ in range(9):
        knows.look(ready)
    wait_until(lambda: calls)
    assert len(calls) == 1, "one question at a time"
    knows.leave()
    hangs.set()
    wait_until(lambda: knows.answer)


def test_error_takes_the_answer_away() -> None:
    answers: list[Reason | Exception] = [ConnectionError("gone"), Suspended()]

    def ask(identity: str) -> Reason:
        answer = answers.pop()
        if isinstance(answer, Exception):
            raise answer
        return answer

    knows, ready = Asker(ask), [job(State.READY)]
    knows.look(ready)
    knows.look(ready)
    wait_until(lambda: knows.answer)
    asker.EVERY_S, every_s = 0.0, asker.EVERY_S
    try:
        knows._due_s = 0.0
        wait_until(lambda: (knows.look(ready), knows.answer is None)[1])
    finally:
        asker.EVERY_S = every_s
    knows.leave()


def test_the_job_asked_about_stands_for_most() -> None:
    few = [job(State.READY, demand={"cpu": 1}), job(State.READY, queue="other", demand={"gpu": 1})]
    most = [job(State.READY, demand={"gpu": 1}) for _ in range(2)]
    running = [job(State.RUNNING, demand={}) for _ in range(5)]
    assert typical([*running, *few, *most]) == most[0].identity
