"""Which jobs share a cell: those that differ in nothing but what is folded, and in no case others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from helpers.result_jobs import FakeJob, table
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.errors import ResultsError, UnknownColumnError
from xpm_core.labels import label
from xpm_core.results.columns import key_of
from xpm_core.results.folding.folded import Folded
from xpm_core.states import State

VALUES = st.sampled_from([0, 1, 1.0, True, False, None, "None", "1", "True", [1], "[1]", float("nan"), 0.5])
NAMES = st.sampled_from(["lr", "optim.lr", "seed", "train.seed", "model"])
MAPPINGS = st.dictionaries(NAMES, VALUES, max_size=4)
SEEDS = st.integers(0, 3)
STATES = st.sampled_from([State.DONE, State.DONE, State.FAILED, State.RUNNING, None])
TASKS = st.sampled_from(["study:Train", "study:Train", "study:Eval", "other:Train"])


@st.composite
def jobs(draw: st.DrawFn) -> list[FakeJob]:
    found = []
    for at in range(draw(st.integers(1, 12))):
        params = {**draw(MAPPINGS), "seed": draw(SEEDS)}
        results = draw(st.sampled_from([{"a": 0.5}, {"a": 1}, {"a": True}, {"b": 0.1}, {"a": "x"}, {}]))
        found.append(FakeJob(params, results, draw(STATES), draw(TASKS), draw(MAPPINGS), worker=f"w{at}"))
    return found


def absolute(values: Mapping[str, Any], without: set[str]) -> dict[str, Any]:
    """The values by which jobs may differ, each in a form that tells all of them apart."""
    return {name: key_of(value) for name, value in values.items() if name not in without}


@given(jobs())
def test_no_cell_mixes_jobs_that_differ_in_anything_else(found: list[FakeJob]) -> None:
    table_of = table(found, whole=True)
    by_job = {id(job): job for job in found}
    for row in table_of.over("param.seed"):
        members = [by_job[id(line.job)] for line in row.group.rows]  # type: ignore[attr-defined]
        # another path that ends with `seed` may be left out, if it has the same value in each job of the table
        kinds = {repr((job.task, absolute(job.params, {"seed", "train.seed"}))) for job in members}
        tags = {repr(absolute(job.tags, {"seed", "train.seed"})) for job in members}
        assert (len(kinds), len(tags)) == (1, 1)
        for names, values in (("train.seed", "params"), ("seed", "tags"), ("train.seed", "tags")):
            each = {key_of(getattr(job, values).get(names, "absent")) for job in members}
            same = all(key_of(getattr(job, values)[names]) == key_of(job.params["seed"]) for job in found
                       if names in getattr(job, values))  # fmt: skip
            assert len(each) == 1 or same


@given(jobs())
def test_each_job_counts_in_a_cell_or_is_named_in_a_hole(found: list[FakeJob]) -> None:
    folded = table(found, whole=True).over("param.seed")
    counted = [line.job for row in folded for line in row.group.rows]
    assert sorted(map(id, counted)) == sorted(map(id, found))
    for row in folded:
        value = row["a"] if "a" in dict(row) else None
        if isinstance(value, tuple):
            named = [hole.job for hole in value.missing if hole.job]  # type: ignore[attr-defined]
            assert sorted([*value.jobs, *named]) == sorted(row.jobs)  # type: ignore[attr-defined]


@given(jobs(), st.randoms())
def test_the_order_of_jobs_changes_no_group(found: list[FakeJob], random: Any) -> None:
    def groups(folded: Folded) -> set[frozenset[int]]:
        return {frozenset(id(line.job) for line in row.group.rows) for row in folded}

    mixed = list(found)
    random.shuffle(mixed)
    assert groups(table(found, whole=True).over("param.seed")) == groups(table(mixed, whole=True).over("param.seed"))


def sizes(folded: Folded) -> list[int]:
    return [len(row.group.rows) for row in folded]


def test_columns_that_are_not_shown_still_divide() -> None:
    found = [FakeJob({"lr": lr, "seed": seed}, {"a": 1}) for lr in (1, 2) for seed in range(3)]
    folded = table(found).select("a").over("seed")
    assert ([row.name for row in folded], sizes(folded)) == (["lr=1", "lr=2"], [3, 3])


def test_tasks_are_never_mixed() -> None:
    found = [FakeJob({"seed": seed}, {"a": 1}, task=task) for task in ("m:A", "m:B", "n:A") for seed in range(2)]
    assert [row["task"] for row in table(found).over("seed")] == ["m:A", "m:B", "n:A"]
    assert [row["task"] for row in table(found[:4]).over("seed")] == ["A", "B"]
    assert sizes(table(found[:4]).over("task", "seed")) == [4]


def test_the_text_of_a_value_is_not_the_value() -> None:
    found = [FakeJob({"a": value, "seed": 1}, {"x": 1}) for value in (None, "None", True, "True", [1], "[1]", 1)]
    assert sizes(table(found).over("seed")) == [1] * 7


def test_a_parameter_that_is_not_given_differs_from_one_that_repeats_the_seed() -> None:
    """The column `warmup` has what `seed` has, where it is there. It is hidden, and divides nevertheless."""
    found = [FakeJob({"seed": seed, **extra}, {"a": 1}) for seed in (1, 2) for extra in ({}, {"warmup": seed})]
    folded = table(found).over("seed")
    assert max(sizes(folded)) <= 2
    assert all(len({"warmup" in line.job.params for line in row.group.rows}) == 1 for row in folded)  # type: ignore[operator]


def test_the_seed_of_a_task_that_is_used_is_the_same_seed() -> None:
    trains = [FakeJob({"lr": lr, "seed": seed}) for lr in (0.1, 0.2) for seed in range(3)]
    uses = [{"job": label(job.name, job.identity)} for job in trains]
    evals = [FakeJob({"train": use}, {"a": n}, task="study:Eval") for n, use in enumerate(uses)]
    folded = table(evals, trains).over("seed")
    assert [(row["lr"], row["a"].mean) for row in folded] == [(0.1, 1), (0.2, 4)]
    tagged = [FakeJob(job.params, job.results, task=job.task, tags={"seed": n % 3}) for n, job in enumerate(evals)]
    assert sizes(table(tagged, trains).over("seed")) == [3, 3]


def test_two_kinds_of_tasks_with_a_seed_each_are_two_groups() -> None:
    found = [FakeJob({f"{kind}.seed": seed}, {"a": 1}, tags={"seed": seed}) for kind in "ab" for seed in range(3)]
    folded = table(found).over("seed")
    assert sizes(folded) == [3, 3]
    assert len({row.name for row in folded}) == 2


def test_a_column_that_goes_along_with_the_seed_is_told() -> None:
    found = [FakeJob({"lr": lr, "seed": seed, "split": 9 - seed}, {"a": 1}) for lr in (1, 2) for seed in range(3)]
    folded = table(found).over("seed")
    assert sizes(folded) == [1] * 6
    assert folded.notes[0] == (
        "No two jobs differ in seed alone: split differs, too. If that is no other configuration, fold over both: "
        "seed and split."
    )
    assert sizes(table(found).over("seed", "split")) == [3, 3]


class Unindexed(FakeJob):
    """A job that only the server knows."""

    @property
    def identity(self) -> str:
        return str(self.results["a"]) * 64


def test_jobs_whose_parameters_are_not_known_stand_alone() -> None:
    found = [FakeJob({"seed": seed}, {"a": seed}) for seed in range(2)]
    lost = [Unindexed(None, {"a": number}) for number in (7, 8)]  # type: ignore[arg-type]
    folded = table([*found, *lost]).over("seed")
    assert sizes(folded) == [2, 1, 1]
    assert folded.notes == ["Each stands alone, because its parameters are not known: 7777777, 8888888."]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "over: expected the name of a column to fold"),
        (("host",), "over: expected a tag or a parameter, but 'host' is a fact of the job"),
        (("a",), "over: expected a tag or a parameter, but 'a' is a result"),
        (("sed",), "over: no column 'sed'. Did you mean seed or started?"),
    ],
)
def test_what_cannot_be_folded_is_refused(names: tuple[str, ...], said: str) -> None:
    rows = table([FakeJob({"seed": seed}, {"a": 1}) for seed in range(2)])
    with pytest.raises((ResultsError, UnknownColumnError)) as caught:
        rows.over(*names)
    assert said in str(caught.value)


def used(*trains: FakeJob) -> list[FakeJob]:
    """Jobs that use others, each with three seeds of its own."""
    uses = [{"job": label(job.name, job.identity)} for job in trains]
    return [
        FakeJob({"train": use, "seed": seed}, {"a": n}, task="study:Eval")
        for n, use in enumerate(uses)
        for seed in range(3)
    ]


@pytest.mark.parametrize(
    ("tasks", "names"),
    [
        (("m:A", "m:B"), ["train=A", "train=B"]),
        (("m:A", "n:A"), ["train=m:A", "train=n:A"]),
    ],
)
@pytest.mark.parametrize("params", [{}, {"lr": 0.1}])
def test_jobs_that_use_tasks_of_two_classes_are_not_mixed(
    tasks: tuple[str, str], names: list[str], params: dict[str, Any]
) -> None:
    trains = [FakeJob(params, task=task) for task in tasks]
    assert [row.name for row in table(used(*trains), trains).over("seed")] == names


def test_jobs_that_use_jobs_whose_parameters_are_not_known_are_not_mixed() -> None:
    trains = [Unindexed(None, {"a": number}) for number in (7, 8)]  # type: ignore[arg-type]
    assert sizes(table(used(*trains), trains).over("seed")) == [3, 3]


def test_a_second_seed_that_is_always_the_same_is_told() -> None:
    found = [FakeJob({"data.seed": seed, "net.seed": seed}, {"a": 1}) for seed in range(3)]
    folded = table(found).over("net.seed")
    assert sizes(folded) == [3]
    assert folded.notes == ["Folded together with net.seed, because its value is the same in each job: data.seed."]
    found.append(FakeJob({"data.seed": 0, "net.seed": 1}, {"a": 1}))
    assert sizes(table(found).over("net.seed")) == [2, 1, 1]


def test_a_path_in_the_name_of_a_row_is_its_text() -> None:
    found = [
        FakeJob({"corpus": {"path": f"/data/{name}"}, "seed": seed}, {"a": 1}) for name in "xy" for seed in range(3)
    ]
    folded = table(found).over("seed")
    assert [row.name for row in folded] == ["corpus=/data/x", "corpus=/data/y"]
    assert folded.to_csv().splitlines()[1].startswith("/data/x,1")
    assert list(folded.pivot("corpus", "corpus", "a")[0])[1:] == ["/data/x", "/data/y"]
    found[0].state = State.FAILED
    assert table(found).over("corpus", "seed").holes[0].startswith("5 of 6 runs (1 failed")
    assert table(found[1:]).over("corpus", "seed")[0]["a"].keys[0] == ("/data/x", 1)


def test_a_name_is_one_line_of_what_tells_groups_apart() -> None:
    kinds: list[dict[str, Any]] = [
        {"model": "a\nb", "layers": {"in": 3}, "drop": None, "lr": 0.1},
        {"model": "", "layers": {"in": 4}, "drop": 0.5, "lr": 0.1},
        {"model": "", "layers": {"in": 4}, "drop": 0.5, "lr": None},
    ]
    found = table([FakeJob({**each, "seed": seed}, {"a": 1}) for each in kinds for seed in range(2)]).over("seed")
    assert [column.name for column in found.grouping.columns] == ["model", "layers", "drop", "lr"]
    assert [row.name for row in found] == ["model=a b lr=0.1", 'model="" lr=0.1', 'model=""']
    assert [row.name for row in found.select("a").pivot("layers", "lr")] == ['layers={"in": 3}', 'layers={"in": 4}']
    assert [column.name for column in found.pivot("layers", "lr").places] == ["0.1", "none"]
    old = [FakeJob({"m": "a"}, {"a": 1}), FakeJob({"m": "b"}, {"a": 1}), FakeJob({"model": "x"}, {"a": 1})]
    rows = table([*old, FakeJob({"m": "a", "seed": 1}, {"a": 1})]).over("seed")
    assert [row.name for row in rows] == ["m=a", "m=b", "model=x"]


def test_a_hidden_class_of_what_is_used_still_divides() -> None:
    uses = [FakeJob({"data": "Prepare", "data.corpus": 1, "seed": seed}, {"a": 1}) for seed in range(2)]
    found = [*uses, *(FakeJob({"seed": seed}, {"a": 1}) for seed in range(2))]
    assert [(row.name, len(row.group.rows)) for row in table(found).over("seed")] == [
        ("corpus=1", 2),
        ("corpus=none", 2),
    ]


def test_none_and_no_such_parameter_are_two_rows_and_a_note_tells_them_apart() -> None:
    none = [FakeJob({"warmup": None, "seed": seed}, {"a": seed}) for seed in range(3)]
    absent = [FakeJob({"seed": seed}, {"a": seed}) for seed in range(3)]
    some = [FakeJob({"warmup": 5, "seed": seed}, {"a": seed}) for seed in range(3)]
    folded = table([*none, *absent, *some]).over("seed")
    assert sizes(folded) == [3, 3, 3]
    assert folded.notes == [
        f"Rows without warmup are of two kinds: it is None, as in {none[0].identity[:7]}, or the job has no such "
        f"parameter, as {absent[0].identity[:7]}."
    ]
    assert table([*none, *some]).over("seed").notes == table([*absent, *some]).over("seed").notes == []


def test_what_a_command_prints_has_no_words_of_python() -> None:
    found = [FakeJob({"lr": lr, "seed": seed}, {"a": 1}) for lr in (1, 2) for seed in range(3)]
    for names in ((), ("a",), ("host",)):
        with pytest.raises(ResultsError) as caught:
            table(found).over(*names)
        assert "Name what varies between runs, such as seed." in str(caught.value)
