"""What names mean among the jobs that are known, and what is said of names that nothing has."""

from __future__ import annotations

import pytest
from helpers.filter_rows import JobRow

from xpm_core.errors import FilterError
from xpm_core.filters import Vocabulary, from_options, parse
from xpm_core.filters.parser import parse_names
from xpm_core.filters.vocabulary import Resolved
from xpm_core.index.columns import Cells, Columns


def resolved(vocabulary: Vocabulary, text: str) -> Resolved:
    [(_, name)] = parse_names(text, "name")
    return vocabulary.resolve(name)


def test_a_bare_name_is_a_tag_else_a_parameter_by_its_last_names() -> None:
    vocabulary = Vocabulary({"model": ["bm25"]}, {"optim.lr": [0.1], "data.size": [3]})
    assert (resolved(vocabulary, "model").tag, resolved(vocabulary, "model").paths) == ("model", ())
    for text in ("lr", "optim.lr", "param.lr", "param.optim.lr", "'lr'", "param.'lr'"):
        assert (resolved(vocabulary, text).tag, resolved(vocabulary, text).paths) == ("", ("optim.lr",)), text


def test_a_name_is_not_the_end_of_a_word() -> None:
    with pytest.raises(FilterError, match="no job has a field, tag, parameter or result 'r'"):
        resolved(Vocabulary(parameters={"optim.lr": [0.1]}), "r")


def test_a_name_of_several_parameters_is_refused_and_they_are_listed() -> None:
    vocabulary = Vocabulary(parameters={"optim.lr": [0.1], "warmup.lr": [0.1], "size": [3]})
    with pytest.raises(FilterError) as caught:
        resolved(vocabulary, "lr")
    assert str(caught.value) == (
        "name: 'lr': 'lr' names several parameters: param.optim.lr, param.warmup.lr, at column 1. "
        "Write one of them, such as param.optim.lr."
    )
    with pytest.raises(FilterError, match="names several"):
        resolved(vocabulary, "param.lr")
    assert resolved(vocabulary, "warmup.lr").paths == ("warmup.lr",)


def test_a_tag_is_meant_when_several_parameters_have_its_name() -> None:
    vocabulary = Vocabulary({"lr": [0.1]}, {"optim.lr": [0.1], "warmup.lr": [0.1]})
    assert (resolved(vocabulary, "lr").tag, resolved(vocabulary, "lr").paths) == ("lr", ())


def test_a_parameter_seen_from_a_job_that_uses_it_is_the_same_name() -> None:
    train, evaluate = JobRow(params={"lr": 0.1}), JobRow(params={"train.lr": 0.2, "train": "Train"})
    vocabulary = Vocabulary.of([train, evaluate])
    assert resolved(vocabulary, "lr").paths == ("lr", "train.lr")
    bare, exact = parse("lr>0").bind(vocabulary), parse("param.lr>0").bind(vocabulary)
    assert [bare.matches(train), bare.matches(evaluate)] == [True, True]
    assert [exact.matches(train), exact.matches(evaluate)] == [True, False]


def test_the_own_parameter_of_a_job_comes_before_that_of_a_part() -> None:
    row = JobRow(params={"lr": 0.1, "train.lr": 0.2})
    assert parse("lr=0.1").bind(Vocabulary.of([row])).matches(row) is True


def test_two_parts_of_one_job_are_not_taken_for_one_parameter() -> None:
    with pytest.raises(FilterError, match=r"several parameters: param.lr, param.new.lr, param.old.lr, at"):
        resolved(Vocabulary(parameters={"lr": [1], "old.lr": [1], "new.lr": [1]}), "lr")


def test_a_job_without_the_tag_is_compared_by_its_parameter() -> None:
    tagged, plain = JobRow(tags={"lr": 0.1}, params={"optim.lr": 0.1}), JobRow(tags={}, params={"optim.lr": 0.1})
    vocabulary = Vocabulary.of([tagged, plain])
    assert [parse("lr=0.1").bind(vocabulary).matches(row) for row in (tagged, plain)] == [True, True]
    assert [parse("tag.lr=0.1").bind(vocabulary).matches(row) for row in (tagged, plain)] == [True, False]


def test_a_field_is_reached_by_its_name_and_a_tag_of_that_name_by_its_scope_or_quotes() -> None:
    row = JobRow(tags={"state": "old"}, params={"queue": 3})
    vocabulary = Vocabulary.of([row])
    assert parse("state=failed and queue=default").bind(vocabulary).matches(row) is True
    assert parse("tag.state=old and 'state'=old and param.queue=3").bind(vocabulary).matches(row) is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("larning_rate", "no job has a field, tag, parameter or result 'larning_rate' at column 1. "
         "Did you mean 'learning_rate'?"),
        ("stat", "Did you mean 'state' or 'started'?"),
        ("optim.learning_rat", "Did you mean 'learning_rate'?"),
        ("tag.modl", "no job has a tag 'modl' at column 1. Did you mean 'tag.model'?"),
        ("param.learning_rat", "no job has a parameter 'learning_rat' at column 1. "
         "Did you mean 'param.optim.learning_rate'?"),
        ("tag.x", "There are: tag.model."),
        ("'state'", "no job has a tag, parameter or result 'state' at column 1. There are: model, learning_rate."),
    ],
)  # fmt: skip
def test_an_unknown_name_is_refused_with_the_near_ones(text: str, message: str) -> None:
    vocabulary = Vocabulary({"model": ["bm25"]}, {"optim.learning_rate": [0.1]})
    with pytest.raises(FilterError) as caught:
        resolved(vocabulary, text)
    assert message in str(caught.value)


