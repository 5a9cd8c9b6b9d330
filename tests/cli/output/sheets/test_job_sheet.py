"""What `xpm show` tells of a job in each of its states."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from click.testing import Result
from helpers.simulated_jobs import ERROR, Lab

from xpm_cli.app import Program
from xpm_cli.output.sheets.job_sheet import NEXT
from xpm_core.labels import short
from xpm_core.states import State
from xpm_core.workspace.reported.results_file import Reported

if TYPE_CHECKING:
    from conftest import Scene

pytestmark = pytest.mark.redis


Xpm = Callable[..., Result]


def test_done_job_shows_its_parameters_and_what_it_used(lab: Lab, xpm: Xpm) -> None:
    lab.end("good")
    result = xpm("show", "last")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{short(lab.identity('good'))}     Train name=good   done   after ")
    (config,) = (line for line in result.stdout.splitlines() if line.startswith("config"))
    assert config.removeprefix("config").split("   ")[2:] == [
        "name = good",
        "model = MLP",
        "model.layers = [3, 3]",
        "data = Prepare/1d1d1d1",
        "corpus = /data/corpus",
    ]
    assert "memory 50 MB peak" in result.stdout
    assert str(lab.directory("good").path) in result.stdout


def test_configurations_in_lists_and_dicts_are_shown_in_one_level(lab: Lab, xpm: Xpm) -> None:
    lab.end("good")
    job = {"class": "sweep:Train", "identity": "3f" * 32, "job": {"path": "jobs/…"}, "parameters": {"lr": 0.1}}
    model = {"class": "models:MLP", "identity": "5e" * 32, "parameters": {"layers": 3}}
    values = {
        "runs": [job, job],
        "mixed": [job, {"see": "Train.data"}],
        "models": {"a": model, "b": [1, "ä"]},
        "pair": {"tuple": [model, 2]},
    }
    lab.directory("good").write_params({"parameters": values})
    (config,) = (line for line in xpm("show", "last").stdout.splitlines() if line.startswith("config"))
    assert config.removeprefix("config").split("   ")[2:] == [
        "runs = [Train/3f3f3f3, Train/3f3f3f3]",
        "mixed[0] = Train/3f3f3f3",
        "mixed[1] = data",
        "models.a = MLP",
        "models.a.layers = 3",
        'models.b = [1, "ä"]',
        "pair[0] = MLP",
        "pair[0].layers = 3",
        "pair[1] = 2",
    ]


def test_done_job_shows_what_the_server_has_forgotten(lab: Lab, xpm: Xpm) -> None:
    lab.end("first")
    lab.end("second " + "x" * 64, needs=["first"])
    second = lab.identity("second " + "x" * 64)
    told = xpm("show", second).stdout
    assert f"Train name=second {'x' * 64}   done   after " in told
    assert " on node1   " in told
    assert " on node1-1\n" in told
    assert "memory 50 MB peak" in told
    assert "python 3.12.4" in told
    assert f"needs       Train name=first {short(lab.identity('first'))} done" in told
    data = json.loads(xpm("show", second, "--json").stdout)
    assert data["tags"] == {"name": f"second {'x' * 64}"}
    assert (data["host"], data["worker"], data["reason"]) == ("node1", "node1-1", "done")
    assert data["needs"] == {lab.identity("first"): "done"}
    assert "Train name=second" in xpm("show", lab.identity("first")).stdout.partition("needed by")[2]


def test_failed_job_shows_the_error_where_it_arose_and_what_to_do(lab: Lab, xpm: Xpm) -> None:
    frames = [
        {"file": "sweep.py", "line": 41, "function": "Train.execute", "code": "check(self.lr)"},
        {"file": "checks.py", "line": 7, "function": "check", "code": "raise ValueError(text)", "own": True},
        {"file": "/lib/numpy/core.py", "line": 9, "function": "inner", "code": "raise", "own": False},
    ]
    lab.end("bad", State.FAILED, {**ERROR, "frames": frames})
    lab.submit("after", "bad")
    result = xpm("show", "failed")
    assert result.exit_code == 1
    error = result.stdout.partition("\nerror\n")[2].splitlines()
    assert error[0] == "  ValueError: the learning rate is negative"
    assert error[1] == "    checks.py:7  in check     raise ValueError(text)"
    assert error[2] == "    sweep.py:41  in Train.execute     check(self.lr)"
    assert error[3] == "    (1 frame of libraries hidden, --full)"
    assert "    /lib/numpy/core.py:9  in inner     raise\n" in xpm("show", "failed", "--full").stdout
    bad, after = short(lab.identity("bad")), short(lab.identity("after"))
    assert error[4] == f"do          xpm logs {bad}   xpm debug {bad}   xpm retry {bad}"
    assert f"needed by   Train name=after {after} blocked" in result.stdout


def test_cancelled_job_that_had_to_be_killed_shows_where_it_stood(lab: Lab, xpm: Xpm) -> None:
    message = "had not ended 20.0 s after SIGTERM; it stood at study.py:79 in build"
    lab.end("a", State.CANCELLED, {"type": "NotEnded", "message": message})
    assert f"NotEnded: {message}" in xpm("show", "last").stdout


def test_blocked_job_names_its_root(lab: Lab, xpm: Xpm) -> None:
    lab.end("bad", State.FAILED, ERROR)
    identity = lab.submit("after", "bad")
    result = xpm("show", identity)
    bad = short(lab.identity("bad"))
    assert result.exit_code == 0
    assert "blocked   submitted just now" in result.stdout
    assert (
        f"why         never: it needs {bad}, which failed: ValueError: the learning rate is negative" in result.stdout
    )
    assert f"do          xpm show {bad}   xpm retry {bad}" in result.stdout


def test_running_and_ready_jobs_say_since_when(lab: Lab, xpm: Xpm) -> None:
    running = lab.start("long").identity
    ready = lab.submit("next", demand={})
    assert "running   since" in xpm("show", running).stdout
    assert "on node1" in xpm("show", running).stdout
    assert "ready   submitted just now" in xpm("show", ready).stdout
    assert "why         not yet: the worker that could take it is busy" in xpm("show", ready).stdout
    assert f"do          xpm why {short(ready)}   xpm cancel {short(ready)}" in xpm("show", ready).stdout


def test_next_commands_exist_for_every_state() -> None:
    assert set(NEXT) == {*State, None}
    assert {command.__name__ for commands in NEXT.values() for command in commands} <= set(Program.homes)


def test_many_parameters_are_counted_on_a_terminal_and_shown_when_asked_for(lab: Lab, xpm: Xpm) -> None:
    lab.submit("a", params={"long": "x" * 200, **{f"p{number}": number for number in range(40)}})
    cut = xpm("show", "last", env={"COLUMNS": "80"}).stdout
    assert "(24 of 42 parameters, --all)" in cut
    assert "long = " + "x" * 59 + "…" in cut
    assert "p39" not in cut
    for whole in (xpm("show", "last", "--all", env={"COLUMNS": "80"}).stdout, xpm("show", "last").stdout):
        assert "p39 = 39" in whole
        assert "x" * 200 in whole
        assert "--all" not in whole


def test_job_that_has_not_run_shows_its_parameters(lab: Lab, xpm: Xpm) -> None:
    lab.submit("a", params={"optim": "Adam", "optim.lr": 0.1})
    assert "config      name = a   optim = Adam   optim.lr = 0.1" in xpm("show", "last").stdout
    data = json.loads(xpm("show", "last", "--json").stdout)
    assert (data["params"]["optim.lr"], data["parameters"]) == (0.1, None)


def test_job_that_the_index_lacks_is_shown_by_its_directory(lab: Lab, xpm: Xpm) -> None:
    """As one of an earlier xpm."""
    lab.end("a")
    for file in (*lab.workspace.path.glob("experiments/*/index/*"), *lab.workspace.path.glob(".xpm/index/*")):
        file.unlink()
    told = xpm("show", "last").stdout
    assert "model = MLP" in told
    assert "Train name=a   done   after " in told
    data = json.loads(xpm("show", "last", "--json").stdout)
    assert (data["host"], data["worker"], data["params"]["model"]) == ("node1", "node1-1", "MLP")


def test_dependencies_are_named_up_and_down_with_their_states(seen: Xpm, scene: Scene) -> None:
    failed, blocked = (short(scene.ids[state]) for state in (State.FAILED, State.BLOCKED))
    assert f"needs       Train name=failed {failed} failed" in seen("show", "name=blocked").stdout
    assert f"needed by   Train name=blocked {blocked} blocked" in seen("show", "name=failed").stdout


def test_attempts_are_listed_with_how_each_ended(lab: Lab, xpm: Xpm) -> None:
    lab.end("a", State.FAILED, ERROR)
    lab.store.retry(lab.identity("a"))
    lab.finish("a", lab.claim(lab.identity("a")), reason="done")
    attempts = xpm("show", "last").stdout.partition("attempts")[2].splitlines()
    assert attempts[0].split()[:4] == ["1", "failed", "on", "node1-1"]
    assert attempts[0].endswith("ValueError")
    assert attempts[1].split()[:2] == ["2", "done"]
    assert "   attempt 2" in xpm("show", "last").stdout.splitlines()[0]


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("command", ["show", "why"])
@pytest.mark.parametrize("state", State)
def test_narrow_terminal_cuts_no_state_and_no_identity(
    scene: Scene, seen: Xpm, state: State, command: str, width: int
) -> None:
    first, *rest = seen(command, f"name={state.value}", env={"COLUMNS": str(width)}).stdout.splitlines()
    assert first.split()[:3] == [short(scene.ids[state]), "Train", f"name={state.value}"]
    assert state.value in "".join([first.partition("=")[2], *rest[:2]])
    ours = rest[: rest.index("error")] if "error" in rest else rest
    assert [line for line in (first, *ours) if len(line) > width and str(scene.shell.folder) not in line] == []


def reporting(lab: Lab, name: str, *, ended: bool = True) -> None:
    """A job that has reported in every way."""
    lease = lab.start(name)
    directory = lab.directory(name)
    reported = Reported(lease.execution, {"accuracy": 0.9300000001, "loss": {"test": None}, "curve": [1, 2]})
    reported.not_finite, reported.files, reported.problems = {"loss.test": "nan"}, ["model.bin", "gone.bin"], ["x: bad"]
    if ended:
        lab.finish(name, lease, **reported.summary())
    else:
        directory.prepare(lease.attempt)
    reported.write(directory)
    (directory.path / "model.bin").write_bytes(b"\0" * 2000)
    rows = [{"xpm_execution": lease.execution}, {"step": 1, "loss": 0.5, "at": 1.8e9}, {"step": 2, "loss": 0.25}]
    lines = [*map(json.dumps, rows), '{"step": 3, "lo']
    (directory.path / "metrics.jsonl").write_text("\n".join(lines))


@pytest.mark.parametrize("ended", [True, False])
def test_it_shows_what_a_job_has_reported(lab: Lab, xpm: Xpm, ended: bool) -> None:
    reporting(lab, "a", ended=ended)
    lines = xpm("show", "last").stdout.splitlines()
    found = {line[:12].strip(): line[12:] for line in lines if line[:1] != " "}
    assert found["results"] == "accuracy = 0.9300000001   loss.test = nan   curve = [1, 2]"
    assert found["outputs"] == "model.bin 2.0 kB   gone.bin is not there"
    assert found["metrics"] == "loss = 0.25 at step 2"
    assert found["not kept"] == "x: bad"
    reported = json.loads(xpm("show", "last", "--json").stdout)["reported"]
    assert reported["results"] == {"accuracy": 0.9300000001, "loss": {"test": "nan"}, "curve": [1, 2]}
    assert reported["files"] == [{"name": "model.bin", "size": 2000}, {"name": "gone.bin", "size": None}]
    assert reported["metrics"] == {"loss": {"value": 0.25, "step": 2, "at": None}}
    assert (reported["problems"], reported["metrics_whole"]) == (["x: bad"], True)


def test_what_an_earlier_execution_has_reported_is_not_shown(lab: Lab, xpm: Xpm) -> None:
    reporting(lab, "a")
    Reported("another", {"accuracy": 0.1}).write(lab.directory("a"))
    lines = xpm("show", "last").stdout.splitlines()
    (line,) = (line for line in lines if line.startswith("results"))
    assert line.removeprefix("results").strip().split("   ") == [
        "accuracy = 0.9300000001",
        "loss.test = nan",
    ]  # by the index


def test_a_job_that_has_reported_nothing_has_no_such_lines(lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    labels = {line[:12].strip() for line in xpm("show", "last").stdout.splitlines()}
    assert not labels & {"results", "outputs", "metrics", "not kept"}
