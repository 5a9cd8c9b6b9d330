"""`progress` and `tqdm`: what they tell of a job, how often, and what they do where there is none."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from helpers.waiting import wait_until

from xpm_core import progress, tqdm, trange
from xpm_core.job import loops
from xpm_core.job import progress as reporting
from xpm_core.job import running as job
from xpm_core.job.progress import Reporter
from xpm_core.job.running import RunningJob
from xpm_core.workspace.job_directory import JobDirectory

Told = list[dict[str, Any]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Told]:
    """What is told, as if a job ran in this process."""
    words: Told = []

    def report(kind: str, data: dict[str, Any]) -> bool:
        assert kind == "progress"
        words.append(data)
        return True

    current = RunningJob(
        "T/1", JobDirectory(tmp_path, "jobs/t/1"), left_s=lambda: None, report=report, output=lambda data: None
    )
    monkeypatch.setattr(job, "current", current)
    monkeypatch.setattr(reporting, "_reporter", None)
    monkeypatch.setattr(reporting, "OFTEN_S", 0.01)
    yield words
    wait_until(quiet)


def quiet() -> bool:
    """Whether no thread of ours is left."""
    return not any(thread.name == "xpm-progress" for thread in threading.enumerate())


def last(told: Told) -> dict[str, Any]:
    """The last word, once all is told."""
    wait_until(quiet)
    return told[-1]


def test_the_first_word_is_told_at_once(told: Told) -> None:
    progress(0.25, desc="reading")
    assert told == [{"fraction": 0.25, "desc": "reading"}]


def test_what_was_said_stands_until_something_else_is(told: Told) -> None:
    progress(0.1, desc="reading")
    progress(0.2)
    progress(0.5, level=1, desc="file")
    progress(0.6, level=1)
    assert last(told) == {"fraction": 0.2, "desc": "reading", "inner": [{"fraction": 0.6, "desc": "file"}]}
    progress(0.3)
    assert last(told) == {"fraction": 0.3, "desc": "reading"}


def test_a_deeper_level_may_come_first(told: Told) -> None:
    progress(0.5, level=2, desc="deep")
    empty = {"fraction": 0.0, "desc": ""}
    assert last(told) == {**empty, "inner": [empty, {"fraction": 0.5, "desc": "deep"}]}


def test_the_same_is_not_told_twice(told: Told) -> None:
    for _ in range(3):
        progress(0.5)
        last(told)
    assert len(told) == 1


@pytest.mark.parametrize(("given", "fraction"), [(1.2, 1.0), (-1, 0.0), (float("nan"), 0.0), (80, 1.0)])
def test_a_number_out_of_range_is_told_of_and_harms_nothing(told: Told, given: float, fraction: float) -> None:
    with pytest.warns(UserWarning, match="expected a number from 0 to 1"):
        progress(given)
    assert last(told)["fraction"] == fraction


def test_odd_and_long_texts_are_made_fit(told: Told) -> None:
    progress(0.5, desc="\udce9" * 300)
    assert last(told)["desc"] == "?" * 200


def test_what_did_not_go_out_is_told_later(monkeypatch: pytest.MonkeyPatch) -> None:
    full = threading.Event()
    words: Told = []
    reporter = Reporter(lambda data: full.is_set() and not words.append(data))  # type: ignore[func-returns-value]
    reporter.set(0, reporting.Word(0.5, "x"))
    assert words == []
    full.set()
    wait_until(lambda: words == [{"fraction": 0.5, "desc": "x"}], show=lambda: words)
    wait_until(quiet)


# -- loops -------------------------------------------------------------------------------------------------------------


def test_a_loop_tells_its_steps(told: Told) -> None:
    assert list(tqdm([1, 2, 3], desc="epoch: ")) == [1, 2, 3]
    assert last(told) == {"fraction": 1.0, "desc": "epoch 3/3"}


def test_a_loop_of_unknown_length_tells_what_it_knows(told: Told) -> None:
    assert list(tqdm(iter("abc"))) == ["a", "b", "c"]
    assert last(told) == {"fraction": None, "desc": "3"}
    assert list(tqdm(iter("abc"), total=4)) == ["a", "b", "c"]
    assert last(told) == {"fraction": 0.75, "desc": "3/4"}


def test_loops_are_nested_and_an_inner_one_that_ends_is_told_no_more(told: Told) -> None:
    seen: dict[str, Any] = {}
    for _ in trange(2, desc="epoch"):
        for _ in tqdm(range(2), desc="batch"):
            seen = last(told)
    assert seen == {"fraction": 0.5, "desc": "epoch 1/2", "inner": [{"fraction": 0.5, "desc": "batch 1/2"}]}
    assert last(told) == {"fraction": 1.0, "desc": "epoch 2/2"}


def test_a_loop_that_is_left_early_makes_room_for_the_next(told: Told) -> None:
    for number in tqdm(range(10), desc="first"):
        if number == 3:
            break
    for _ in tqdm(range(2), desc="second"):
        pass
    assert last(told) == {"fraction": 1.0, "desc": "second 2/2"}


def test_steps_can_be_counted_by_hand(told: Told) -> None:
    bar: tqdm[None]
    with tqdm(total=10, desc="rows", initial=2) as bar:
        bar.update(3)
        bar.set_postfix(loss=0.12345, best=1.0)
        assert (bar.n, bar.total, bool(bar), len(bar)) == (5, 10, True, 10)
        assert last(told) == {"fraction": 0.5, "desc": "rows 5/10 loss=0.123, best=1"}
        bar.set_description("more")
        bar.set_postfix_str("slow")
        bar.reset(total=20)
        assert last(told) == {"fraction": 0.1, "desc": "more 2/20 slow"}


def test_a_bar_that_is_forgotten_counts_no_more(told: Told) -> None:
    bar: tqdm[None] = tqdm(total=10, desc="forgotten")
    bar.update(1)
    del bar
    list(tqdm([1], desc="next"))
    assert last(told) == {"fraction": 1.0, "desc": "next 1/1"}


def test_what_tqdm_takes_is_taken(told: Told) -> None:
    bar = tqdm([1, 2], "epoch", 2, False, None, 80, mininterval=1.0, unit="row", colour="red", dynamic_ncols=True)
    assert list(bar) == [1, 2]
    bar.refresh()
    bar.clear()
    bar.display()


def test_a_disabled_loop_tells_nothing(told: Told) -> None:
    assert list(tqdm([1, 2], disable=True)) == [1, 2]
    bar: tqdm[None]
    with tqdm(total=3, disable=True) as bar:
        assert not bar.update()
    assert told == []


# -- outside of a job --------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """Takes what is drawn."""

    def isatty(self) -> bool:
        return True


def test_outside_of_a_job_nothing_is_told_and_nothing_drawn_into_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    progress(0.5, desc="x")
    assert list(tqdm(range(3))) == [0, 1, 2]
    tqdm.write("a line")
    assert capsys.readouterr() == ("a line\n", "")


@pytest.mark.parametrize("iterable", [[], (), iter(())], ids=["list", "tuple", "iterator"])
def test_an_empty_loop_is_a_loop(iterable: Any) -> None:
    assert list(tqdm(iterable)) == []


def test_outside_of_a_job_a_terminal_shows_the_outermost_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(loops, "REDRAW_S", 0.0)
    for _ in tqdm(range(2), desc="epoch"):
        list(tqdm(range(2), desc="batch"))
    drawn = terminal.getvalue()
    assert drawn.startswith("\r  0% ------------------------------ epoch 0/2\x1b[K\r")
    assert drawn.endswith("\r100% ############################## epoch 2/2\x1b[K\n")
    assert "batch" not in drawn
