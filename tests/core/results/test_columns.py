"""Which columns a table has, what they are called, and which one a name means."""

from __future__ import annotations

import pytest
from helpers.result_jobs import FakeJob, table

from xpm_core.errors import UnknownColumnError


def names(*jobs: FakeJob) -> list[str]:
    return [column.name for column in table(jobs).columns]


def test_what_differs_and_results_are_columns() -> None:
    first = FakeJob({"lr": 0.1, "epochs": 3}, {"accuracy": 0.5}, tags={"model": "mlp", "note": "x"})
    second = FakeJob({"lr": 0.2, "epochs": 3}, {"accuracy": 0.5}, tags={"model": "svm", "note": "x"})
    assert names(first, second) == ["model", "lr", "accuracy"]


def test_a_parameter_that_repeats_a_tag_is_no_column() -> None:
    jobs = [FakeJob({"optim.lr": lr, "k": lr * 2}, {"a": 1}, tags={"rate": lr}) for lr in (0.1, 0.2)]
    assert names(*jobs) == ["rate", "k", "a"]


def test_the_longer_of_two_equal_paths_is_no_column() -> None:
    jobs = [FakeJob({"train.seed": seed, "seed": seed}, {"a": 1}) for seed in (1, 2)]
    assert names(*jobs) == ["seed", "a"]
    jobs = [FakeJob({"train.seed": seed, "seed": 3 - seed}, {"a": 1}) for seed in (1, 2)]
    assert names(*jobs) == ["train.seed", "seed", "a"]


def test_the_class_of_what_is_used_is_a_column_only_where_classes_differ() -> None:
    other = FakeJob({"n": 1}, {"a": 1}, task="study:Other")
    jobs = [FakeJob({"data": "Prepare", "data.corpus": n}, {"a": 1}) for n in (1, 2)]
    assert names(*jobs, other) == ["corpus", "n", "a"]
    nested = [FakeJob({"x": "A", "x.y": "B", "x.y.z": n}, {"a": 1}) for n in (1, 2)]
    assert names(*nested, other) == ["z", "n", "a"]
    more = FakeJob({"data": "Download", "data.corpus": 1}, {"a": 1})
    assert names(*jobs, more, other) == ["data", "corpus", "n", "a"]
    assert names(*jobs, FakeJob({"data": "Prepare"}, {"a": 1}), other) == ["data", "corpus", "n", "a"]
    assert names(FakeJob({"data": "Prepare"}, {"a": 1}), other) == ["data", "n", "a"]


def test_a_name_is_as_short_as_it_can_be() -> None:
    jobs = [FakeJob({"a.optim.lr": n, "b.optim.lr": 3 * n % 2, "b.model.size": n * 5}, {"x": 1}) for n in (1, 2)]
    assert names(*jobs) == ["a.optim.lr", "b.optim.lr", "size", "x"]


def test_names_that_clash_say_what_they_are() -> None:
    jobs = [
        FakeJob({"loss": n, "state": 2 * n % 3}, {"loss": n, "lr": 1}, tags={"lr": -n, "id": n * n}) for n in (1, 2)
    ]
    assert names(*jobs) == ["lr", "tag.id", "loss", "param.state", "result.loss", "result.lr"]
    rows = table(jobs)
    assert [rows[1][name] for name in ("lr", "tag.id", "loss", "param.state", "result.loss")] == [-2, 4, 2, 1, 2]


def test_a_row_without_a_value_differs_from_one_that_has_it() -> None:
    assert names(FakeJob({"a": 1}, {"x": 1}), FakeJob({"a": 1, "b": 2}, {"x": 1})) == ["b", "x"]


def test_true_is_not_one_and_one_is_one() -> None:
    assert names(FakeJob({"a": 1}, {"x": 1}), FakeJob({"a": True}, {"x": 1})) == ["a", "x"]
    assert names(FakeJob({"a": 1, "b": [1]}, {"x": 1}), FakeJob({"a": 1.0, "b": [1]}, {"x": 2})) == ["x"]


def test_a_name_finds_what_is_not_shown() -> None:
    jobs = [FakeJob({"optim.lr": n, "optim.momentum": 0.9}, {"accuracy": n}) for n in (1, 2)]
    row = table(jobs)[0]
    assert (row["momentum"], row["param.optim.momentum"], row["result.accuracy"], row["lr"]) == (0.9, 0.9, 1, 1)
    assert (row["seconds"], row["host"], row["id"]) == (60.0, "gpu-a", row.identity)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("acuracy", "no column 'acuracy'. Did you mean accuracy? There are: a.lr, b.lr, accuracy."),
        ("lr", "'lr' names several parameters: a.lr, b.lr. Write one of them, such as param.a.lr."),
        ("tag.accuracy", "no column 'tag.accuracy'"),
        ("result.", "no column 'result.'"),
    ],
)
def test_a_wrong_name_is_an_error_that_helps(name: str, said: str) -> None:
    rows = table([FakeJob({"a.lr": n, "b.lr": 3 * n % 2}, {"accuracy": n}) for n in (1, 2)])
    with pytest.raises(UnknownColumnError) as caught:
        rows.select(name)
    assert said in str(caught.value)
    with pytest.raises(KeyError):
        rows[0][name]
