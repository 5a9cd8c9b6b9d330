"""Plots of tables: what is drawn of rows, and of the curves that jobs have logged."""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from helpers.result_jobs import FakeJob
from helpers.sheets import HOSTILE

from xpm_core.errors import MissingPackageError, ResultsError, UnknownColumnError
from xpm_core.job.reporting.metrics import NAME
from xpm_core.results.listed import table_of
from xpm_core.results.table import Table
from xpm_core.states import State

pytest.importorskip("matplotlib")


@dataclass
class Work:
    """Jobs with curves in a workspace."""

    folder: Path

    def table(self, *jobs: FakeJob) -> Table:
        return table_of(jobs, self.folder, lambda: jobs)

    def job(self, steps: int, state: State = State.DONE, **params: Any) -> FakeJob:
        """A job that has logged a loss at so many steps."""
        job = FakeJob(params, {"accuracy": 0.5 + len(str(params)) / 1000} if state is State.DONE else {}, state)
        folder = self.folder / "jobs" / "study.train" / job.identity
        folder.mkdir(parents=True)
        lines = [{"xpm_execution": "e1", "at": 1}, *({"step": step, "loss": 1 / (step + 1)} for step in range(steps))]
        (folder / NAME).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        return job


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


def drawn(figure: Any) -> bytes:
    """The picture of a figure."""
    png: bytes = figure._repr_png_()
    assert png.startswith(b"\x89PNG")
    return png


def texts(figure: Any) -> list[str]:
    return [each.get_text() for each in figure.axes[0].texts]


def legend(figure: Any) -> list[str]:
    found = figure.axes[0].get_legend()
    return [text.get_text() for text in found.get_texts()] if found else []


def test_jobs_are_points_with_a_colour_for_each_value(work: Work) -> None:
    jobs = [work.job(0, lr=lr, model=model) for lr in (0.001, 0.1) for model in ("mlp", "svm")]
    figure: Any = work.table(*jobs).plot("lr", "accuracy", by="model")
    assert [len(each.get_offsets()) for each in figure.axes[0].collections] == [2, 2]
    assert (legend(figure), figure.axes[0].get_xscale()) == (["mlp", "svm"], "log")
    assert drawn(figure)
    assert legend(work.table(*jobs).plot("lr", "accuracy")) == []


def test_folded_rows_are_lines_or_bars_with_intervals(work: Work) -> None:
    jobs = [work.job(0, lr=lr, model=m, seed=s) for lr in (1, 2) for m in ("mlp", "svm") for s in range(9, 12)]
    cells = work.table(*jobs).over("seed")
    lines: Any = cells.plot("lr", "accuracy")
    assert (legend(lines), len(lines.axes[0].patches)) == (["mlp", "svm"], 0)
    bars: Any = cells.plot("model", "accuracy", by="lr")
    assert (legend(bars), len(bars.axes[0].patches)) == (["1", "2"], 4)
    assert [each.get_text() for each in bars.axes[0].get_xticklabels()] == ["mlp", "svm"]
    assert bars.notes == ["Mean and 95 % t interval over 3 seeds."]
    with pytest.raises(ResultsError, match="several rows have lr=1: model=mlp, model=svm"):
        cells.plot("lr", by=())
    assert drawn(lines)
    assert drawn(bars)


def test_a_mean_of_fewer_runs_says_how_many(work: Work) -> None:
    jobs = [work.job(0, lr=1, seed=seed) for seed in range(4)]
    fewer = [work.job(0, lr=2, seed=seed) for seed in range(3)]
    figure: Any = work.table(*jobs, *fewer, work.job(0, State.RUNNING, lr=2, seed=3)).over("seed").plot("lr")
    assert texts(figure) == ["n=3"]


def test_curves_of_jobs_are_lines(work: Work) -> None:
    figure: Any = work.table(*(work.job(5, lr=lr) for lr in (1, 2)), work.job(0, lr=3)).plot("step", "loss", by="lr")
    assert [len(line.get_xdata()) for line in figure.axes[0].lines if len(line.get_xdata())] == [5, 5]
    assert legend(figure)[:2] == ["lr=1", "lr=2"]
    assert "1 job without a curve of loss" in figure.notes[0]


