"""Seeds are submitted until an interval is narrow, on real workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers.playground import Stage
from helpers.waiting import wait_until
from script_tasks import Score, Write

from xpm_core import experiment
from xpm_core.errors import DryRunError, ExperimentError, ResultsError, UnknownColumnError
from xpm_core.reading.look import look
from xpm_core.results.folding.cells import Cell
from xpm_core.results.folding.settings import Settings
from xpm_core.results.statistics.intervals import Interval
from xpm_core.script.sampling.sampler import Wanted

redis = pytest.mark.redis


@redis
def test_it_stops_when_the_interval_is_narrow(stage: Stage) -> None:
    note, made = stage.note(), []

    def make(seed: int) -> Score:
        made.append(seed)
        return Score.C(note=note, seed=seed)

    with stage.experiment() as xp:
        folded = xp.until("accuracy", width=0.015, make=make, most=12)
        cell = folded[0]["accuracy"]
        assert made == list(range(len(made)))
        assert (len(folded), cell.n, cell.unit, list(folded[0])) == (1, len(made), "seeds", ["accuracy"])
        assert 3 < cell.n < 12
        assert cell.interval.high - cell.interval.low <= 0.015
        assert folded.caption == (
            f"Mean and 95 % t interval over {cell.n} seeds. The width of the interval stopped the sampling at "
            f"n={cell.n}, of at most 12 seeds: it was to be 0.015. So the level of the interval holds only roughly."
        )
        assert xp.wait()
        again = xp.until("loss.test", width=1000, make=lambda seed: Score.C(note=note, seed=seed))
        assert (again[0]["loss.test"].n, again[0]["loss.test"].mean) == (3, 1.0)


@redis
def test_tables_of_other_processes_say_that_the_width_has_stopped_the_sampling(stage: Stage) -> None:
    note, name = stage.note(), stage.name()

    def make(seed: int, lr: float) -> Score:
        return Score.C(note=note, seed=seed, lr=lr)

    with stage.experiment(name) as xp:
        (first,) = xp.until("accuracy", width=0.015, make=lambda seed: make(seed, 0.1), most=12)
        xp.until("accuracy", width=1e-6, make=lambda seed: make(seed, 0.2), most=4)
        at = first["accuracy"].n
        said = f"of accuracy in 1 of 2 rows, at n={at}: its level holds only roughly."
        assert xp.wait()
        assert xp.results().over("seed").caption.endswith(said)

    def counted() -> list[int]:
        with look(stage.workspace.path, redis=stage.url) as view:
            return [row["accuracy"].n for row in view.results(name).over("seed")]

    wait_until(lambda: counted() == [at, 4], show=lambda: str(counted()))
    program, where = str(Path(sys.executable).parent / "xpm"), ["--workspace", str(stage.workspace.path)]
    for form in ("table", "latex", "md", "json"):
        command = [program, "results", name, "--over", "seed", "-o", form, *where]
        environment = {**os.environ, "XPM_REDIS_URL": stage.url}
        printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        assert " ".join(printed.split()).count(said) == 1


@redis
def test_it_stops_at_most(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment() as xp:
        folded = xp.until("accuracy", width=1e-6, make=lambda seed: Score.C(note=note, seed=seed), most=4)
        assert folded[0]["accuracy"].n == 4
        assert folded.caption.endswith(
            "The sampling ended at its limit of 4 seeds, before the interval was 1e-06 wide."
        )


@redis
def test_no_seed_is_wasted_where_there_can_be_no_interval(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment() as xp:
        folded = xp.until("accuracy", width=0.1, make=lambda seed: Score.C(note=note, seed=seed), range=(5, 6))
        assert folded[0]["accuracy"].n == 3
        assert folded.caption.endswith(
            "The sampling ended after 3 seeds, because no further ones help: 3 of 3 values lie outside of the range "
            "5 to 6, so there is no interval."
        )


@redis
def test_seeds_that_fail_are_holes(stage: Stage) -> None:
    note = stage.note()
    with stage.failing() as failing:
        folded = failing.xp.until(
            "accuracy", width=1e-6, make=lambda seed: Score.C(note=note, seed=seed, fails_from=4), most=20
        )
        cell = folded[0]["accuracy"]
        assert (cell.n, {hole.why for hole in cell.missing}) == (4, {"failed"})
        assert len(cell.missing) < 16
        assert "because none of the last ones has reported a number" in folded.caption
        assert "failed: xpm show" in folded.holes[0]


@redis
def test_a_task_that_is_used_has_the_seed(stage: Stage) -> None:
    note = stage.note()

    def make(seed: int) -> Score:
        first = Score.C(note=note, seed=seed)
        first.submit()
        return Score.C(note=note, seed=0, before=first, lr=0.5)

    with stage.experiment() as xp:
        folded = xp.until("accuracy", width=0.1, make=make, over="before.seed")
        assert folded[0]["accuracy"].keys == ((0,), (1,), (2,))


@redis
@pytest.mark.parametrize(
    ("make", "options", "said"),
    [
        (lambda note, seed: Score.C(note=note, seed=seed, lr=seed / 10), {}, "differ in lr, not only in seed"),
        (lambda note, seed: Score.C(note=note, seed=0, unused=seed), {}, "make(1) returns Score/"),
        (lambda note, seed: seed, {}, "make(0): expected a task, got 0"),
        (lambda note, seed: Score.C(note=note, seed=seed), {"metric": "kind"}, "no number: all jobs have 'mlp'"),
        (lambda note, seed: Score.C(note=note, seed=seed), {"metric": "acuracy"}, "Did you mean accuracy"),
        (lambda note, seed: Score.C(note=note, seed=seed), {"over": "sed"}, "no column 'sed'. Did you mean seed"),
        (lambda note, seed: Write.C(note=note, n=seed), {"over": "n"}, "no job has reported a result (Write/"),
    ],
)  # fmt: skip
def test_tasks_that_are_no_sample_are_refused(stage: Stage, make: Any, options: Any, said: str) -> None:
    note = stage.note()
    given = {"metric": "accuracy", "width": 0.001, **options}
    with stage.experiment() as xp, pytest.raises((ResultsError, UnknownColumnError)) as caught:
        xp.until(make=lambda seed: make(note, seed), **given)
    assert said in str(caught.value)


def test_a_dry_run_plans_the_first_seeds(tmp_path: Path) -> None:
    with experiment(tmp_path / "workspace", "digits", dry_run=True) as xp:
        with pytest.raises(DryRunError, match=r"xp\.until"):
            xp.until("accuracy", width=0.01, make=lambda seed: Score.C(note="dry", seed=seed))
        assert len(xp.plan().jobs) == 3
    with pytest.raises(ExperimentError, match="is not open"):
        xp.until("accuracy", width=0.01, make=lambda seed: Score.C(note="dry", seed=seed))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"width": 0}, "width: expected a number above 0, got 0"),
        ({"width": True}, "width"),
        ({"most": 2}, "most: expected a whole number of at least 3, got 2"),
        ({"make": 3}, "make: expected a function, got 3"),
        ({"interval": "sd"}, "interval"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(options: dict[str, Any], said: str) -> None:
    settings = Settings(("seed",), options.pop("interval", "t"))
    given = {"metric": "a", "width": 0.1, "most": 20, "make": print, "settings": settings, **options}
    with pytest.raises(ResultsError) as caught:
        Wanted(**given)
    assert said in str(caught.value)


def wanted(width: float) -> Wanted:
    return Wanted("a", width, 20, lambda seed: None, Settings(("seed",)))  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(
    ("width", "submitted", "more"), [(0.1, 3, 3), (0.19, 3, 1), (0.15, 3, 3), (0.1, 18, 2), (0.18, 3, 1)]
)
def test_the_next_seeds_are_as_many_as_the_width_needs_but_no_more_than_there_are(
    width: float, submitted: int, more: int
) -> None:
    cell = Cell(0.5, 0.1, 3, Interval(0.4, 0.6), "95 % t", (), "seeds")
    assert wanted(width).next(cell, submitted) == more


def test_a_caption_says_that_equal_values_have_stopped_the_sampling() -> None:
    equal = Cell(0.5, 0.0, 3, Interval(0.5, 0.5), "95 % t", (), "seeds")
    assert wanted(0.1).stopped(equal, 3).endswith("All 3 values are equal, so its width says little.")
    assert "equal" not in wanted(0.1).stopped(equal._replace(sd=0.01), 3)


def test_without_an_interval_one_more_seed_is_tried() -> None:
    assert wanted(0.1).next(Cell(0.5, None, 1, None, "", (), "seeds"), 3) == 1
