"""Columns and orders have the names of filters."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.filter_rows import NOW, JobRow
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.errors import FilterError
from xpm_core.filters import ABSENT, UNKNOWN, Vocabulary, field_of, parse_columns, parse_sort
from xpm_core.states import State


def in_order(text: str, rows: list[JobRow]) -> list[JobRow]:
    return parse_sort(text, Vocabulary.of(rows)).sorted(rows)


def with_values(*values: Any) -> list[JobRow]:
    return [JobRow(identity=str(index), params={"x": value}) for index, value in enumerate(values)]


def test_columns_are_the_values_of_their_names() -> None:
    row = JobRow(params={"optim.lr": 0.1, "norm": {"enum": "m:Norm.BATCH"}, "sizes": {"tuple": [1, {"path": "/a"}]}})
    columns = parse_columns("id, state,task,lr,tag.model,norm,sizes,'model',token,experiment", Vocabulary.of([row]))
    assert {column.name: column.value(row) for column in columns} == {
        "id": row.identity,
        "state": State.FAILED,
        "task": "sweep:Study.Train",
        "lr": 0.1,
        "tag.model": "bm25",
        "norm": "BATCH",
        "sizes": [1, "/a"],
        "'model'": "bm25",
        "token": {"gpu": 1},
        "experiment": ["digits"],
    }


@pytest.mark.parametrize(
    ("name", "known", "value", "lacking"),
    [
        ("worker", {"worker": "w"}, "w", {"worker": ""}),
        ("error", {"error_type": "E"}, "E", {"error_type": ""}),
        ("started", {"started_s": 5.0}, 5.0, {"started_s": 0.0}),
        ("lr", {"params": {"lr": 1}}, 1, {"params": {}}),
        ("tag.model", {"tags": {"model": 1}}, 1, {"tags": {}}),
        ("since", {"ended_s": NOW}, NOW, {"submitted_s": 0.0, "started_s": 0.0, "ended_s": 0.0}),
    ],
)
def test_a_value_that_is_unknown_is_not_one_that_is_absent(
    name: str, known: dict[str, Any], value: Any, lacking: dict[str, Any]
) -> None:
    get = field_of(name, Vocabulary({"model": [1]}, {"lr": [1]}))
    assert get(JobRow(**known)) == value
    assert get(JobRow(**lacking)) is ABSENT
    assert get(JobRow(**dict.fromkeys(known))) is UNKNOWN
    assert (repr(ABSENT), repr(UNKNOWN), bool(ABSENT)) == ("ABSENT", "UNKNOWN", False)


def test_the_first_key_counts_most_and_equal_jobs_keep_their_order() -> None:
    rows = [
        JobRow(identity=f"{number}", started_s=started, params={"lr": lr})
        for number, (started, lr) in enumerate([(5.0, 2), (9.0, 2), (5.0, 1), (9.0, 2)])
    ]
    assert [row.identity for row in in_order("-started,lr", rows)] == ["1", "3", "2", "0"]
    assert [row.identity for row in in_order("+lr , - started", rows)] == ["2", "1", "3", "0"]


@pytest.mark.parametrize("sign", ["", "-"])
def test_jobs_without_a_value_come_last_in_both_directions(sign: str) -> None:
    rows = [JobRow(identity="a", started_s=None), JobRow(identity="b", started_s=0.0), JobRow(identity="c")]
    assert [row.identity for row in in_order(f"{sign}started", rows)] == ["c", "a", "b"]


def test_states_come_in_the_order_of_a_life_and_tasks_by_their_bare_names() -> None:
    rows = [JobRow(state=state) for state in (State.DONE, State.WAITING, State.RUNNING)]
    assert [row.state for row in in_order("state", rows)] == [State.WAITING, State.RUNNING, State.DONE]
    tasks = [JobRow(task=task) for task in ("b:Train", "z:Evaluate", "a:Train")]
    assert [row.task for row in in_order("task", tasks)] == ["z:Evaluate", "a:Train", "b:Train"]


def test_numbers_are_in_the_order_of_numbers_and_kinds_stay_together() -> None:
    rows = with_values("b", 10, None, 9.5, "a", True, {"float": "nan"}, [2], {"path": "/a"})
    assert [row.params["x"] for row in in_order("x", rows)] == [  # type: ignore[index]
        True, {"float": "nan"}, 9.5, 10, {"path": "/a"}, "a", "b", [2], None,
    ]  # fmt: skip


@given(st.lists(st.floats() | st.integers() | st.text() | st.booleans() | st.none() | st.lists(st.integers())))
def test_any_values_have_an_order_that_is_the_same_each_time(values: list[Any]) -> None:
    once = in_order("x", with_values(*values)) if values else []
    assert sorted(row.identity for row in once) == sorted(str(index) for index in range(len(values)))
    assert [row.identity for row in in_order("x", once)] == [row.identity for row in once] if values else True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "--sort: '': expected a name, got the end at column 1"),
        ("-", "--sort: '-': expected a name, got the end at column 2"),
        ("lr,", "expected a name, got the end at column 4"),
        ("-strated", "no job has a field, tag, parameter or result 'strated' at column 2. Did you mean 'started'"),
        ("lr desc", "expected ',' or the end, got 'desc' at column 4. Separate names by commas"),
        ("--lr", "no job has a field, tag, parameter or result '-lr' at column 2. Did you mean 'lr'?"),
    ],
)
def test_a_wrong_order_is_refused(text: str, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_sort(text, Vocabulary(parameters={"lr": [0.1]}))
    assert message in str(caught.value)


def test_a_wrong_column_is_refused() -> None:
    with pytest.raises(FilterError, match=r"--columns: 'id,stat': no job has .* Did you mean 'state'"):
        parse_columns("id,stat", Vocabulary())
    with pytest.raises(FilterError, match="name: 'nothing': no job has"):
        field_of("nothing", Vocabulary())


def test_a_name_that_is_given_again_is_no_further_key() -> None:
    order = parse_sort(",".join(["-lr", "lr", "seed"] * 500), Vocabulary(parameters={"lr": [0.1], "seed": [1]}))
    assert [(column.name, descending) for column, descending in order.keys] == [("lr", True), ("seed", False)]