def test_a_mean_is_never_pulled_by_runs_that_ended_early(work: Work) -> None:
    jobs = [*(work.job(10, lr=1, seed=seed) for seed in range(3)), work.job(4, lr=1, seed=3)]
    figure: Any = (
        work.table(*jobs, *(work.job(10, lr=2, seed=seed) for seed in range(3))).over("seed").plot("step", "loss")
    )
    lines = [(list(line.get_xdata()), line.get_linestyle()) for line in figure.axes[0].lines]
    assert lines[0] == ([0, 1, 2, 3], "-")
    assert lines[1][0] == [3, 4, 5, 6, 7, 8, 9]
    assert lines[1][1] != "-"
    assert len(figure.axes[0].collections) == 2
    assert texts(figure) == ["n=3"]
    assert legend(figure) == ["lr=1 (n=4)", "lr=2 (n=3)"]
    early = jobs[3].identity[:7]
    assert f"lr=1: 1 of 4 runs ended before step 9 ({early} done, at step 3)." in figure.notes
    assert drawn(figure)


def test_a_mean_of_curves_counts_the_jobs_that_the_table_counts(work: Work) -> None:
    jobs = [*(work.job(10, lr=1, seed=seed) for seed in range(3)), work.job(4, State.FAILED, lr=1, seed=3)]
    folded = work.table(*jobs).over("seed")
    figure: Any = folded.plot("step", "loss")
    assert (legend(figure), texts(figure), folded[0]["accuracy"].n) == (["n=3"], [], 3)
    failed = jobs[3].identity[:7]
    assert figure.notes == [
        "Mean and 95 % t interval at each step; dotted where fewer runs count.",
        f"1 of 4 runs does not count ({failed} failed, at step 3).",
        f"3 of 4 seeds (1 failed: xpm show {failed}).",
    ]
    with pytest.raises(ResultsError, match="each run that has logged loss has failed or was cancelled"):
        work.table(*(work.job(4, State.FAILED, lr=2, seed=seed) for seed in range(3))).over("seed").plot("step", "loss")


def test_a_legend_names_no_more_than_tells_rows_apart_and_no_column_without_a_value(work: Work) -> None:
    given: list[dict[str, Any]] = [
        {"model": "mlp", "layers": [1, 2], "lr": None}, {"model": "svm", "layers": [3], "lr": 0.1}
    ]  # fmt: skip
    rows = work.table(*(work.job(3, seed=seed, **each) for each in given for seed in range(3))).over("seed")
    assert legend(rows.plot("step", "loss")) == ["model=mlp (n=3)", "model=svm (n=3)"]
    assert legend(rows.plot("step", "loss", by=["model", "lr"])) == ["model=mlp (n=3)", "model=svm lr=0.1 (n=3)"]
    assert legend(rows.plot("step", "loss", by="lr")) == ["lr=none (n=3)", "lr=0.1 (n=3)"]
    paths = work.table(*(work.job(3, data={"path": f"/data/{at}"}) for at in range(2)))
    assert legend(paths.plot("step", "loss", by="data")) == ["data=/data/0", "data=/data/1"]


def test_a_caption_of_curves_without_a_band_names_none(work: Work) -> None:
    figure: Any = work.table(*(work.job(3, lr=1, seed=seed) for seed in range(2))).over("seed").plot("step", "loss")
    assert figure.notes[0] == "Mean at each step; dotted where fewer runs count."


