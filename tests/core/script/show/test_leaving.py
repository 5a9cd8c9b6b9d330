"""A script says which jobs it does not wait for: those of earlier runs, and its own when it stops."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from helpers.playground import Stage
from helpers.private_server import PrivateServer
from script_tasks import Hold, Write

from xpm_core import experiment
from xpm_core.index.entries import End
from xpm_core.index.merged import MergedIndex
from xpm_core.index.writers import EndWriter
from xpm_core.reading.jobs import JobReader
from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.store.jobs import Store, new_execution_id
from xpm_core.store.records import Lease, WorkerId

pytestmark = pytest.mark.redis


class Deaf:
    """An experiment without workers that hears of no event any more, and its three jobs."""

    def __init__(self, folder: Path, url: str) -> None:
        self.xp = experiment(folder / "workspace", "deaf", redis=url, workers=0)
        self.xp.__enter__()
        self.identities = [Write.C(note="deaf", n=n).submit().jobpath.name for n in range(3)]
        self.xp._run.submitter.flush()
        self.xp._run.follower.stop()
        self.xp.tracker.callbacks.close(make_all=False)
        self.store = Store(self.xp.connector.client, self.xp.workspace.id)

    def claim(self) -> Lease:
        """Let a worker start one."""
        lease = self.store.claim(WorkerId("w1", "node1"), new_execution_id()).lease
        assert lease is not None
        return lease

    def states(self) -> list[State]:
        """How they stand."""
        return [state for state, _ in Reader(self.store.client, self.store.w).jobs.states(self.identities).values()]

    def fail(self) -> None:
        """Let the script raise an error."""
        self.xp.__exit__(ValueError, ValueError(), None)

    def interrupt(self) -> None:
        """Press Ctrl-C in it."""
        before = signal.getsignal(signal.SIGINT)
        try:
            with pytest.raises(SystemExit):
                self.xp.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
        finally:
            signal.signal(signal.SIGINT, before)


@pytest.fixture
def deaf(tmp_path: Path, redis_url: str) -> Deaf:
    """It has not heard that one of its jobs has started."""
    return Deaf(tmp_path, redis_url)


def test_words_after_an_error_count_what_the_script_has_not_heard_of(
    deaf: Deaf, capsys: pytest.CaptureFixture[str]
) -> None:
    deaf.claim()
    deaf.fail()
    assert "Its jobs go on (2 ready, 1 running)" in capsys.readouterr().err


def test_words_after_an_error_do_not_count_what_has_ended_unheard(
    deaf: Deaf, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        deaf.store.finish(WorkerId("w1", "node1"), deaf.claim(), State.DONE)
    deaf.fail()
    assert "No job is unfinished." in capsys.readouterr().err


def test_second_ctrl_c_does_not_cancel_what_has_started_unheard(
    deaf: Deaf, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(seconds: float) -> None:
        deaf.claim()
        raise KeyboardInterrupt

    deaf.claim()
    monkeypatch.setattr("xpm_core.script.show.leaving.time.sleep", pressed)
    deaf.interrupt()
    said = capsys.readouterr().err
    assert "Its jobs go on (2 ready, 1 running)" in said
    assert "1 jobs cancelled" in said
    assert sorted(deaf.states()) == [State.CANCELLED, State.RUNNING, State.RUNNING]
    jobs = Reader(deaf.store.client, deaf.store.w).jobs.read(deaf.identities)
    assert not any(job.cancel_asked for job in jobs), "those that run are left in peace"


def test_what_a_second_ctrl_c_cancels_is_cancelled_in_the_index_too(
    deaf: Deaf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(seconds: float) -> None:
        raise KeyboardInterrupt

    deaf.claim()
    monkeypatch.setattr("xpm_core.script.show.leaving.time.sleep", pressed)
    deaf.interrupt()
    entries = MergedIndex(deaf.xp.workspace.path).read()
    ended = [entries[identity].state for identity in deaf.identities]
    assert ended.count(State.CANCELLED) == 2
    assert ended.count(None) == 1


def test_a_second_ctrl_c_cancels_many_jobs_in_one_round_trip(
    deaf: Deaf, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last ones first. One that ends again before this is noted keeps that end in the index."""
    batches: list[list[str]] = []
    cancel_each = Store.cancel_each

    def counted(store: Store, jobs: Iterable[tuple[str, bool]]) -> Any:
        wanted = list(jobs)
        batches.append([identity for identity, _ in wanted])
        answers = cancel_each(store, wanted)
        time.sleep(0.002)  # the index has milliseconds
        EndWriter(deaf.xp.workspace.path, "w").add(wanted[0][0], End(State.DONE, time.time()))
        return answers

    def pressed(seconds: float) -> None:
        monkeypatch.setattr("xpm_core.script.show.leaving.time.sleep", sleep)
        raise KeyboardInterrupt

    sleep = time.sleep
    monkeypatch.setattr(Store, "cancel_each", counted)
    monkeypatch.setattr("xpm_core.script.show.leaving.BATCH", 2)
    monkeypatch.setattr("xpm_core.script.show.leaving.time.sleep", pressed)
    deaf.interrupt()
    last = deaf.identities[::-1]
    assert batches == [last[:2], last[2:]]
    assert deaf.states() == [State.CANCELLED] * 3
    assert "3 jobs cancelled" in capsys.readouterr().err
    entries = MergedIndex(deaf.xp.workspace.path).read()
    assert [entries[each].state for each in last] == [State.DONE, State.CANCELLED, State.DONE]


