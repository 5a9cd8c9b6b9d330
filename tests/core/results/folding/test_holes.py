"""Holes are named: jobs that are not done, seeds that other rows have, and results that were not reported."""

from __future__ import annotations

from helpers.result_jobs import FakeJob, table

from xpm_core.labels import label
from xpm_core.results.folding.cells import Hole
from xpm_core.results.folding.holes import at_text, sentence
from xpm_core.states import State


def sweep() -> list[FakeJob]:
    return [FakeJob({"lr": lr, "seed": seed}, {"accuracy": seed / 10}) for lr in (0.1, 0.2) for seed in range(5)]


def test_jobs_that_are_not_done_are_named_and_do_not_count() -> None:
    jobs = sweep()
    jobs[0].state, jobs[1].state = State.RUNNING, State.FAILED
    folded = table(jobs).over("seed")
    said = f"lr=0.1: 3 of 5 seeds (1 running, 1 failed: xpm show {jobs[1].identity[:7]})."
    assert (folded.holes, folded.notes) == ([said], [said])
    cell = folded[0]["accuracy"]
    assert (cell.n, cell.values, cell.mean) == (3, (0.2, 0.3, 0.4), 0.3)
    assert [hole[:3] for hole in cell.missing] == [("seed=0", (0,), "running"), ("seed=1", (1,), "failed")]
    assert str(cell).endswith("(95 % t, n=3 of 5 seeds)")
    assert folded[1]["accuracy"].missing == ()


def test_seeds_that_other_rows_have_are_missing() -> None:
    jobs = sweep()
    del jobs[2:4]
    assert table(jobs).over("seed").holes == ["lr=0.1: 3 of 5 seeds (2 missing: seed=2, seed=3)."]


def test_seeds_of_which_each_row_has_its_own_are_no_holes() -> None:
    """As in a random search: 200 groups of 3 rows would lack 119,400 seeds."""
    jobs = [FakeJob({"lr": number % 200, "seed": number}, {"accuracy": 0.5}) for number in range(600)]
    jobs[7].state = State.FAILED
    folded = table(jobs).over("seed")
    assert folded.holes == [f"lr=7: 2 of 3 seeds (1 failed: xpm show {jobs[7].identity[:7]})."]
    assert any("those which a group lacks are not named" in note for note in folded.notes)


def test_a_configuration_without_a_seed_lacks_none() -> None:
    jobs = [*sweep(), FakeJob({"lr": 0.3}, {"accuracy": 0.1})]
    folded = table(jobs).over("seed")
    assert (folded.holes, str(folded[2]["accuracy"])) == ([], "0.1 (no interval, n=1 seed)")


def test_done_jobs_that_have_not_reported_are_named() -> None:
    jobs = sweep()
    jobs[3].results, jobs[8].results = {"loss": 1.0}, {"accuracy": None}
    folded = table(jobs).over("seed")
    name, other = jobs[3].identity[:7], jobs[8].identity[:7]
    assert folded.holes[0] == f"lr=0.1: 4 of 5 seeds (1 without accuracy: xpm show {name})."
    assert f"lr=0.2: 4 of 5 seeds (1 without accuracy: xpm show {other})." in folded.holes
    assert folded[0]["accuracy"].n == folded[1]["accuracy"].n == 4
    assert folded[0]["loss"].n == 1


def test_a_task_that_never_reports_a_result_has_no_cell() -> None:
    jobs = [*sweep(), *(FakeJob({"lr": 0.1, "seed": seed}, {"time": 1}, task="m:Other") for seed in range(5))]
    folded = table(jobs).over("seed")
    assert folded.holes == []
    assert [(row["task"], row["accuracy"] is None, row["time"] is None) for row in folded] == [
        ("Train", False, True), ("Train", False, True), ("Other", True, False),
    ]  # fmt: skip


def test_a_state_that_nobody_knows_is_a_hole() -> None:
    jobs = sweep()
    jobs[0].state = None
    assert table(jobs).over("seed").holes == [f"lr=0.1: 4 of 5 seeds (1 unknown: xpm show {jobs[0].identity[:7]})."]


def test_jobs_with_one_seed_all_count_and_are_named() -> None:
    jobs = [*sweep(), FakeJob({"lr": 0.1, "seed": 3.0}, {"accuracy": 0.9})]
    folded = table(jobs).over("seed")
    twins = f"{jobs[3].identity[:7]}, {jobs[-1].identity[:7]}"
    assert folded.notes == [f"lr=0.1 seed=3: 2 jobs differ in nothing else, and all count: {twins}."]
    assert (folded[0]["accuracy"].n, folded[0]["accuracy"].unit, folded[1]["accuracy"].unit) == (6, "runs", "seeds")
    assert folded.caption == "Mean and 95 % t interval over 5 to 6 runs."
    assert folded[1:].caption == "Mean and 95 % t interval over 5 seeds."


def test_a_seed_that_comes_twice_does_not_hide_one_that_is_missing() -> None:
    jobs = [*sweep(), FakeJob({"lr": 0.1, "seed": 3.0}, {"accuracy": 0.9})]
    jobs[0].state = State.FAILED
    cell = table(jobs).over("seed")[0]["accuracy"]
    assert (cell.n, cell.expected, cell.count_text) == (5, 6, "n=5 of 6 runs")


