"""A folded table as a whole: its rows, their order, the best of them, marks and captions."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest
from helpers.result_jobs import FakeJob, table

from xpm_core.errors import ResultsError, UnknownColumnError
from xpm_core.results.folding.folded import Folded
from xpm_core.results.jobs import Known
from xpm_core.results.table import Table
from xpm_core.states import State
from xpm_core.workspace.experiment_directory import Sampling
from xpm_core.workspace.workspace import Workspace

MEANS = {"bm25": 0.8, "dense": 0.9, "twin": 0.9005, "few": 0.89}


def models(seeds: int = 5) -> Table:
    draw = random.Random(1)
    jobs = [
        FakeJob({"model": model, "data": data, "seed": seed}, {"accuracy": mean + draw.gauss(0, 0.01), "loss": -mean})
        for model, mean in MEANS.items()
        for data in ("x", "y")
        for seed in range(2 if model == "few" else seeds)
    ]
    return table(jobs)


def test_rows_are_mappings_of_columns_and_cells() -> None:
    folded = models().over("seed")
    row = folded[0]
    assert (list(row), row["model"], row["accuracy"].n) == (["model", "data", "accuracy", "loss"], "bm25", 5)
    assert (row.name, len(row.jobs), len(row)) == ("model=bm25 data=x", 5, 4)
    assert row["accuracy"] is row["result.accuracy"] is row["accuracy"]
    assert repr(folded) == "<8 rows with model, data, accuracy, loss, over seed>"
    assert repr(row) == "<model=bm25 data=x: 5 jobs>"
    with pytest.raises(UnknownColumnError, match=r"no column 'seed'\. It was folded\."):
        row["seed"]
    with pytest.raises(UnknownColumnError, match="Did you mean accuracy"):
        row["acuracy"]


def test_rows_are_sorted_and_chosen() -> None:
    folded = models().over("seed")
    assert [row["model"] for row in folded.sort("-accuracy")][-1] == "bm25"
    assert [row["model"] for row in folded.sort("data", "loss")][:2] == ["twin", "dense"]
    assert [dict(row).keys() for row in folded.select("loss")[:1]] == [{"model": 0, "data": 0, "loss": 0}.keys()]
    assert len(folded[2:5]) == 3


def test_the_best_row_is_found_within_others() -> None:
    folded = models().over("seed")
    assert [row["model"] for row in folded.best("loss", by="data", lowest=True)] == ["twin", "twin"]
    assert folded.best("accuracy")[0]["model"] in ("dense", "twin")
    assert [row["model"] for row in folded.best("loss")] == ["bm25", "bm25"]
    with pytest.raises(ResultsError, match="Name one of: accuracy, loss"):
        folded.best()


def test_a_row_without_a_mean_is_named_where_the_best_is_chosen() -> None:
    jobs = [FakeJob({"lr": lr, "seed": seed}, {"a": lr + seed / 9}) for lr in range(3) for seed in range(3)]
    jobs[-1].results, jobs[0].results = {"a": math.nan}, {"a": -1.0}
    folded = table(jobs).over("seed")
    best = folded.best("a")
    assert [row["lr"] for row in best] == [1]
    assert best.notes == ["The best is chosen without rows that have no mean of a: lr=2."]
    assert folded.notes == folded[:2].best("a").notes == []


def test_marks_tell_the_best_what_is_like_it_and_what_nobody_can_tell() -> None:
    folded = models(8).over("seed")
    marks = dict(zip([row.name for row in folded], folded.marks("accuracy", within="data"), strict=True))
    for data in ("x", "y"):
        assert marks[f"model=bm25 data={data}"] == ""
        assert {marks[f"model=dense data={data}"], marks[f"model=twin data={data}"]} == {"best", "alike"}
        assert marks[f"model=few data={data}"] == "untested"
    assert folded.marks("accuracy").count("best") == 1


def test_bold_cells_are_corrected_together_and_what_nobody_can_tell_is_in_the_caption() -> None:
    folded = models(8).over("seed")
    sheet = folded.sheet(bold="accuracy", within="data")
    names = [sheet.names[at] for at, _ in sheet.bold]
    assert not any("few" in name or "bm25" in name for name in names)
    assert sheet.caption.endswith(
        "Not told from the best, because a test needs 3 values on each side, and no nan or infinity: "
        "model=few data=x, model=few data=y."
    )
    assert (
        "accuracy, loss of model=few data=x, model=few data=y: 2 values are too few for an interval, which needs 3."
        in (sheet.notes)
    )
    close = {"a": [1.0, 1.1, 1.2, 1.3], "b": [0.97, 1.08, 1.19, 1.25]}  # p is between 0.025 and 0.05
    jobs = [
        FakeJob({"m": name, "seed": seed}, {"up": value, "down": -value})
        for name, values in close.items()
        for seed, value in enumerate(values)
    ]
    assert table(jobs).over("seed").sheet(bold="up").bold == {(0, 1)}
    assert table(jobs).over("seed").sheet(bold="-down").bold == {(0, 2)}
    assert table(jobs).over("seed").sheet(bold=["up", "-down"]).bold == {(0, 1), (0, 2), (1, 1), (1, 2)}


@pytest.mark.parametrize(("runs", "mark"), [(1, "untested"), (2, "untested"), (3, "best")])
def test_the_only_cell_of_a_column_is_the_best_if_it_has_enough_runs(runs: int, mark: str) -> None:
    places = [(1, "x"), (2, "y"), (2, "z")]
    jobs = [FakeJob({"m": m, "data": data, "seed": seed}, {"a": seed}) for m, data in places for seed in range(runs)]
    pivot = table(jobs).over("seed").pivot("m", "data", "a")
    assert [row.marks for row in pivot] == [{"x": mark}, {"y": mark, "z": mark}]


def test_a_table_of_texts_has_no_caption() -> None:
    jobs = [FakeJob({"m": m, "seed": seed}, {"a": seed}) for m in (1, 2) for seed in range(3)]
    assert table(jobs).select("host").over("seed").caption == ""


@pytest.mark.parametrize("lucky", [1, 2])
def test_the_greatest_of_too_few_runs_is_not_the_best(lucky: int) -> None:
    jobs = [FakeJob({"m": m, "seed": seed}, {"a": m + seed / 10}) for m in (1, 2) for seed in range(4)]
    jobs += [FakeJob({"m": 3, "seed": seed}, {"a": 3}) for seed in range(lucky)]
    folded = table(jobs).over("seed")
    assert folded.marks() == ["untested"] * 3
    assert folded.sheet(bold="a").bold == set()
    assert folded.marks(lowest=True) == ["best", "", "untested"]
    assert "m=3" in folded.sheet(bold="-a").caption


def test_a_caption_says_what_a_cell_is() -> None:
    folded = models().over("seed", interval="bootstrap", level=0.9)
    assert folded.caption == "Mean and 90 % bootstrap interval over 2 to 5 seeds."
    stopped = folded.stopped("The width stopped it.")
    assert stopped.caption == "Mean and 90 % bootstrap interval over 2 to 5 seeds. The width stopped it."
    assert stopped.pivot("model", "data", "accuracy").caption.endswith("The width stopped it.")
    assert models().over("seed", interval="sd").caption == "Mean and standard deviation over 2 to 5 seeds."
    assert models().over("seed", range=(0, 1)).caption == "Mean and 95 % t interval (logit scale) over 2 to 5 seeds."
    assert (
        models().over("seed", interval="se", range=(None, 1)).caption.startswith("Mean and standard error (log scale)")
    )


@pytest.mark.parametrize("state", [State.RUNNING, State.FAILED])
def test_a_table_in_which_no_job_counts_has_no_caption(state: State) -> None:
    jobs = [FakeJob({"m": m, "d": -m, "seed": seed}, {"a": 1}, state) for m in (1, 2) for seed in range(3)]
    folded = table(jobs).over("seed")
    assert (folded.caption, folded.pivot("m", "d", "a").caption) == ("", "")
    assert "over 0 seeds" not in f"{folded}{folded.to_latex()}{folded.to_markdown()}"


WIDTH_SAID = "The width of the interval stopped the sampling of a"


def sampled(workspace: Path, ends: dict[int, str], **options: Any) -> Folded:
    """A table of 3 models with 5 seeds each: of some the sampling has ended, and why."""
    jobs = {m: [FakeJob({"m": m, "d": -m, "seed": s}, {"a": m + s / 9, "b": s}) for s in range(5)] for m in (1, 2, 3)}
    experiment = Workspace.open(workspace).experiment("digits")
    experiment.new_run()
    for m, why in ends.items():
        among = frozenset(job.identity for job in jobs[m][: 3 + m])
        experiment.keep_sampling(Sampling("a", ("seed",), 0.1, 20, why, len(among), among))
    return Table([each for some in jobs.values() for each in some], Known(workspace, list)).over("seed", **options)


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ({1: "width"}, f"{WIDTH_SAID} in 1 of 3 rows, at n=4: its level holds only roughly."),
        ({1: "width", 2: "width"}, f"{WIDTH_SAID} in 2 of 3 rows, at n=4 and n=5: their level holds only roughly."),
        ({1: "width", 2: "width", 3: "width"}, f"{WIDTH_SAID} in all 3 rows, at n=4 and n=5: their level holds"),
        ({1: "limit", 2: "hopeless", 3: "unreported"}, ""),
    ],
)
def test_captions_say_where_a_width_has_stopped_the_sampling(tmp_path: Path, ends: dict[int, str], said: str) -> None:
    folded = sampled(tmp_path, ends)
    first = "Mean and 95 % t interval over 5 seeds."
    assert folded.caption.startswith(f"{first} {said}".strip())
    assert folded.caption.count("sampling") == bool(said)
    for text in (str(folded), folded.to_markdown(), folded._repr_html_()):
        assert text.count(WIDTH_SAID) == bool(said)
    assert folded.to_latex().count("stopped the sampling of a") == bool(said)
    pivot = folded.pivot("m", "d", "a")
    assert pivot.caption.count("sampling") == bool(said)
    assert ("3 places" in pivot.caption) == bool(said)


def test_captions_name_only_rows_and_results_that_are_there(tmp_path: Path) -> None:
    folded = sampled(tmp_path, {1: "width", 2: "width"})
    assert "sampling" not in folded.select("b").caption
    assert folded[:1].caption.endswith(f"{WIDTH_SAID}, at n=4: its level holds only roughly.")
    assert folded[2:].caption == "Mean and 95 % t interval over 5 seeds."
    assert sampled(tmp_path, {}, interval="sd").caption.endswith("n=5: their spread may be larger than it looks.")
    stopped = folded.stopped("The width stopped it.")
    assert stopped.caption == "Mean and 95 % t interval over 5 seeds. The width stopped it."


def test_a_sampling_of_what_is_not_folded_is_not_named(tmp_path: Path) -> None:
    jobs = [FakeJob({"m": m, "seed": s}, {"a": m + s / 9}) for m in (1, 2, 3) for s in range(5)]
    experiment = Workspace.open(tmp_path).experiment("digits")
    experiment.new_run()
    among = frozenset(job.identity for job in jobs[:5])
    experiment.keep_sampling(Sampling("a", ("seed",), 0.1, 20, "width", 5, among))
    found = Table(jobs, Known(tmp_path, list))
    assert found.over("m")[0]["a"].interval is not None
    assert "sampling" not in found.over("m").caption
    for names in (["seed"], ["m", "seed"], ["param.seed"]):
        assert "sampling" in found.over(*names).caption


@pytest.mark.parametrize(("n", "said"), [(12, 0), (10, 0), (9, 1), (6, 1), (5, 1)])
def test_a_few_jobs_of_a_sampling_that_others_have_made_are_no_part_of_it(tmp_path: Path, n: int, said: int) -> None:
    jobs = [FakeJob({"seed": s}, {"a": s / 9}, experiments=("fixed", "digits")) for s in range(5)]
    experiment = Workspace.open(tmp_path).experiment("digits")
    experiment.new_run()
    among = frozenset([*(job.identity for job in jobs), *(f"{at:064x}" for at in range(n - 5))])
    experiment.keep_sampling(Sampling("a", ("seed",), 0.1, 20, "width", n, among))
    assert Table(jobs, Known(tmp_path, list)).over("seed").caption.count("sampling") == said


def test_a_caption_says_no_interval_where_no_cell_has_one() -> None:
    two = [FakeJob({"lr": lr, "seed": seed}, {"a": lr + seed}) for lr in (1, 2) for seed in range(2)]
    assert table(two).over("seed").caption == "Mean over 2 seeds, without an interval."
    assert table(two[:1]).over("seed").caption == "Mean over 1 seed, without an interval."
    three = [FakeJob({"lr": 3, "seed": seed}, {"a": seed}) for seed in range(3)]
    assert table([*two, *three]).over("seed").caption == "Mean and 95 % t interval over 2 to 3 seeds."
    assert "without an interval" in table(two).over("seed").to_latex()


def test_the_best_job_of_a_table_is_done() -> None:
    jobs = [FakeJob({"lr": lr}, {"a": lr}) for lr in range(4)]
    jobs[3].state = State.FAILED
    assert [row["lr"] for row in table(jobs).best()] == [2]
    assert [row["lr"] for row in table(jobs).best("a", lowest=True)] == [0]
    equal = [FakeJob({"lr": lr, "b": lr % 2}, {"a": 1}) for lr in range(4)]
    assert len(table(equal).best("a", by=["b"])) == 4


def test_an_empty_table_has_no_rows() -> None:
    with pytest.raises(UnknownColumnError):
        table([]).over("seed")


def test_a_profile_has_the_share_of_runs_above_each_limit() -> None:
    jobs = [FakeJob({"m": m, "d": d, "seed": s}, {"a": m + s / 10}) for m in (1, 2) for d in "xy" for s in range(4)]
    profiles = table(jobs).over("d", "seed").profile([1.15, 2.0])
    assert {name: [point.share for point in points] for name, points in profiles.items()} == {
        "m=1": [0.5, 0.0], "m=2": [1.0, 0.75],
    }  # fmt: skip
    assert profiles["m=1"][0].interval is not None