def test_jobs_whose_cancellation_a_third_ctrl_c_cuts_off_are_counted(
    deaf: Deaf, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has cancelled them. The script does not see the answer."""
    cancel_each = Store.cancel_each

    def cut_off(store: Store, jobs: Iterable[tuple[str, bool]]) -> Any:
        answers = cancel_each(store, jobs)
        if len(answers) < 2:
            raise KeyboardInterrupt
        return answers

    def pressed(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "cancel_each", cut_off)
    monkeypatch.setattr("xpm_core.script.show.leaving.BATCH", 2)
    monkeypatch.setattr("xpm_core.script.show.leaving.time.sleep", pressed)
    deaf.interrupt()
    assert deaf.states() == [State.CANCELLED] * 3
    said = capsys.readouterr().err
    assert "2 jobs cancelled that had not started. The server has not answered about 1 more job." in said


def test_ctrl_c_before_anything_was_said_cancels_nothing(
    deaf: Deaf, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody presses it again while a slow server is asked how the jobs stand."""
    states = JobReader.states

    def slow(*arguments: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return states(*arguments)

    monkeypatch.setattr("xpm_core.reading.jobs.JobReader.states", slow)
    monkeypatch.setattr("xpm_core.script.show.leaving.time.sleep", lambda seconds: None)
    deaf.interrupt()
    monkeypatch.undo()
    assert "stopped watching. Its jobs go on (3 ready)" in capsys.readouterr().err
    assert deaf.states() == [State.READY] * 3


def test_words_count_what_was_heard_where_the_server_is_silent(
    fresh_server: Callable[..., PrivateServer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = fresh_server()
    deaf = Deaf(tmp_path, server.url)
    deaf.claim()
    os.kill(server.pid, signal.SIGSTOP)
    try:
        deaf.fail()
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert "Its jobs go on (3 ready)" in capsys.readouterr().err


def test_unfinished_jobs_of_earlier_runs_are_named_once_and_not_waited_for(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, gate = stage.name(), tmp_path / "gate"
    with stage.broken(name):
        held = [Hold.C(note=name, n=n, until=gate).submit(queue="elsewhere") for n in range(2)]
    capsys.readouterr()
    with stage.experiment(name) as xp:
        Write.C(note=name).submit()
        assert xp.wait().done == 1
        xp.wait()
    said = [line for line in capsys.readouterr().err.splitlines() if "earlier runs" in line]
    [line] = said
    for task in held:
        assert stage.job(task).identity[:7] in line.partition("xpm cancel")[2], "the command cancels all of them"
    assert "2 unfinished jobs of earlier runs" in line


def test_nothing_is_said_of_earlier_runs_when_their_jobs_have_ended(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    name = stage.name()
    for n in range(2):
        with stage.experiment(name):
            Write.C(note=name, n=n).submit()
    assert "earlier" not in capsys.readouterr().err


def test_many_unfinished_jobs_of_earlier_runs_are_told_by_their_number(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = stage.name()
    with stage.broken(name):
        for n in range(10):
            Hold.C(note=name, n=n, until=tmp_path / "gate").submit(queue="elsewhere")
    capsys.readouterr()
    with stage.experiment(name):
        Write.C(note=name).submit()
    [line] = [line for line in capsys.readouterr().err.splitlines() if "earlier runs" in line]
    assert "10 unfinished jobs of earlier runs" in line
    assert "(and 2 more, see " in line