def test_without_any_job_an_unknown_name_says_that_there_is_none() -> None:
    with pytest.raises(FilterError, match=r"no job has a tag 'lr' at column 1\. There is none yet."):
        resolved(Vocabulary(), "tag.lr")


def test_many_names_are_not_all_listed() -> None:
    vocabulary = Vocabulary({f"tag{index:02}": [1] for index in range(30)})
    with pytest.raises(FilterError, match=r"There are: tag.tag00, .*tag.tag11, and 18 more\."):
        resolved(vocabulary, "tag.ZZZ")


def test_the_vocabulary_of_jobs_has_a_sample_of_each_kind() -> None:
    rows = [
        JobRow(params={"x": value}, tags=None, experiments=["a"], task="m:T", name="T")
        for value in (1, 2, "text", {"path": "/a"}, {"path": "/b"}, {"enum": "m:E.A"})
    ]
    found = Vocabulary.of([*rows, JobRow(params=None, tags={"t": True}, experiments=None, task=None)])
    assert found.parameters == {"x": [1, "text", {"path": "/a"}, {"enum": "m:E.A"}]}
    assert found.tags == {"t": [True]}
    assert (found.experiments, found.tasks) == ({"a"}, {"m:T"})


def test_values_that_lie_in_columns_make_the_same_vocabulary() -> None:
    values = [1, 2, "text", {"path": "/a"}, {"path": "/b"}, {"enum": "m:E.A"}, None, 0.5]
    plain = [{"x": value, "y": True} for value in values]
    columns = Columns.read(Columns.of(plain).data())
    others = [JobRow(tags={"t": 1}, params={"z": 3}), JobRow(tags={"t": "a"}, params=None, task="m:U", name="Other")]
    rows = [JobRow(tags=Cells(columns, at), params=Cells(columns, at)) for at in range(len(plain))]
    assert Vocabulary.of([*rows, *others]) == Vocabulary.of([*(JobRow(tags=row, params=row) for row in plain), *others])


def test_a_bare_name_is_a_result_if_no_tag_and_no_parameter_has_it() -> None:
    vocabulary = Vocabulary(
        {"model": ["bm25"]}, {"optim.lr": [0.1]}, results={"accuracy": [0.9], "lr": [1], "model": [2]}
    )
    for text in ("accuracy", "result.accuracy", "'accuracy'", "result.'accuracy'"):
        assert resolved(vocabulary, text).result == "accuracy", text
        assert resolved(vocabulary, text).scopes == ["result"]
    assert resolved(vocabulary, "lr").scopes == ["param"]
    assert resolved(vocabulary, "model").scopes == ["tag"]
    assert resolved(vocabulary, "result.lr").result == "lr"


def test_a_result_is_named_in_full() -> None:
    vocabulary = Vocabulary(results={"loss.test": [0.2]})
    assert resolved(vocabulary, "loss.test").result == "loss.test"
    with pytest.raises(FilterError, match=r"no job has a result 'test' at column 1. Did you mean 'result.loss.test'"):
        resolved(vocabulary, "result.test")


def test_a_parameter_of_a_part_that_is_called_result_keeps_its_name() -> None:
    vocabulary = Vocabulary(parameters={"result.lr": [0.1]}, results={"accuracy": [0.9]})
    assert resolved(vocabulary, "result.lr").paths == ("result.lr",)
    assert resolved(vocabulary, "result.accuracy").result == "accuracy"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accuracy>0.9", [True, False, False, None]),
        ("accuracy=nan", [False, False, True, None]),
        ("accuracy=none", [False, True, False, None]),
        ("accuracy!=0.93", [False, True, True, None]),
        ("not accuracy>0.9", [False, True, True, None]),
    ],
)
def test_a_job_is_compared_by_what_it_has_reported(text: str, expected: list[bool | None]) -> None:
    reported = ({"accuracy": 0.93}, {}, {"accuracy": float("nan")}, None)
    rows = [JobRow(results=results) for results in reported]
    wanted = parse(text).bind(Vocabulary.of(rows))
    assert [wanted.matches(row) for row in rows] == expected
    assert wanted.fields == {"result"}


def test_an_option_for_tags_takes_no_result() -> None:
    with pytest.raises(FilterError, match=r"'result.accuracy' is a result at column 1. Write"):
        from_options(tag=["result.accuracy=1"])
