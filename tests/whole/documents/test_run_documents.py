"""The pages about runs: every example is run, and prints what stands there; the tables say what the code accepts."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import pytest
from helpers.documents import play
from helpers.project_files import ROOT, place

from xpm_core import FailedExperiment, Task, connect, experiment
from xpm_core.script.show.report import Summary
from xpm_core.script.submit import options
from xpm_core.script.submit.options import Options
from xpm_core.store.connector import Connector
from xpm_core.workspace.job_spec import JobOptions

DOCS = ROOT / "docs"
EXPERIMENT, SUBMIT, RESULTS, CONNECTOR = (
    DOCS / "reference" / f"{name}.md" for name in ("experiment", "submit", "results", "connector")
)
PAGES = [DOCS / "index.md", EXPERIMENT, SUBMIT, RESULTS, CONNECTOR, DOCS / "reference" / "formats.md"]


@pytest.mark.redis
@pytest.mark.parametrize("page", PAGES, ids=place)
def test_examples_run_in_order_and_print_what_stands_there(
    page: Path, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XPM_REDIS_URL", redis_url)
    play(page, tmp_path, {"XPM_REDIS_URL": redis_url})


def rows(page: Path, head: str, after: str = "") -> list[list[str]]:
    """The rows of the first table of a page, or of its part after a heading, whose first column has that head."""
    table = re.search(
        rf"^\| {re.escape(head)} \|.*\n\|[ |-]+\|\n((?:\|.*\n)+)",
        page.read_text().partition(after)[2] if after else page.read_text(),
        re.MULTILINE,
    )
    assert table is not None, f"{page.name} has no table {head!r}"
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in table[1].splitlines()]


def defaults(page: Path, head: str) -> dict[str, str]:
    """By name in the first column, the default in the second; empty without one."""
    return {name.strip("`"): default.strip("`") for name, default, *_ in rows(page, head)}


def signature(function: Callable[..., Any]) -> dict[str, str]:
    """By name, the default of each argument that a caller gives, as Python writes it."""
    named = [each for each in inspect.signature(function).parameters.values() if each.kind is not each.VAR_KEYWORD]
    return {
        each.name: "" if each.default is each.empty else written(each.default) for each in named if each.name != "self"
    }


def written(value: object) -> str:
    """A value as a table has it: text in double quotes."""
    return f'"{value}"' if isinstance(value, str) else repr(value)


def default_of(option: Field[Any]) -> object:
    """The default of a field."""
    return option.default if option.default_factory is MISSING else option.default_factory()


def test_arguments_of_experiment_are_explained() -> None:
    assert defaults(EXPERIMENT, "argument") == signature(experiment.__init__)


def test_options_of_submit_are_explained() -> None:
    accepted = {option.name: written(default_of(option)) for option in fields(Options) if option.init}
    init_tasks = inspect.signature(Task.submit).parameters["init_tasks"].default
    assert defaults(SUBMIT, "option") == {"init_tasks": written(init_tasks), **accepted}


def test_options_of_submit_accept_what_their_errors_say() -> None:
    told = {name.strip("`"): wanted for name, _, wanted, _ in rows(SUBMIT, "option")}
    del told["init_tasks"]
    assert told == {name: wanted for name, (_, wanted) in options._CHECKS.items()}


def test_what_a_job_gets_from_submit_and_from_its_class_is_explained() -> None:
    page = SUBMIT.read_text().lower()
    assert [option.name for option in fields(JobOptions) if option.name.removesuffix("_s") not in page] == []


def test_counts_of_a_summary_are_explained() -> None:
    told = [name.strip("`") for name, _ in rows(RESULTS, "attribute")]
    assert told == [count.name for count in fields(Summary)]


def test_fields_of_a_failed_experiment_are_explained() -> None:
    told = [name.strip("`") for name, _ in rows(RESULTS, "attribute", after="## FailedExperiment")]
    assert told == list(vars(FailedExperiment("sweep", "its report")))


def test_arguments_of_createtoken_are_explained() -> None:
    assert defaults(CONNECTOR, "argument of `createtoken`") == signature(Connector.createtoken)
    assert "connect(url, *, lease_s=30.0)" in CONNECTOR.read_text()
    assert signature(connect) == {"url": "", "lease_s": "30.0"}


@pytest.mark.parametrize(("page", "where"), [(EXPERIMENT, experiment), (SUBMIT, Task)], ids=["experiment", "submit"])
def test_errors_that_docstrings_name_are_explained(page: Path, where: type) -> None:
    of = [where, Task.submit, experiment.submit] if where is Task else [experiment, experiment.wait]
    named = {
        error
        for each in of
        for error in re.findall(r"^ +(\w+(?:Error|Experiment))\b.*?:", inspect.getdoc(each) or "", re.MULTILINE)
    }
    told = {name.strip("`") for name, _ in rows(page, "error")}
    assert named - told - {"ConfigurationError"} == set()
