"""What tables of results cost: reading many jobs, folding them over seeds, writing LaTeX, and `log` in a job.

Beside them stands what people write by themselves: a loop over one JSON file for each job, and pandas to fold its rows.
Theirs knows no filters, no holes and no states; the jobs of ours are all done, and known to the server.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from commands import BATCH, EXPERIMENT, TASK, identity_of
from harness import SHM, Limit, Row, Size, turns
from place import Place

from xpm_core import log, look
from xpm_core.index.entries import End
from xpm_core.index.writers import EndWriter, IndexedJob, SubmissionWriter
from xpm_core.job import running
from xpm_core.job.reporting.metrics import NAME
from xpm_core.job.running import RunningJob
from xpm_core.results.folding.folded import Folded
from xpm_core.results.table import Table
from xpm_core.server import connection
from xpm_core.states import State
from xpm_core.store.jobs import Store, new_execution_id
from xpm_core.store.records import Submission
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_spec import JobSpec
from xpm_core.workspace.workspace import Workspace

TITLE = "Results"
SEEDS, MODELS, DATA = 5, 10, 10
READ_S, LOGGED_S = 0.5, 10.0
"""What reading 10,000 rows may take, and 1,000,000 calls of `log`, seconds."""


def rows(size: Size) -> list[Row]:
    """Tables of two sizes, then `log`."""
    few, many, calls = size.of(10_000, 1_000), size.of(100_000, 5_000), size.of(1_000_000, 50_000)
    return [*tables(few, Limit("<=", READ_S)), *tables(many, None), *logs(calls)]


# -- tables ------------------------------------------------------------------------------------------------------------


def tables(count: int, limit: Limit | None) -> list[Row]:
    """Reading so many jobs, folding them, and writing the folded table; each beside theirs, if there is one."""
    what = f"{count} rows"
    with Place() as place, scratch() as other, patch.dict(os.environ, XDG_CACHE_HOME=place.folder("cache")):
        Swept(place.url, place.folder("workspace")).fill(count)
        write(Path(other), count)
        reading = partial(read, place.folder("workspace"), place.url)
        reading()  # what was read of the index is kept in the user's cache
        table = reading()
        assert (len(table), len(folded(table))) == (count, count // SEEDS)
        read_turns = turns({"ours": timer(reading), "theirs": timer(partial(loop, Path(other)))})
        fold_turns = turns({"ours": timer(partial(folded, table)), "theirs": folding_of_theirs(Path(other))})
        means = table.over("seed")
        written = turns({"ours": timer(means.to_latex)})
    absent = "" if fold_turns.get("theirs") else "pandas is not installed"
    return [
        Row(f"table of {what}", unit="s", ours=read_turns["ours"], limit=limit),
        Row(f"table of {what}", "a loop over JSON files", "s", read_turns["ours"], read_turns["theirs"]),
        Row(
            f"over seeds, {what}", "pandas, groupby", "s", fold_turns["ours"], fold_turns.get("theirs", []),
            absent=absent,
        ),
        Row(f"to_latex, {count // SEEDS} folded rows", unit="s", ours=written["ours"]),
    ]  # fmt: skip


class Swept:
    """A workspace with a sweep: the jobs' records in the server, their lines in the index, and empty directories.

    They reach the server by the scripts that all jobs take, with the marker of an execution, as if their directories
    said that they are done.
    """

    def __init__(self, url: str, folder: str) -> None:
        self.workspace = Workspace.open(folder)
        self.store = Store(connection.open(url), self.workspace.id)
        self.run = self.store.open_run(EXPERIMENT, "run", {})
        self.submitted = SubmissionWriter(self.workspace.experiment(EXPERIMENT), "run")
        self.ended = EndWriter(self.workspace.path, "host.1")

    def fill(self, count: int) -> None:
        """Submit jobs that are done, and write their results."""
        for start in range(0, count, BATCH):
            batch = {number: new_execution_id() for number in range(start, min(start + BATCH, count))}
            jobs = [submission(number, execution) for number, execution in batch.items()]
            self.store.submit(EXPERIMENT, self.run.started_ms, jobs, {})
            self.submitted.add(
                IndexedJob(identity_of(number), TASK, tags_of(number), partial(params_of, number)) for number in batch
            )
            for number, execution in batch.items():
                self.ended.add(identity_of(number), end_of(number, execution))
                os.makedirs(f"{self.workspace.path}/jobs/trials.train/{identity_of(number)}")  # each row looks for it


def submission(number: int, execution: str) -> Submission:
    """A job that is done, on its way to the server."""
    identity = identity_of(number)
    spec = JobSpec(identity, TASK, "Train", f"jobs/trials.train/{identity}", bytes(400))
    return Submission(spec, tags=tags_of(number), marker=execution, project="bench")


def end_of(number: int, execution: str) -> End:
    """How it ended."""
    now_s = time.time()
    return End(State.DONE, now_s, now_s - 60, "host", "host.1", execution, 1, results=results_of(number))


def tags_of(number: int) -> dict[str, Any]:
    """The tags of a job: those of the jobs that differ in the seed alone are equal."""
    configuration = number // SEEDS
    return {"model": f"model{configuration % MODELS}", "data": f"data{configuration // MODELS % DATA}"}


def params_of(number: int) -> dict[str, Any]:
    """Its parameters; `optim.rate` is no tag, and differs, too."""
    return {
        **tags_of(number), "optim": "Adam", "optim.rate": 0.001 * (1 + number // (SEEDS * MODELS * DATA)),
        "layers": 4, "width": 64, "epochs": 10, "seed": number % SEEDS,
    }  # fmt: skip


def results_of(number: int) -> dict[str, Any]:
    """What it has reported."""
    return {"accuracy": 0.7 + number * 7919 % 1000 / 5000, "loss.test": number * 104729 % 1000 / 1000}


def read(folder: str, url: str) -> Table:
    """The table, with the values of a result, as a notebook asks for it."""
    with look(folder, redis=url) as view:
        table = view.results(EXPERIMENT)
    assert all(row["accuracy"] is not None for row in table)
    return table


def folded(table: Table) -> Folded:
    """The table folded over seeds, with all its cells."""
    found = table.over("seed")
    assert all(row["accuracy"].n == row["loss.test"].n == SEEDS for row in found)
    return found


# -- theirs ------------------------------------------------------------------------------------------------------------


def write(folder: Path, count: int) -> None:
    """Write a folder for each job, with its parameters and results in one file of JSON."""
    for number in range(count):
        run = folder / str(number)
        run.mkdir()
        (run / "results.json").write_text(json.dumps({**params_of(number), **results_of(number)}))


def loop(folder: Path) -> list[dict[str, Any]]:
    """Read all of these files."""
    return [json.loads(path.read_bytes()) for path in folder.glob("*/results.json")]


def folding_of_theirs(folder: Path) -> Callable[[], float] | None:
    """Mean, standard error and number with pandas, seconds; None without pandas."""
    if find_spec("pandas") is None:
        return None
    import pandas

    frame = pandas.DataFrame(loop(folder))
    names = ["model", "data", "optim.rate"]

    def fold() -> None:
        found = frame.groupby(names)[["accuracy", "loss.test"]].agg(["mean", "sem", "count"])
        assert len(found) * SEEDS == len(frame)

    return timer(fold)


# -- log ---------------------------------------------------------------------------------------------------------------


def logs(calls: int) -> list[Row]:
    """So many calls of `log`, beside a file that is written line by line."""
    found = turns({"ours": partial(logged, calls), "theirs": partial(lines, calls)})
    what = f"log, {calls} calls"
    return [
        Row(what, unit="s", ours=found["ours"], limit=Limit("<=", LOGGED_S)),
        Row(what, "json.dumps, a write for each line", "s", found["ours"], found["theirs"]),
    ]


def logged(calls: int) -> float:
    """Seconds of so many calls in a job. Each of them is in the file afterwards."""
    with scratch() as folder:
        directory = JobDirectory(Path(folder), f"jobs/bench.train/{'0' * 64}")
        directory.prepare(1)
        running.current = RunningJob(
            "Train/0000000", directory, "bench", left_s=lambda: None, report=lambda kind, data: True,
            output=lambda data: None,
        )  # fmt: skip
        try:
            taken_s = timer(lambda: _log(range(calls)))()
        finally:
            running.current = None
        with (directory.path / NAME).open() as file:
            assert sum(1 for _ in file) == calls + 1, "a line for each call, and one for the execution"
    return taken_s


def _log(steps: Sequence[int]) -> None:
    for step in steps:
        log(step=step, loss=1 / (step + 1), accuracy=0.5)


def lines(calls: int) -> float:
    """Seconds of so many lines that are written one by one."""
    with scratch() as folder:
        return timer(lambda: _write(Path(folder, NAME), range(calls)))()


def _write(path: Path, steps: Sequence[int]) -> None:
    with path.open("w", buffering=1) as file:
        for step in steps:
            file.write(f"{json.dumps({'step': step, 'loss': 1 / (step + 1), 'accuracy': 0.5, 'at': time.time()})}\n")


def scratch() -> TemporaryDirectory[str]:
    """A folder on tmpfs, which is gone afterwards."""
    return TemporaryDirectory(prefix="xpm-bench-", dir=SHM if SHM.is_dir() else None)


def timer(action: Callable[[], object]) -> Callable[[], float]:
    """A function that does something, and returns the seconds that it took."""

    def measured() -> float:
        began = time.perf_counter()
        action()
        return time.perf_counter() - began

    return measured
