"""Pauses double up to a bound, are cut by a half at most, and begin again after a success."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xpm_core.backoff import Backoff

seconds = st.floats(0.001, 1000.0)


@given(first_s=seconds, longest_s=seconds, count=st.integers(1, 40))
def test_each_pause_lies_between_half_and_whole_of_its_place(first_s: float, longest_s: float, count: int) -> None:
    backoff = Backoff(first_s, longest_s)
    for place in range(count):
        whole_s = min(first_s * 2**place, longest_s)
        assert whole_s / 2 <= backoff.next_s() <= whole_s


@given(first_s=seconds, longest_s=seconds, count=st.integers(0, 40))
def test_after_a_reset_the_first_pause_comes_again(first_s: float, longest_s: float, count: int) -> None:
    backoff = Backoff(first_s, longest_s)
    for _ in range(count):
        backoff.next_s()
    backoff.reset()
    whole_s = min(first_s, longest_s)
    assert whole_s / 2 <= backoff.next_s() <= whole_s


def test_pauses_of_two_processes_differ() -> None:
    pauses = {Backoff(1.0, 10.0).next_s() for _ in range(20)}
    assert len(pauses) > 1
