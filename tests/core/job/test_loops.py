"""Loops report how far they are."""

from __future__ import annotations

import io
from typing import Any

import pytest
from helpers.told_progress import Told, last

from xpm_core import progress, tqdm, trange
from xpm_core.job import loops


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