def test_what_cannot_be_plotted_is_said(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = work.table(*(work.job(3, lr=lr) for lr in (1, 2)))
    for arguments, words in (
        (("step", "los"), "no job has logged 'los' as a number. Did you mean 'loss'"),
        (("step", ""), "a curve needs the name of a metric"),
    ):
        with pytest.raises(ResultsError, match=words):
            rows.plot(*arguments)
    with pytest.raises(UnknownColumnError):
        rows.plot("lrr")
    with pytest.raises(ResultsError, match="no job has logged"):
        work.table(work.job(0, lr=9)).plot("step", "loss")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(
        MissingPackageError, match=r"plot\(\): matplotlib is not installed. Type: pip install matplotlib"
    ):
        rows.plot("lr")


def test_a_directory_that_is_gone_is_a_run_without_a_curve(work: Work) -> None:
    gone = FakeJob({"lr": 2}, {"accuracy": 1})
    figure: Any = work.table(work.job(3, lr=1), gone).plot("step", "loss")
    assert gone.identity[:7] in figure.notes[0]


@pytest.mark.filterwarnings("ignore:Glyph")
def test_texts_are_texts(work: Work) -> None:
    rows = work.table(*(work.job(3, **{"a$b_": text}) for text in (*HOSTILE, "_hidden", "$\\frac{$")))
    assert drawn(rows.plot("a$b_", "accuracy"))
    figure: Any = rows.plot("step", "loss", by="a$b_")
    assert drawn(figure)
    assert len(legend(figure)) == len(HOSTILE) + 2


def test_nothing_global_is_touched_and_threads_may_draw(work: Work) -> None:
    import matplotlib

    before, had = dict(matplotlib.rcParams), "matplotlib.pyplot" in sys.modules
    rows = work.table(*(work.job(3, lr=lr) for lr in (1, 2)))
    made: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: made.append(drawn(rows.plot("step", "loss", by="lr")))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 3
    assert dict(matplotlib.rcParams) == before
    assert ("matplotlib.pyplot" in sys.modules) == had


def test_values_of_jobs_that_are_not_done_are_no_points(work: Work) -> None:
    failed = FakeJob({"lr": 2}, {"accuracy": 0.1}, State.FAILED)
    figure: Any = work.table(*(work.job(3, lr=lr) for lr in (0, 1)), failed).plot("lr", "accuracy")
    assert len(figure.axes[0].collections[0].get_offsets()) == 2
    assert figure.notes[-1] == f"1 job not done, and not drawn: {failed.identity[:7]} failed."


def test_a_band_has_a_gap_where_a_run_is_nan(work: Work) -> None:
    jobs = [work.job(5, lr=1, seed=seed) for seed in range(3)]
    file = work.folder / "jobs" / "study.train" / jobs[0].identity / NAME
    text = file.read_text().replace('"step": 2, "loss": 0.3333333333333333', '"step": 2, "loss": NaN')
    assert "NaN" in text
    file.write_text(text)
    figure: Any = work.table(*jobs).over("seed").plot("step", "loss")
    assert len(figure.axes[0].collections[0].get_paths()) == 2


def test_bars_without_intervals_say_so(work: Work) -> None:
    jobs = [work.job(0, model=model, seed=seed) for model in ("a", "b") for seed in range(3 if model == "b" else 2)]
    figure: Any = work.table(*jobs).over("seed").plot("model", "accuracy")
    assert [note for note in figure.notes if "too few" in note] == [
        "accuracy of model=a: 2 values are too few for an interval, which needs 3."
    ]


def test_thinned_curves_are_said_in_one_note(work: Work) -> None:
    jobs = [work.job(3000, lr=lr) for lr in (1, 2)]
    figure: Any = work.table(*jobs, work.job(5, lr=3)).plot("step", "loss", by="lr")
    first = jobs[0].identity[:7]
    assert figure.notes == [
        f"Not all points are drawn of 2 curves, such as {first}: loss: 751 of 3000 points are kept "
        "(first, last and one in 4)."
    ]


def test_curves_of_a_group_name_the_seeds_that_it_lacks(work: Work) -> None:
    jobs = [work.job(5, lr=lr, seed=seed) for lr in (1, 2) for seed in range(3 if lr == 1 else 4)]
    figure: Any = work.table(*jobs).over("seed").plot("step", "loss")
    assert figure.notes[1:] == ["lr=1: 3 of 4 seeds (1 missing: seed=3)."]