def test_a_failed_job_whose_seed_another_one_has_done_is_named() -> None:
    jobs = [*sweep(), FakeJob({"lr": 0.1, "seed": 3.0}, {"accuracy": 0.9}, State.FAILED)]
    folded = table(jobs).over("seed")
    assert folded.holes == [f"lr=0.1: 5 of 5 seeds (1 failed: xpm show {jobs[-1].identity[:7]})."]
    assert str(folded[0]["accuracy"]).endswith("n=5 seeds)")


def test_other_code_and_packages_within_a_row_are_told() -> None:
    jobs = sweep()
    jobs[0].code, jobs[5].packages = "aaaa", "bbbb"
    assert table(jobs).over("seed").notes == [
        "Jobs of one group ran with several versions of the code: lr=0.1 (8c1f2e000000, aaaa).",
        "Jobs of one group ran with several lists of packages: lr=0.2 (5d20b1100000, bbbb).",
    ]


def test_many_holes_are_in_a_list() -> None:
    jobs = [FakeJob({"lr": lr, "seed": seed}, {"a": 1}) for lr in range(15) for seed in range(3) if lr or seed]
    jobs = [job for job in jobs if job.params["lr"] == 14 or job.params["seed"]]
    folded = table(jobs).over("seed")
    assert (len(folded.holes), len(folded.notes)) == (14, 11)
    assert folded.notes[-1] == "4 more holes are not named here. Each cell says how many jobs it counts."


def test_missing_seeds_are_named_before_results_that_are_missing() -> None:
    jobs = [FakeJob({"lr": lr, "seed": seed}, {"a": 1}) for lr in range(2) for seed in range(3)]
    jobs[0].results = {f"r{number}": 1 for number in range(10)}
    folded = table(jobs[:-1]).over("seed")
    assert (len(folded.holes), len(folded)) == (22, 2)
    assert folded.holes[0] == "lr=1: 2 of 3 seeds (1 missing: seed=2)."
    assert folded.notes[-1] == "12 more holes are not named here. Each cell says how many jobs it counts."


def test_several_names_are_runs() -> None:
    jobs = [FakeJob({"fold": fold, "seed": seed}, {"a": fold}) for fold in range(2) for seed in range(3)]
    jobs[0].state = State.CANCELLED
    [row] = table(jobs).over("fold", "seed")
    assert str(row["a"]) == "0.6 ± 0.7 (95 % t, n=5 of 6 runs)"
    assert table(jobs).over("fold", "seed").holes == ["5 of 6 runs (1 cancelled)."]


def test_a_name_that_is_given_twice_counts_once() -> None:
    jobs = [*sweep(), FakeJob({"lr": 0.3, "seed": 0}, {"accuracy": 1})]
    once, twice = table(jobs).over("seed"), table(jobs).over("seed", "seed")
    assert twice.holes == once.holes != []
    assert [str(row["accuracy"]) for row in twice] == [str(row["accuracy"]) for row in once]


def test_runs_of_several_data_sets_in_one_cell_are_told_to_count_as_independent() -> None:
    jobs = [FakeJob({"m": m, "data": data, "seed": seed}, {"a": m + data + seed}) for m in range(2) for data in range(2)
            for seed in range(3)]  # fmt: skip
    found = table(jobs)
    said = (
        "Intervals and tests take all runs as independent. If runs of one data are alike, these are too narrow: fold "
        "over seed alone, or aggregate over data and seed in Python."
    )
    assert found.over("data", "seed").notes == [said]
    assert found.compare("m=0", "m=1", over=["data", "seed"]).notes == [said]
    assert found.over("seed").notes == found.over("data", "seed", interval="sd").notes == []
    assert found.aggregate(["data", "seed"], "mean").notes == []
    along = [FakeJob({"split": 9 - seed, "seed": seed}, {"a": 1}) for seed in range(3)]
    assert table(along).over("split", "seed").notes == []


def test_a_sentence_without_a_group_begins_with_the_count() -> None:
    hole = Hole("seed=1", (1,), "missing")
    assert sentence("", [(0,)], [hole], "seeds") == "1 of 2 seeds (1 missing: seed=1)."
    assert at_text(["train.fold", "seed"], (1, "x")) == "fold=1 seed=x"


def test_a_column_that_no_group_has_is_not_said_to_be_unfolded() -> None:
    jobs = [FakeJob({"seed": seed, **more}, {"a": 1}) for more in ({"m.seed": None}, {}) for seed in range(3)]
    [note] = table(jobs).over("seed").notes
    assert note.startswith("Rows without m.seed are of two kinds:")


def test_a_seed_of_another_name_that_is_not_folded_is_said() -> None:
    trains = [FakeJob({"m": m, "seed": seed}, {"a": 1}) for m in "xy" for seed in range(3)]
    evals = [FakeJob({"t": {"job": label(job.name, job.identity)}}, {"b": 1}, task="study:Eval") for job in trains[:5]]
    alone = table([*trains, *evals]).over("seed")
    assert (
        "t.seed is not folded, and the jobs that have it have no seed. Fold over both: seed and t.seed." in alone.notes
    )
    both = table([*trains, *evals]).over("seed", "t.seed")
    assert both.notes == ["task=Eval t.m=y: 2 of 3 runs (1 missing: seed=2)."]
    assert table(evals, trains).over("seed").notes == ["m=y: 2 of 3 seeds (1 missing: seed=2)."]
