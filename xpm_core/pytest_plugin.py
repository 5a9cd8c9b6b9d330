"""A pytest plugin for users of xpm: a workspace for a test, and identities that are pinned in a file.

pytest finds the plugin by itself. A change to the code can change identities, and then jobs that are done run again. A
test that pins identities fails at such a change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from xpm_core.labels import short
from xpm_core.states import State

if TYPE_CHECKING:
    from xpm_core.config import Config, Task

UPDATE = "--xpm-update-identities"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    parser.getgroup("xpm").addoption(UPDATE, action="store_true", help="write the files of assert_identities anew")


@pytest.fixture
def xpm_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of a fresh workspace. The user's own server, settings and workspace are hidden from the test.

    Example:
        def test_sweep(xpm_workspace):
            with experiment(xpm_workspace, "sweep"):
                ...
    """
    from xpm_core.workspace.workspace import Workspace

    for name in ("XPM_REDIS_URL", "XPM_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xpm-settings"))
    return Workspace.open(tmp_path / "xpm-workspace").path


@pytest.fixture
def assert_identities(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """A function that asserts that configurations have the identities in a file beside the test.

    It takes the name of the file, and the configurations: one, several, or a dict of them by name. Without
    configurations, it checks the tasks that the test has submitted. `submit()` outside of any experiment then runs
    nothing, and returns its usual result. `--xpm-update-identities` writes the file.

    Example:
        def test_identities(assert_identities):
            assert_identities("identities.json", {"learn": Learn.C(epochs=3)})
    """
    from xpm_core.config import Task

    recorder = DryExperiment(tmp_path / "xpm-jobs")
    monkeypatch.setattr(Task, "submit", recorder.recording(Task.submit))

    def check(file: str | Path, configs: Mapping[str, Config] | Iterable[Config] | Config | None = None) -> None:
        found = identities(recorder.tasks if configs is None else configs)
        path = request.path.parent / file
        if request.config.getoption(UPDATE):
            path.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
        elif text := complaint(path, found):
            pytest.fail(text, pytrace=False)

    return check


class DryExperiment:
    """An experiment that runs nothing, and keeps the tasks that were submitted.

    Args:
        jobs: The folder in which their directories would be.
    """

    def __init__(self, jobs: Path) -> None:
        self.jobs = jobs
        self.tasks: list[Task] = []

    def recording(self, submit: Callable[..., Any]) -> Callable[..., Any]:
        """A `Task.submit` that keeps the task here, and submits it here when no experiment is entered."""
        from xpm_core.config import experiments

        def recorded(task: Task, **options: Any) -> Any:
            alone = [] if experiments else [self]
            experiments.extend(alone)
            try:
                result = submit(task, **options)
            finally:
                del experiments[len(experiments) - len(alone) :]
            self.tasks.append(task)
            return result

        return recorded

    def submit(self, task: Task, options: Mapping[str, Any]) -> Any:
        """Seal a task, as an experiment does."""
        from xpm_core.config import outputs, state_of, upstream
        from xpm_core.language.identity.seal import seal
        from xpm_core.tracebacks.callsite import caller, format_line

        upstream(task)
        identity = seal(task)
        if state_of(task).submitted is None:
            state_of(task).submitted = DryJob(self.jobs / identity, format_line(caller()), identity)
        return outputs(task)

    def wait_for(self, job: DryJob) -> bool:
        """Wait for nothing, because nothing runs."""
        return True


class DryJob:
    """The job of a task that was submitted to a DryExperiment."""

    state = State.READY

    def __init__(self, jobpath: Path, where: str, identity: str) -> None:
        self.jobpath, self.where, self.identity = jobpath, where, identity

    def on_completed(self, callback: Callable[[Any], Any], task: Any) -> None:
        """Never call it: nothing runs."""


def identities(configs: Any) -> dict[str, str]:
    """The identity of each configuration, by its name, else by its class and tags: `sweep:Learn lr=0.1`."""
    from xpm_core.config import is_configuration
    from xpm_core.language.graph.tags import tagspath
    from xpm_core.language.identity.digest import task_id
    from xpm_core.language.identity.seal import seal

    if isinstance(configs, Mapping):
        return {name: seal(config) for name, config in configs.items()}
    found: dict[str, str] = {}
    for config in [configs] if is_configuration(configs) else configs:
        identity = seal(config)
        name = own = task_id(type(config)) + (f" {tagspath(config)}" if config.tags() else "")
        number = 1
        while found.get(name, identity) != identity:
            number += 1
            name = f"{own} #{number}"
        found[name] = identity
    return found


def complaint(path: Path, found: Mapping[str, str]) -> str:
    """The message about identities that differ from those in a file; empty when they are equal."""
    remedy = f"Write it: pytest {UPDATE}"
    try:
        pinned = json.loads(path.read_text())
    except FileNotFoundError:
        return f"{path.name}: there is no such file. {remedy}"
    except ValueError as error:
        return f"{path.name}: it cannot be read ({error}). {remedy}"
    changed = [name for name in found if name in pinned and pinned[name] != found[name]]
    lines = [
        *(f"  changed  {name}  {short(pinned[name])} -> {short(found[name])}" for name in changed),
        *(f"  new      {name}  {short(found[name])}" for name in found if name not in pinned),
        *(f"  gone     {name}  {short(pinned[name])}" for name in pinned if name not in found),
    ]
    if not lines:
        return ""
    head = f"{path.name}: identities differ from the pinned ones; jobs that are done would run again."
    return "\n".join([head, *lines, f"See what differs: xpm diff. If it is meant: pytest {UPDATE}"])
