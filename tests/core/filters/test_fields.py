"""The names that every job has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from helpers.filter_rows import NOW, JobRow

from xpm_core.errors import FilterError
from xpm_core.filters import FIELDS, Vocabulary, parse
from xpm_core.filters.fields import _TESTS, _VALUES
from xpm_core.states import State

DAY = datetime.fromtimestamp(NOW - 5400).date().isoformat()
"""The day on which the job of `JobRow` started."""


def answer(text: str, **facts: Any) -> bool | None:
    row = JobRow(**facts)
    vocabulary = Vocabulary.of([JobRow(), JobRow(task="eval:Evaluate", experiments=["letters", "digits"])])
    return parse(text).bind(vocabulary, NOW).matches(row)


def test_each_field_has_a_value_and_a_test() -> None:
    assert set(FIELDS) == set(_TESTS) == set(_VALUES)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("state=failed", "state=done"),
        ("state=FAILED,blocked", "state!=failed,blocked"),
        ("task=Train", "task=Evaluate"),
        ("task=train", "task!=train"),
        ("task=sweep:Study.Train", "task=eval:Evaluate"),
        ("task=Study.Train", "task=E*"),
        ("task=tr?in", "task=*:Evaluate"),
        ("experiment=digits", "experiment=letters"),
        ("experiment=let*,dig*", "experiment!=digits"),
        ("queue=default", "queue=gpu,cpu"),
        ("queue=d*", "queue=none"),
        ("worker=gpu-a*", "worker=gpu-b*"),
        ("worker='gpu-a.1'", "worker='gpu-a*'"),
        ("host!=none", "host=none"),
        ("host=gpu-a", "host=GPU-A"),
        ("token=gpu", "token=cpu"),
        ("token!=cpu", "token=none"),
        ("error=OutOfMemoryError", "error=MemoryError"),
        ("error=torch.cuda.OutOfMemoryError", "error=none"),
        ("error=*MemoryError", "error!=*Memory*"),
        ("id=3f2a", "id=2a91"),
        ("id=3F2A91C", "id!=3f2a91c"),
        ("id=0000,3f", "id=0000"),
        ("id=*2a91*", "id=?2a91"),
        ("code=8c1f2e0", "code=9c1f"),
        ("code=8C1F2E0A1B2C" + "0" * 52, "code=8c1f2e0a1b2d"),
        ("code=*2e0*", "code=live"),
        ("code!=live", "code=none"),
        ("commit=1a2b3c4", "commit=1a2b3c5,3c4"),
        ("commit=1a2b3c4+", "commit=none"),
        ("commit=*+", "commit!=*+"),
        ("packages=0683", "packages=1683"),
        ("attempts=2", "attempts>2"),
        ("attempts>1", "attempts=1,3"),
        ("attempts!=1", "attempts<2"),
        ("since=2h", "since=30m"),
        ("since=61m", "since=59m"),
        ("submitted>1h", "submitted<1h"),
        ("submitted<=2h", "submitted>2h"),
        ("started<2h", "started>2h"),
        (f"started={DAY}", f"started!={DAY}"),
        (f"started>={DAY}", f"started<{DAY}"),
        (f"started<={DAY}", f"started>{DAY}"),
        ("ended<61m", "ended<59m"),
        ("ended!=none", "ended=none"),
    ],
)
def test_a_field_is_compared_in_its_own_way(right: str, wrong: str) -> None:
    assert answer(right) is True
    assert answer(wrong) is False
    assert answer(f"not {right}") is False


def test_what_has_not_happened_is_neither_before_nor_after() -> None:
    for text in ("started<2h", "started>2h", "started>=1980-01-01", "started<=2200-01-01"):
        assert answer(text, started_s=0.0) is False
    assert answer("started=none", started_s=0.0) is True
    assert answer("started!=2026-11-27", started_s=0.0) is True
    assert answer("started=none,2026-11-27", started_s=0.0) is True


def test_none_means_that_a_job_has_none() -> None:
    nothing: dict[str, Any] = {"worker": "", "host": "", "error_type": "", "demand": {}, "experiments": []}
    for name in ("worker", "host", "error", "token", "experiment"):
        assert answer(f"{name}=none", **nothing) is True
        assert answer(f"{name}!=none", **nothing) is False
        assert answer(f"{name}=*", **nothing) is False


@pytest.mark.parametrize("state", State)
def test_each_state_is_known(state: State) -> None:
    assert answer(f"state={state.value}", state=state) is True


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        ("state", "state=done"),
        ("task", "task=Train"),
        ("experiments", "experiment=digits"),
        ("queue", "queue!=gpu"),
        ("demand", "token=gpu"),
        ("worker", "worker=none"),
        ("host", "host=a"),
        ("error_type", "error=none"),
        ("code", "code=live"),
        ("commit", "commit=none"),
        ("packages", "packages=06"),
        ("attempts", "attempts>0"),
        ("submitted_s", "submitted<1h"),
        ("started_s", "started=none"),
        ("ended_s", "not ended<1h"),
        ("tags", "tag.model=bm25"),
        ("params", "epochs=10"),
    ],
)
def test_a_fact_that_is_not_known_makes_the_answer_unknown(fact: str, text: str) -> None:
    assert answer(text, **{fact: None}) is None


def test_a_commit_without_changes_is_no_dirty_one() -> None:
    assert answer("commit=1a2b", commit="1a2b3c4d5e6f") is True
    assert answer("commit=1a2b+", commit="1a2b3c4d5e6f") is False
    assert answer("commit=none", commit="") is True
    assert answer("commit=1a2b+,3c", commit="") is False


def test_code_that_was_not_kept_is_live() -> None:
    assert answer("code=live", code="live") is True
    assert answer("code=8c1f2e0", code="live") is False


def test_since_is_known_as_soon_as_one_time_is_recent_enough() -> None:
    assert answer("since=2h", ended_s=None) is True
    assert answer("since=80m", ended_s=None) is None
    assert answer("since=80m", ended_s=0.0) is False
    assert answer("since=80m", submitted_s=None, started_s=None) is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("state=faild", "unknown state 'faild' at column 7. Did you mean 'failed'? There are: waiting, ready, delayed, "
                        "running, done, failed, blocked, cancelled."),
        ("state=x", "unknown state 'x' at column 7. There are: waiting, ready"),
        ("state=fail*", "unknown state 'fail*'"),
        ("state<done", "state has no order, so '<' cannot be used at column 1. Write state=VALUE."),
        ("task=Trian", "unknown task 'Trian' at column 6. Did you mean 'Train'?"),
        ("task=X*", "unknown task 'X*' at column 6. There are: "),
        ("experiment=digit", "unknown experiment 'digit' at column 12. Did you mean 'digits'?"),
        ("since>2h", "since takes '=' and one value at column 1"),
        ("since=2h,3h", "since takes '=' and one value"),
        ("since=soon", "expected a duration, such as 30s, 10m, 2h or 3d, or a date"),
        ("started=2h", "a duration is compared with < or > at column 9. Write started<2h for less than 2 hours ago"),
        ("started<soon", "expected a date, such as 2026-11-27 or 2026-11-27T14:30, or a duration"),
        ("started<none", "none has no order at column 9. Write started=none."),
        ("id=xyz", "'xyz' is no beginning of an identity at column 4"),
        ("id='3f\n'", "is no beginning of an identity"),
        ("code=main", "'main' is no beginning of a digest at column 6. Write some of its first"),
        ("commit=live", "'live' is no beginning of a digest"),
        ("packages<06", "packages has no order"),
        ("attempts=x", "expected a number, got 'x' at column 10. Write a number, such as attempts>1."),
        ("worker>a", "worker has no order, so '>' cannot be used"),
    ],
)  # fmt: skip
def test_a_value_that_a_field_cannot_have_is_refused(text: str, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        answer(text)
    assert message in str(caught.value)


def test_experiments_and_tasks_that_are_not_known_are_not_refused() -> None:
    row = JobRow()
    assert parse("experiment=letters or task=Train").bind(Vocabulary()).matches(row) is True


def test_a_task_with_a_name_of_its_own_is_found_by_its_class() -> None:
    row = JobRow(task="my-project.learning", name="Train")
    assert parse("task=train or task=evaluate").bind(Vocabulary()).matches(row) is True
    assert parse("task=train").bind(Vocabulary.of([row])).matches(row) is True
    assert parse("task=learning").bind(Vocabulary.of([row])).matches(row) is True
    assert parse("task=train").bind(Vocabulary()).matches(JobRow(task="my-project.learning", name=None)) is None
