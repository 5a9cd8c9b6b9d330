"""Each way in which a run can end is announced once, with how it ended."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator

import pytest
from helpers.playground import BrokenError, Stage
from script_tasks import Fail, Write

from xpm_core import experiment
from xpm_core.errors import FailedExperiment, WipedError
from xpm_core.script import ending
from xpm_core.script.announce.announcer import Announcer
from xpm_core.script.follow.tracker import Tracker
from xpm_core.script.show.leaving import interruptible, undisturbed

pytestmark = pytest.mark.redis

Told = list[tuple[str, str]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What is announced: outcome and last line of the report."""
    found: Told = []
    monkeypatch.setattr(Announcer, "ended", lambda self, outcome, summary, report: found.append((outcome, report)))
    return found


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """A script that was interrupted leaves Ctrl-C to the system."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def stops(error: BaseException) -> Callable[[experiment], None]:
    def way(xp: experiment) -> None:
        raise error

    return way


def goes_on(xp: experiment) -> None:
    pass


@pytest.mark.parametrize(
    ("task", "way", "raised", "outcome", "said"),
    [
        (Write, goes_on, None, "done", "1 done"),
        (Fail, goes_on, FailedExperiment, "failed", "1 failed"),
        (Write, stops(BrokenError()), BrokenError, "stopped", "the script stopped with BrokenError."),
        (Write, stops(SystemExit(0)), SystemExit, "stopped", "the script stopped with SystemExit."),
        (Write, stops(SystemExit(130)), SystemExit, "stopped", "the script stopped with SystemExit."),
        (Write, stops(KeyboardInterrupt()), SystemExit, "interrupted", "the script stopped with SystemExit."),
    ],
    ids=["done", "failed", "error", "exit", "exit 130", "Ctrl-C"],
)
def test_the_end_of_a_block_is_announced_once(
    task: type[Write | Fail],
    way: Callable[[experiment], None],
    raised: type[BaseException] | None,
    outcome: str,
    said: str,
    stage: Stage,
    told: Told,
) -> None:
    error = None
    try:
        with stage.experiment() as xp:
            task.C(note=stage.note()).submit()
            xp.wait()
            way(xp)
    except BaseException as found:
        error = found
    assert type(error) is (raised or type(None))
    assert [each for each, _ in told] == [outcome]
    assert said in told[0][1]


@pytest.mark.parametrize("in_block", [True, False])
@pytest.mark.parametrize(
    ("error", "raised", "outcome"),
    [
        (KeyboardInterrupt(), SystemExit, "interrupted"),
        (WipedError("Write/3f2a91c", 1), WipedError, "stopped"),
    ],
)
def test_what_ends_a_wait_is_announced_once(
    error: BaseException,
    raised: type[BaseException],
    outcome: str,
    in_block: bool,
    stage: Stage,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def waits() -> None:
        with stage.experiment() as xp:
            Write.C(note=stage.note()).submit()
            xp.wait()
            monkeypatch.setattr(Tracker, "settled", lambda self: False)
            monkeypatch.setattr(Tracker, "wait", lambda *_: (_ for _ in ()).throw(error))
            if in_block:
                xp.wait()

    with pytest.raises(raised):
        waits()
    assert [each for each, _ in told] == [outcome]


@pytest.mark.parametrize("words", ["interrupted", "_say_failures"])
def test_one_more_ctrl_c_while_the_last_words_are_said_ends_the_script_as_the_first(
    words: str, stage: Stage, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may come in the moment before it is ignored, or after the second one has cancelled what had not started."""

    def press(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ending if words == "interrupted" else ending.Ending, words, press)
    with pytest.raises(SystemExit), stage.experiment():
        raise KeyboardInterrupt
    assert [outcome for outcome, _ in told] == ["interrupted"]


def test_an_error_that_is_passed_on_is_named_whatever_else_is_handled(stage: Stage, told: Told) -> None:
    """An ExitStack passes the error of a later part to an earlier one."""
    xp = stage.experiment().__enter__()
    Write.C(note=stage.note()).submit()
    error = BrokenError()
    xp.__exit__(BrokenError, error, None)
    assert [outcome for outcome, _ in told] == ["stopped"]
    assert told[0][1].endswith("the script stopped with BrokenError.")


def test_a_dry_run_announces_nothing(stage: Stage, told: Told) -> None:
    with stage.experiment(dry_run=True):
        Write.C(note=stage.note()).submit()
    assert told == []


def test_ctrl_c_ends_a_wait_also_where_it_is_ignored() -> None:
    done, first, main = threading.Event(), threading.Event(), threading.main_thread().ident or 0

    def press() -> None:
        first.wait()
        while not done.is_set():
            signal.pthread_kill(main, signal.SIGINT)
            done.wait(0.005)

    presses = threading.Thread(target=press)
    presses.start()
    with undisturbed():
        with interruptible():
            first.set()
            assert not threading.Event().wait(60)
            pytest.fail("nothing has ended the wait")
        done.set()
        presses.join()
