"""Experiments in the shapes that people write for experimaestro, as files of `xpm run`.

The shapes are those of public experiments: a package with lists of values that a function goes through; a file for
trials and one for the whole, above one file of what both share, with sections for each step; a search
over named variants of a training. The words and values are our own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers.typed_commands import Shell
from helpers.yaml_files import write

from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis


@pytest.fixture
def shell(workspace: Workspace, redis_url: str, tmp_path: Path) -> Shell:
    return Shell(tmp_path, redis_url, tmp_path / "home")


def run(shell: Shell, file: str, *words: str) -> list[dict[str, Any]]:
    """Run an experiment's file; returns its jobs, those that were submitted first first."""
    done = shell.run("run", file, "--workspace", "ws", "--workers", "2", *words)
    assert done.returncode == 0, done.stderr
    listed = shell.run("jobs", "-o", "json", "--workspace", "ws", "--sort", "submitted")
    jobs: list[dict[str, Any]] = json.loads(listed.stdout)["jobs"]
    assert {job["state"] for job in jobs} == {"done"}
    return jobs


def tags(jobs: list[dict[str, Any]], task: str) -> list[dict[str, Any]]:
    """The tags of the jobs of a task, in an order that is always the same."""
    return sorted((job["tags"] for job in jobs if job["task"].endswith(f":{task}")), key=str)


def test_a_package_whose_function_goes_through_lists(shell: Shell) -> None:
    write(
        shell.folder,
        {
            "leaves/__init__.py": "",
            "leaves/tasks.py": """
                from pathlib import Path
                from xpm_core import Config, Meta, Param, PathGenerator, Task, field

                class Net(Config):
                    blocks: Param[int]
                    filters: Param[int]

                class Fit(Task):
                    net: Param[Net]
                    rounds: Param[int]
                    step: Param[float]
                    weights: Meta[Path] = field(default_factory=PathGenerator("weights.txt"))

                    def execute(self):
                        self.weights.write_text(str(self.net.blocks * self.net.filters))

                class Score(Task):
                    fit: Param[Fit]

                    def execute(self):
                        print(self.fit.weights.read_text())
            """,
            "leaves/experiment.py": """
                from xpm_core import Config, Param, field, tag
                from .tasks import Fit, Net, Score

                class Leaves(Config):
                    blocks: Param[list[int]] = field(default_factory=lambda: [3])
                    filters: Param[list[int]] = field(default_factory=lambda: [16])
                    rounds: Param[int] = field(default=5)
                    step: Param[float] = field(default=1e-2)

                def run(xp, config: Leaves):
                    scores = []
                    for blocks in config.blocks:
                        for filters in config.filters:
                            net = Net.C(blocks=tag(blocks), filters=tag(filters))
                            fit = Fit.C(net=net, rounds=config.rounds, step=config.step).submit()
                            scores.append(Score.C(fit=fit).submit())
                    assert xp.wait()
                    print(sorted(score.stdout.read_text().strip() for score in scores))
            """,
            "leaves/small.yaml": """
                # Leaves: a small net on a few pictures
                experiment: leaves-small
                run: leaves.experiment:run
                pythonpath: [..]
                config:
                  blocks:
                    - 1
                  filters:
                    - 4
                    - 8
                  rounds: 1
                  step: 2e-3
            """,
        },
    )
    jobs = run(shell, "leaves/small.yaml")
    assert tags(jobs, "Fit") == [{"blocks": 1, "filters": 4}, {"blocks": 1, "filters": 8}]
    assert tags(jobs, "Score") == tags(jobs, "Fit")


SECTIONS = """
    from xpm_core import Config, Param, Task, field

    class Corpus(Config):
        documents: Param[int | None] = field(default=None)

    class Steps(Config):
        count: Param[int]
        per_round: Param[int] = field(default=32)
        rate: Param[float] = field(default=1e-5)
        warm_up: Param[bool] = field(default=True)

    class Reader(Config):
        steps: Param[Steps]
        every: Param[int] = field(default=1)
        share: Param[float] = field(default=1.0)

    class Search(Config):
        top: Param[int]
        batch: Param[int] = field(default=100)

    class Reading(Config):
        backbone: Param[str]
        corpus: Param[Corpus]
        reader: Param[Reader]
        search: Param[Search]

    class Index(Task):
        corpus: Param[Corpus]
        def execute(self): print(self.corpus.documents)

    class Train(Task):
        index: Param[Index]
        backbone: Param[str]
        reader: Param[Reader]
        def execute(self): print(self.reader.steps.count)

    class Rank(Task):
        model: Param[Train]
        search: Param[Search]
        def execute(self): print(self.search.top)

    def run(xp, config: Reading):
        index = Index.C(corpus=config.corpus).submit()
        model = Train.C(index=index, backbone=config.backbone, reader=config.reader).submit(timeout=60)
        Rank.C(model=model, search=config.search).submit()
"""


def test_sections_with_a_common_file_and_one_for_trials(shell: Shell) -> None:
    write(
        shell.folder,
        {
            "reading/experiment.py": SECTIONS,
            "reading/common.yaml": """
                queue: default
                config:
                  backbone: tiny-reader
                  corpus: {}
                  reader:
                    share: .05
                    steps: {per_round: 6_4, rate: 3.0e-5, count: 100}
                  search: {top: 1000}
            """,
            "reading/full.yaml": """
                base: common.yaml
                experiment: reading
                config:
                  reader: {steps: {count: 4000}}
            """,
            "reading/trial.yaml": """
                base: full.yaml
                experiment: reading-trial
                config:
                  corpus: {documents: 100}
                  reader:
                    every: 2
                    steps: {count: 8, warm_up: false}
                  search:
                    top: 50
            """,
        },
    )
    with_slip = shell.run("run", "reading/trial.yaml", "--dry-run", "--workspace", "ws")
    assert with_slip.returncode == 2
    slip = "Reading.reader.steps.per_round: expected int, got '6_4' (str), set at reading/common.yaml:7. Pass an int."
    assert slip in with_slip.stderr
    common = shell.folder / "reading" / "common.yaml"
    common.write_text(common.read_text().replace("6_4", "64"))
    jobs = run(shell, "reading/trial.yaml")
    params = {job["task"].rpartition(":")[2]: job["params"] for job in jobs}
    assert params["Train"]["reader.steps.count"] == 8
    assert (params["Train"]["reader.steps.rate"], params["Train"]["reader.share"]) == (3e-5, 0.05)
    assert (params["Rank"]["search.top"], params["Index"]["corpus.documents"]) == (50, 100)


def test_a_search_over_named_variants(shell: Shell) -> None:
    write(
        shell.folder,
        {
            "experiment.py": SECTIONS,
            "variants.yaml": """
                experiment: variants
                config:
                  backbone: {grid: [small-reader, wide-reader]}
                  corpus: {documents: 10}
                  reader:
                    grid:
                      short: {steps: {count: 2}}
                      long: {steps: {count: 20, warm_up: false}}
                  search:
                    top: {grid: [100, 10]}
            """,
        },
    )
    jobs = run(shell, "variants.yaml", "search.batch=7")
    assert len(tags(jobs, "Index")) == 1
    assert len(tags(jobs, "Train")) == 4
    assert tags(jobs, "Train")[0] == {"backbone": "small-reader", "reader": "long"}
    assert len(tags(jobs, "Rank")) == 8
    assert {tuple(found) for found in tags(jobs, "Rank")} == {("backbone", "reader", "top")}
