"""What a run says of the snapshots of jobs that were there."""

from __future__ import annotations

from collections.abc import Sequence

from xpm_core.script.code.fates import Fates
from xpm_core.states import State
from xpm_core.store.records import SubmitCode, Submitted

OLD, OLDER, NEW = "5d20b11" + "a" * 57, "77b01de" + "c" * 57, "8c1f2e0" + "b" * 57


def answer(
    state: State, *, kept: str | None = None, replaced: str | None = None, code: SubmitCode = SubmitCode.ATTACHED
) -> Submitted:
    return Submitted(code, state, "", 0.0, "", "1-0", "", kept, replaced)


def fates(changed: Sequence[str] | None = ("train.py", "util.py")) -> Fates:
    return Fates(lambda _: changed)


def test_nothing_is_said_of_new_jobs_and_of_jobs_with_the_same_code() -> None:
    found = fates()
    found.note(answer(State.READY, code=SubmitCode.NEW), NEW)
    found.note(answer(State.RUNNING), NEW)
    assert found.lines() == found.notes() == []


def test_jobs_that_take_the_new_code_are_summed_up_and_said_once() -> None:
    found = fates()
    for state in (State.READY, State.WAITING, State.BLOCKED):
        found.note(answer(state, replaced=OLD), NEW)
    found.note(answer(State.READY, replaced=OLDER), NEW)
    found.note(answer(State.READY, replaced=OLD, code=SubmitCode.RETRIED), NEW)
    found.note(answer(State.READY, replaced="", code=SubmitCode.RETRIED), NEW)
    assert found.lines() == [
        "4 waiting jobs now use code 8c1f2e0 (before: 5d20b11, 77b01de)",
        "2 jobs that failed run again with code 8c1f2e0 (before: 5d20b11, live code)",
    ]
    assert found.lines() == []
    found.note(answer(State.READY, replaced=OLD), "")
    assert found.lines() == ["1 waiting job now uses live code (before: 5d20b11)"]
    assert found.notes() == []


def test_jobs_that_keep_their_code_are_named_with_what_differs_and_again_in_the_report() -> None:
    found = fates()
    for _ in range(3):
        found.note(answer(State.RUNNING, kept=OLD), NEW)
    found.note(answer(State.RUNNING, kept=""), NEW)
    found.note(answer(State.READY, kept=OLDER), NEW)
    found.note(answer(State.FAILED, kept=OLDER), NEW)
    differs = ", which differs from today's in 2 files (train.py, util.py)"
    assert found.lines() == [
        f"3 running jobs keep code 5d20b11{differs}",
        "1 running job keeps live code",
        "1 waiting job keeps code 77b01de of a newer submission",
        f"1 failed job had code 77b01de{differs}",
    ]
    assert found.lines() == []
    assert found.notes() == [
        f"note    3 jobs ran with code 5d20b11{differs}",
        "note    1 job ran with live code",
        f"note    1 job ran with code 77b01de{differs}",
    ]


def test_what_differs_is_cut_or_left_out() -> None:
    for changed, said in (
        (None, ""),
        ([], ", which has the same files as today's"),
        (list("abcdefg"), ", which differs from today's in 7 files (a, b, c, d, e and 2 more)"),
    ):
        found = fates(changed)
        found.note(answer(State.RUNNING, kept=OLD), NEW)
        assert found.lines() == [f"1 running job keeps code 5d20b11{said}"]
