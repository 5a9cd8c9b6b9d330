"""The plugin of pytest, in test runs of its own. Most run within this process, because a new process takes long."""

from __future__ import annotations

import json
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import xpm_core.script.experiment  # noqa: F401  else each run would import modules of its own

pytest_plugins = ["pytester"]

SCRIPT = """
from xpm_core import Meta, Param, Task, tag

class Prepare(Task):
    seed: Param[int] = 0
    def execute(self): ...

class Learn(Task):
    lr: Param[float]
    data: Param[Prepare]
    threads: Meta[int] = 1
    def execute(self): ...

def submit_all(rates=(0.1, 0.5)):
    data = Prepare.C().submit()
    return [Learn.C(lr=tag(rate), data=data).submit() for rate in rates]
"""

TESTS = """
import sweep

def test_identities(assert_identities):
    sweep.submit_all()
    assert_identities("ids.json")
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A user's project: a script and its tests."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a script changed within a second may look the same
    pytester.makepyfile(sweep=SCRIPT, test_sweep=TESTS)
    pytester.makeini("[pytest]\npythonpath = .\n")
    return pytester


WORDS = ("-q", "-p", "no:cacheprovider")


def run(project: pytest.Pytester, *words: str) -> pytest.RunResult:
    return project.runpytest_inprocess(*WORDS, *words)


def changed(project: pytest.Pytester, old: str, new: str) -> None:
    script = project.path / "sweep.py"
    assert old in script.read_text()
    script.write_text(script.read_text().replace(old, new))


def test_plugin_is_found_by_pytest() -> None:
    assert [point.value for point in entry_points(group="pytest11", name="xpm")] == ["xpm_core.pytest_plugin"]


def test_submitted_tasks_are_pinned(project: pytest.Pytester) -> None:
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["ids.json: there is no such file. Write it: pytest --xpm-update-identities"])
    run(project, "--xpm-update-identities").assert_outcomes(passed=1)
    pinned = json.loads((project.path / "ids.json").read_text())
    assert list(pinned) == ["sweep:Learn lr=0.1", "sweep:Learn lr=0.5", "sweep:Prepare"]
    assert {len(identity) for identity in pinned.values()} == {64}
    run(project).assert_outcomes(passed=1)


def test_change_of_an_identity_fails_and_is_named(project: pytest.Pytester) -> None:
    run(project, "--xpm-update-identities")
    changed(project, "threads: Meta[int] = 1", "threads: Meta[int] = 2")
    run(project).assert_outcomes(passed=1)
    changed(project, "seed: Param[int] = 0", "seed: Param[int] = 1")
    changed(project, "(0.1, 0.5)", "(0.1, 0.7)")
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "ids.json: identities differ from the pinned ones; jobs that are done would run again.",
            "  changed  sweep:Prepare  ??????? -> ???????",
            "  changed  sweep:Learn lr=0.1  ??????? -> ???????",
            "  new      sweep:Learn lr=0.7  ???????",
            "  gone     sweep:Learn lr=0.5  ???????",
            "See what differs: xpm diff. If it is meant: pytest --xpm-update-identities",
        ]
    )
    run(project, "--xpm-update-identities").assert_outcomes(passed=1)
    run(project).assert_outcomes(passed=1)


def test_configurations_can_be_given(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_sweep="""
        from sweep import Prepare

        def test_named(assert_identities):
            assert_identities("named.json", {"one": Prepare.C(seed=1), "two": Prepare.C(seed=2)})

        def test_listed(assert_identities):
            assert_identities("listed.json", [Prepare.C(seed=1), Prepare.C(seed=1), Prepare.C(seed=2)])

        def test_single(assert_identities):
            assert_identities("single.json", Prepare.C(seed=1))
        """
    )
    run(project, "--xpm-update-identities").assert_outcomes(passed=3)
    run(project).assert_outcomes(passed=3)
    names = {file.stem: list(json.loads(file.read_text())) for file in project.path.glob("*.json")}
    assert names == {
        "named": ["one", "two"],
        "listed": ["sweep:Prepare", "sweep:Prepare #2"],
        "single": ["sweep:Prepare"],
    }


def test_file_that_cannot_be_read_is_told(project: pytest.Pytester) -> None:
    (project.path / "ids.json").write_text("<<<<")
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["ids.json: it cannot be read (*). Write it: pytest --xpm-update-identities"])


def test_mistakes_are_found_as_in_an_experiment(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_sweep="""
        import pytest
        from sweep import Learn, Prepare
        from xpm_core.errors import ExperimentError, MissingParameterError, UnsubmittedTaskError

        def test_mistakes(assert_identities):
            with pytest.raises(UnsubmittedTaskError):
                Learn.C(lr=0.1, data=Prepare.C()).submit()
            with pytest.raises(MissingParameterError):
                Learn.C(data=Prepare.C().submit()).submit()

        def test_nothing_is_recorded_without_the_fixture():
            with pytest.raises(ExperimentError, match="outside of any experiment"):
                Prepare.C().submit()
        """
    )
    run(project).assert_outcomes(passed=2)


def test_workspace_is_fresh_and_keeps_settings_out(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XPM_REDIS_URL", "redis://elsewhere")
    monkeypatch.setenv("XPM_WORKSPACE", str(tmp_path))
    project.makepyfile(
        test_sweep="""
        import os

        def test_workspace(xpm_workspace):
            assert (xpm_workspace / ".xpm" / "workspace.json").is_file()
            assert not {"XPM_REDIS_URL", "XPM_WORKSPACE"} & os.environ.keys()
            assert os.environ["XDG_CONFIG_HOME"].startswith(str(xpm_workspace.parent))
        """
    )
    run(project).assert_outcomes(passed=1)


@pytest.mark.redis
@pytest.mark.usefixtures("server_program")
def test_tasks_of_a_real_experiment_are_pinned(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_sweep="""
        import pytest
        from sweep import submit_all
        from xpm_core import experiment

        def test_run(xpm_workspace, assert_identities):
            with pytest.raises(KeyError), experiment(xpm_workspace, "sweep", workers=0):
                submit_all(rates=[0.1])
                assert_identities("ids.json")
                raise KeyError("enough")
        """
    )
    project.run(sys.executable, "-m", "pytest", *WORDS, "--xpm-update-identities").assert_outcomes(passed=1)
    assert list(json.loads((project.path / "ids.json").read_text())) == ["sweep:Learn lr=0.1", "sweep:Prepare"]
