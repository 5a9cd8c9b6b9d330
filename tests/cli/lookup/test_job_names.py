"""Which job a name on the command line means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from helpers.simulated_jobs import ERROR, Lab

from xpm_core.labels import short
from xpm_core.states import State
from xpm_core.workspace.job_links import JobLinks

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


def shown(result: Result) -> str:
    """The short identity of the job that `xpm show` shows."""
    assert result.stderr == ""
    return result.stdout.split()[0]


@pytest.mark.parametrize("spell", [str.lower, str.upper])
def test_job_is_named_by_a_unique_prefix(lab: Lab, xpm: Xpm, spell: Callable[[str], str]) -> None:
    identity = lab.submit("a")
    lab.submit("b")
    assert shown(xpm("show", spell(identity[:5]))) == short(identity)
    assert shown(xpm("show", identity)) == short(identity)


def test_job_is_named_by_task_and_prefix(lab: Lab, xpm: Xpm) -> None:
    identity = lab.submit("a")
    assert shown(xpm("show", f"Train/{identity[:3]}")) == short(identity)
    assert xpm("show", f"evaluate/{identity[:3]}").exit_code == 2


def test_job_is_named_by_tags_that_only_it_has(lab: Lab, xpm: Xpm) -> None:
    identity = lab.submit("a", tags={"model": "svm", "lr": 0.1})
    lab.submit("b", tags={"model": "svm", "lr": 1})
    assert shown(xpm("show", "model=svm,lr=0.10")) == short(identity)
    several = xpm("show", "model=svm")
    assert several.exit_code == 2
    assert f"{identity[:7]} (Train model=svm lr=0.1)" in several.stderr
    assert "no job has a tag 'modl' at column 1. Did you mean 'tag.model'?" in xpm("show", "modl=svm").stderr


def test_job_is_named_by_its_directory_or_a_link_to_it(lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    directory = lab.directory("a")
    link = Path(JobLinks(lab.workspace.experiment("sweep")).add(directory, "name=a"))
    assert shown(xpm("show", directory.path)) == shown(xpm("show", link)) == short(directory.identity)
    assert shown(xpm("show", directory.relative)) == short(directory.identity)


def test_last_is_the_newest_job_and_failed_the_newest_that_failed(lab: Lab, xpm: Xpm) -> None:
    lab.end("first", State.FAILED, ERROR)
    lab.end("second", State.FAILED, ERROR)
    lab.end("third")
    assert shown(xpm("show", "failed")) == short(lab.identity("second"))
    assert shown(xpm("show", "last")) == short(lab.identity("third"))


def test_ambiguous_name_lists_the_candidates(lab: Lab, xpm: Xpm) -> None:
    names = [lab.submit(str(number)) for number in range(17)]  # two of them share their first character
    twice = next(name[0] for name in names if sum(name[0] == other[0] for other in names) > 1)
    result = xpm("show", twice)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert all(name[:6] in result.stderr for name in names if name.startswith(twice))


@pytest.mark.parametrize("name", ["fffffff", "no-such", "train/ffff", "last", "failed", ""])
def test_unknown_name_is_an_error_with_the_next_command(lab: Lab, xpm: Xpm, name: str) -> None:
    result = xpm("logs", name)
    assert result.exit_code == 2
    assert "List them: xpm jobs." in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("name", "said"), [("last", "there is no job yet."), ("failed", "no job has failed.")])
def test_a_name_that_means_no_job_now_is_not_said_to_be_wrong(lab: Lab, xpm: Xpm, name: str, said: str) -> None:
    assert f"Job '{name}': {said} List them: xpm jobs." in xpm("logs", name).stderr
