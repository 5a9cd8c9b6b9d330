"""`xpm tensorboard`: a folder of readable links, and the program that shows it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from helpers.simulated_jobs import Lab
from helpers.waiting import wait_until

from xpm_cli.commands.running import tensorboard
from xpm_core.reading.look import View
from xpm_core.states import Event, State

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]

PROGRAM = """#!/bin/sh
echo "$@" > {folder}/arguments
while [ ! -e {folder}/stop ]; do sleep 0.02; done
exit $(cat {folder}/stop)
"""


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TensorBoard is not installed."""
    monkeypatch.setattr(tensorboard.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A program that stands for TensorBoard. Its folder: it writes `arguments`, and ends with the code in `stop`."""
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "tensorboard").write_text(PROGRAM.format(folder=folder))
    (folder / "tensorboard").chmod(0o755)
    monkeypatch.setattr(tensorboard.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(tensorboard, "LOOK_S", 0.02)
    return folder


def links(folder: Path) -> dict[str, str]:
    return {each.name: os.readlink(each) for each in folder.iterdir()}


def test_each_job_that_has_begun_has_a_link_by_its_tags(absent: None, lab: Lab, xpm: Xpm, tmp_path: Path) -> None:
    lab.end("a")
    lab.end("b", State.FAILED)
    lab.submit("waits")
    result = xpm("tensorboard", "sweep", "--dir", tmp_path / "links")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{tmp_path}/links\n"
    assert links(tmp_path / "links") == {f"name={name}": str(lab.directory(name).path) for name in "ab"}
    assert "2 jobs in" in result.stderr
    assert "-m pip install tensorboard" in result.stderr
    assert f"tensorboard --logdir {tmp_path}/links" in result.stderr


def test_filters_choose_jobs_and_have_a_folder_of_their_own(absent: None, lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    lab.end("b", State.FAILED)
    every, failed = xpm("tensorboard", "sweep"), xpm("tensorboard", "sweep", "--state", "failed")
    first, second = (Path(each.stdout.strip()) for each in (every, failed))
    assert first != second
    assert (set(links(first)), set(links(second))) == ({"name=a", "name=b"}, {"name=b"})
    assert Path(xpm("tensorboard", "sweep").stdout.strip()) == first
    assert f"tensorboard/{lab.workspace.id}/sweep" in str(first)


def test_an_experiment_without_jobs_that_have_begun_has_an_empty_folder(absent: None, lab: Lab, xpm: Xpm) -> None:
    lab.submit("waits")
    result = xpm("tensorboard", "sweep")
    assert "0 jobs in" in result.stderr
    assert "none has begun" in result.stderr
    assert links(Path(result.stdout.strip())) == {}


def test_the_folder_follows_the_jobs_while_tensorboard_runs(program: Path, lab: Lab, xpm: Xpm, tmp_path: Path) -> None:
    lab.end("a")
    found: list[set[str]] = []

    def meanwhile() -> None:
        folder = tmp_path / "links"
        wait_until(lambda: (program / "arguments").exists())
        lab.end("b")
        wait_until(lambda: len(links(folder)) == 2)
        found.append(set(links(folder)))
        (program / "stop").write_text("0")

    other = threading.Thread(target=meanwhile)
    other.start()
    result = xpm("tensorboard", "sweep", "--dir", tmp_path / "links", "--port", "0")
    other.join()
    assert result.exit_code == 0, result.stderr
    assert found == [{"name=a", "name=b"}]
    assert (program / "arguments").read_text() == f"--logdir {tmp_path}/links --port 0\n"


def test_only_jobs_that_something_happened_to_are_looked_at_again(
    program: Path, lab: Lab, xpm: Xpm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    is_dir = Path.is_dir
    monkeypatch.setattr(Path, "is_dir", lambda self: looked.append(self.name) or is_dir(self))
    listings: list[object] = []
    jobs = View.jobs
    monkeypatch.setattr(View, "jobs", lambda self, *given, **more: listings.append(given) or jobs(self, *given, **more))
    lab.end("a")
    lab.start("runs")
    lab.submit("waits", "runs")
    folder = tmp_path / "links"

    def meanwhile() -> None:
        wait_until(lambda: (program / "arguments").exists())
        lab.end("b")
        wait_until(lambda: len(links(folder)) == 2)
        lab.end("c", State.FAILED)
        wait_until(lambda: len(links(folder)) == 3)
        (program / "stop").write_text("0")

    other = threading.Thread(target=meanwhile)
    other.start()
    assert xpm("tensorboard", "sweep", "--dir", folder).exit_code == 0
    other.join()
    assert len(listings) == 1
    assert (looked.count(lab.identity("a")), looked.count(lab.identity("waits"))) == (1, 1)


def test_a_job_that_does_not_match_any_more_is_taken_out(program: Path, lab: Lab, xpm: Xpm, tmp_path: Path) -> None:
    lab.end("a")
    lab.end("b", State.FAILED)
    folder = tmp_path / "links"

    def meanwhile() -> None:
        wait_until(lambda: (program / "arguments").exists() and len(links(folder)) == 1)
        lab.store.retry(lab.identity("b"))
        wait_until(lambda: not links(folder))
        (program / "stop").write_text("0")

    other = threading.Thread(target=meanwhile)
    other.start()
    assert xpm("tensorboard", "sweep", "--state", "failed", "--dir", folder).exit_code == 0
    other.join()


def test_all_jobs_are_listed_anew_after_a_while(
    program: Path, lab: Lab, xpm: Xpm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorboard, "ANEW_S", 0.0)
    monkeypatch.setattr(tensorboard, "_NO_MOVES", tuple(Event))  # no event says it
    lab.end("a")
    folder = tmp_path / "links"

    def meanwhile() -> None:
        wait_until(lambda: (program / "arguments").exists())
        lab.end("b")
        wait_until(lambda: len(links(folder)) == 2)
        (program / "stop").write_text("0")

    other = threading.Thread(target=meanwhile)
    other.start()
    assert xpm("tensorboard", "sweep", "--dir", folder).exit_code == 0
    other.join()


def test_the_exit_code_is_that_of_tensorboard(program: Path, lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    (program / "stop").write_text("7")
    assert xpm("tensorboard", "sweep").exit_code == 1
    (program / "stop").write_text(str(128 + signal.SIGINT))
    assert xpm("tensorboard", "sweep").exit_code == 130


def test_a_file_in_the_way_is_named_and_stays(absent: None, lab: Lab, xpm: Xpm, tmp_path: Path) -> None:
    lab.end("a")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "name=a").write_text("mine")
    result = xpm("tensorboard", "sweep", "--dir", tmp_path / "links")
    assert result.exit_code == 3
    assert "cannot be linked in" in result.stderr
    assert (tmp_path / "links" / "name=a").read_text() == "mine"


def test_an_unknown_experiment_is_named(absent: None, lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    result = xpm("tensorboard", "swep")
    assert result.exit_code == 2
    assert "Experiment 'swep': not in this workspace" in result.stderr
