"""Every command in a workspace with a job in each state: as a process with its server, and in this one without."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result
from helpers.simulated_jobs import Lab
from helpers.typed_commands import PROGRAM, Shell
from helpers.user_scripts import Desktop, Terminal
from helpers.waiting import PATIENCE_S, wait_until

from xpm_cli.app import Program
from xpm_core.labels import short
from xpm_core.states import State
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Scene

pytestmark = [pytest.mark.redis, pytest.mark.slow]

LIVE = {
    "run study.yaml --dry-run": (0, "study: 0 jobs"),
    "status": (0, "1 done   1 running   1 ready   1 delayed   1 waiting   1 failed   1 blocked   1 cancelled"),
    "ui --export .": (1, ""),
    "jobs --state failed,blocked": (0, "ValueError (sweep.py:41)"),
    "show failed": (1, "ValueError: the learning rate is negative"),
    "why name=blocked": (0, "never: it needs "),
    "logs name=done": (0, "done: epoch 1"),
    "debug name=blocked": (1, ""),
    "reproduce name=done": (2, ""),
    "wait name=done": (0, ""),
    "events name=done": (0, "Train name=done  on "),
    "graph sweep": (0, "Train name=blocked"),
    "results sweep": (0, "  0.9"),
    "plot sweep name accuracy -o plot.txt": (2, ""),
    "cite sweep:accuracy:name=done": (0, "accuracy = 0.9"),
    "checklist sweep": (0, "3 attempts ended: 1 counts; 2 do not (2 failed)."),
    "tensorboard nowhere": (2, ""),
    "tokens": (0, "gpu    "),
    "workers": (0, "node1-1  busy   "),
    "queues": (0, "default  1      1        1        1        0     -"),
    "diff name=failed name=done": (0, "PARAMETER"),
    "completion bash": (0, "# Completion for xpm in bash."),
    "cancel name=done": (1, ""),
    "retry name=running": (1, ""),
    "accept name=running --why logging": (1, ""),
    "gc": (0, "failed: 1 job, because "),
    "export sweep sweep.tar": (1, ""),
    "import sweep.tar": (1, ""),
    "doctor": (0, "1 warning"),
    "config": (0, "XPM_REDIS_URL"),
    "server status": (0, "reachable   from here, yes"),
}
"""What each command prints with the server, and its exit code."""

AWAY = {
    "run study.yaml": (3, ""),
    "status": (0, "1 done   1 failed   1 cancelled   5 not known to have ended"),
    "ui --export .": (1, ""),
    "jobs --state failed,blocked": (0, "ValueError (sweep.py:41)"),
    "show failed": (1, "ValueError: the learning rate is negative"),
    "why name=blocked": (3, ""),
    "logs name=done": (0, "done: epoch 1"),
    "debug name=blocked": (3, ""),
    "reproduce name=done": (2, ""),
    "wait name=done": (3, ""),
    "events name=done": (3, ""),
    "graph sweep": (0, "Train name=blocked"),
    "results sweep": (0, "  0.9"),
    "plot sweep name accuracy -o plot.txt": (2, ""),
    "cite sweep:accuracy:name=done": (0, "accuracy = 0.9"),
    "checklist sweep": (0, "3 attempts ended: 1 counts; 2 do not (2 failed)."),
    "tensorboard nowhere": (2, ""),
    "tokens": (3, ""),
    "workers": (3, ""),
    "queues": (3, ""),
    "diff name=failed name=done": (0, "PARAMETER"),
    "cancel name=done": (3, ""),
    "retry name=running": (3, ""),
    "accept name=running --why logging": (1, ""),
    "gc": (3, ""),
    "export sweep sweep.tar": (1, ""),
    "import sweep.tar": (1, ""),
    "doctor": (1, "1 error, 6 not known"),
    "config": (0, "XPM_REDIS_URL"),
    "server status": (3, "reachable   from here, no"),
}
"""The same without the server: the files answer."""

ASKS_NOBODY = {"completion"}
"""Commands that use neither a workspace nor a server."""

ASKS_NO_SERVER = ("config", "export sweep sweep.tar", "import sweep.tar")
"""Commands to which it makes no difference."""


def test_every_command_is_typed() -> None:
    assert {words.split()[0] for words in LIVE} == set(Program.homes)
    assert {words.split()[0] for words in AWAY} == set(Program.homes) - ASKS_NOBODY


def assert_no_traceback(result: Result) -> None:
    """A command has ended by itself, and not by an error that Python would have printed."""
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("words", LIVE)
def test_command_answers_with_the_server(scene: Scene, words: str) -> None:
    code, text = LIVE[words]
    result = scene.shell.run(*words.split())
    assert result.returncode == code, result.stderr
    assert text in result.stdout
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("words", AWAY)
def test_command_answers_without_the_server(seen: Callable[..., Result], words: str) -> None:
    code, text = AWAY[words]
    result = seen(*words.split(), away=True)
    assert result.exit_code == code, result.stderr
    assert text in result.stdout
    assert_no_traceback(result)
    if words not in ASKS_NO_SERVER:
        assert "unix:///nowhere/redis.sock: no such file or directory" in result.stdout + result.stderr
    by_files = code < 3 or words.startswith("debug")  # a job that is done is run from its directory
    by_files = by_files and words not in ("doctor", *ASKS_NO_SERVER)
    assert ("The files of the workspace answer, last written" in result.stderr) == by_files


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("show fffffff", 2, "Job 'fffffff': no job has this name."),
        ("show name=nobody", 2, "Job 'name=nobody': no job has this name."),
        ("jobs --where lr>", 2, "Error: --where: "),
        ("jobs --state faild", 2, "Did you mean 'failed'?"),
        ("jobs --columns nmae", 2, "Did you mean 'name'?"),
        ("wait nowhere", 2, "Experiment 'nowhere': not in this workspace, there is sweep."),
        ("graph nowhere", 2, "Experiment 'nowhere': not in this workspace, there is sweep."),
        ("results nowhere", 2, "Experiment 'nowhere': not in this workspace, there is sweep."),
        ("results sweep --columns acuracy", 2, "no column 'acuracy'. Did you mean accuracy?"),
        ("results sweep --where lr>", 2, "Error: --where: "),
        ("results sweep --over accuracy", 2, "expected a tag or a parameter, but 'accuracy' is a result"),
        ("results sweep --interval sd", 2, "--interval and --range need --over"),
        ("cite sweep", 2, "sweep: expected an experiment, a result and a filter, with colons between."),
        ("cite sweep:acuracy", 2, "no column 'acuracy'. Did you mean accuracy?"),
        (
            "plot sweep name accuracy -o plot.txt",
            2,
            "--output plot.txt: expected the name of an image. Let it end with ",
        ),
        ("plot sweep step loss -o plot.png", 2, "loss"),
        ("checklist nowhere", 2, "Experiment 'nowhere': not in this workspace, there is sweep."),
        ("events --since soon", 2, "--since: expected a duration"),
        ("tokens set gpuu 2", 2, "Token 'gpuu': not on this server. Did you mean gpu?"),
        ("status nowhere", 2, "Experiment 'nowhere': not in this workspace, there is sweep."),
        ("status --workspace /nowhere", 3, "/nowhere: "),
        ("stats", 2, "No such command 'stats'. Did you mean status?"),
    ],
)
def test_bad_input_is_an_error_without_traceback(seen: Callable[..., Result], words: str, code: int, said: str) -> None:
    result = seen(*words.split())
    assert (result.exit_code, result.stdout) == (code, ""), result.stderr
    assert said in result.stderr
    assert_no_traceback(result)


@pytest.mark.parametrize("away", [False, True], ids=["live", "away"])
def test_workspace_without_jobs_has_none_only_if_the_server_says_so(
    shell: Shell, workspace: Workspace, away: bool
) -> None:
    result = shell.run("jobs", away=away)
    assert (result.returncode, result.stdout) == ((3, "") if away else (0, "no jobs yet\n"))
    assert result.stderr.startswith("Error: Redis at unix:///nowhere" if away else "")


def test_job_that_the_files_do_not_know_may_be_on_the_server(scene: Scene) -> None:
    result = scene.shell.run("show", "fffffff", away=True)
    assert result.returncode == 3
    assert "Job 'fffffff': the files of the workspace do not know it, and its server cannot be had." in result.stderr


@pytest.mark.parametrize("words", ["status", "jobs", "jobs -o jsonl", "show name=done", "logs name=done", "why"])
def test_closed_pipe_ends_a_command_in_silence(scene: Scene, words: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)  # as `head -1` leaves it
    process = scene.shell.start(*words.split(), out=writer)
    os.close(writer)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, said.replace("done: a warning\n", "")) == (0, "")


@pytest.mark.parametrize("words", ["status", "jobs --json", "results sweep", "checklist sweep"])
def test_output_on_a_full_disk_is_an_error_that_is_said(scene: Scene, words: str) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    process = scene.shell.start(*words.split(), out=full)
    os.close(full)
    _, said = process.communicate(timeout=PATIENCE_S)
    problem = "Error: the output: No space left on device. Check the disk, then try again.\n"
    assert (process.returncode, said) == (1, problem)


@pytest.mark.parametrize("words", ["status", "jobs", "show name=blocked", "why", "doctor"])
def test_output_that_takes_only_ascii_gets_ascii(scene: Scene, words: str) -> None:
    result = scene.shell.run(*words.split(), PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.isascii()
    assert "\\u" not in result.stdout


def listens(lab: Lab) -> bool:
    """Whether a client waits for events."""
    return any(client["cmd"] == "xread" for client in lab.client.client_list())


@pytest.mark.parametrize("words", ["wait", "wait -q", "logs -f name=long", "logs -f --experiment sweep"])
def test_ctrl_c_ends_a_command_that_waits_and_no_job(shell: Shell, lab: Lab, words: str) -> None:
    lab.start("long")
    lab.directory("long").prepare(1)
    lab.directory("long").out.write_text("epoch 1\n")
    process = shell.start(*words.split())
    assert process.stdout is not None
    if words.startswith("wait"):
        wait_until(lambda: listens(lab))
    else:
        assert process.stdout.readline().endswith("epoch 1\n")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_S)
    waiting = "Waiting for 1 job: 1 running\nStopped waiting. 1 job not ended; the jobs go on."
    assert (process.returncode, said.strip()) == (130, waiting if words == "wait" else "")
    assert "1 running" in shell.run("status").stdout


def test_wait_ends_with_the_jobs_and_says_how(shell: Shell, lab: Lab) -> None:
    leases = {name: lab.start(name) for name in ("good", "bad")}
    lab.submit("after", "bad")
    process = shell.start("wait", "sweep")
    wait_until(lambda: listens(lab))
    lab.finish("good", leases["good"])
    lab.finish("bad", leases["bad"], State.FAILED, {"type": "ValueError", "message": "no"})
    out, said = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (1, "")
    first, *ends, counts = said.splitlines()
    assert first == "Waiting for 3 jobs: 2 running   1 waiting"
    assert sorted(line.split()[0] for line in ends) == ["blocked", "done", "failed"]
    assert sorted(counts.split("   ")) == ["1 blocked", "1 done", "1 failed"]


@pytest.mark.parametrize("words", ["wait sweep", "logs -f --experiment sweep --out"])
def test_jobs_that_are_submitted_meanwhile_are_waited_for(shell: Shell, lab: Lab, words: str) -> None:
    first, printed = lab.start("a"), {}
    for name in "ab":
        lab.directory(name).path.mkdir(parents=True)
        lab.directory(name).out.write_text(f"this is {name}\n")
        printed[name] = f"{short(lab.identity(name))} Train name={name} | this is {name}\n"
    process = shell.start(*words.split())
    assert process.stdout is not None
    if words.startswith("wait"):
        wait_until(lambda: listens(lab))
    else:
        assert process.stdout.readline() == printed["a"]
    second = lab.start("b")
    lab.finish("a", first)
    if words.startswith("wait"):
        assert process.stderr is not None
        assert [process.stderr.readline().split()[0] for _ in range(2)] == ["Waiting", "done"]
    else:
        assert process.stdout.readline() == printed["b"]
    lab.finish("b", second)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert said.endswith("2 done\n" if words.startswith("wait") else "")


def test_names_can_be_piped_to_another_command(shell: Shell, lab: Lab) -> None:
    lab.join()
    for name in "ab":
        lab.store.cancel(lab.submit(name))
    line = "xpm jobs --state cancelled -o name | xargs xpm retry --yes"
    result = subprocess.run(
        line, shell=True, env=shell.environment(), cwd=shell.folder, capture_output=True, text=True, check=True
    )
    assert result.stderr.count("ready again.") == 2
    assert "2 ready" in shell.run("status").stdout


@pytest.mark.parametrize(
    ("command", "answer", "code", "after"),
    [
        ("cancel", "y\n", 0, "cancelled"),
        ("cancel", "n\n", 1, "ready"),
        ("cancel", "\n", 1, "ready"),
        ("cancel", "\x03", 130, "ready"),
        ("retry", "y\n", 0, "ready"),
    ],
)
def test_question_is_asked_on_a_terminal(
    shell: Shell, lab: Lab, tmp_path: Path, command: str, answer: str, code: int, after: str
) -> None:
    names = [lab.submit(name) for name in "ab"]
    if command == "retry":
        lab.join()
        for name in names:
            lab.store.cancel(name)
    words = [PROGRAM, command, "--experiment", "sweep", "--workspace", lab.workspace.path]
    terminal = Desktop(tmp_path).terminal(*words, env=shell.environment())
    lines = terminal.shows(f"{command.capitalize()} them?")
    assert f"This would {command} 2 jobs:" in lines
    assert any(line.startswith(f"  {short(names[0])}  Train name=a, ") for line in lines)
    assert end_of(terminal, answer) == code
    assert f"2 {after}" in shell.run("status").stdout


@pytest.mark.parametrize(("answer", "code", "state"), [("y\n", 0, "stopping"), ("n\n", 1, "busy")])
def test_stop_of_a_worker_that_runs_a_job_asks_on_a_terminal(
    shell: Shell, lab: Lab, tmp_path: Path, answer: str, code: int, state: str
) -> None:
    lab.join()
    lab.start("a")
    words = [PROGRAM, "workers", "stop", lab.worker.name, "--workspace", lab.workspace.path]
    terminal = Desktop(tmp_path).terminal(*words, env=shell.environment())
    lines = terminal.shows("Stop it?")
    assert "This would stop 1 worker, and hand back 1 job. What is not saved is lost:" in "\n".join(lines)
    assert end_of(terminal, answer) == code
    assert f"  {state}  " in shell.run("workers").stdout


def end_of(terminal: Terminal, answer: str) -> int:
    """The exit code after an answer. Python's `input` misses a Ctrl-C just before it reads; people press it again."""
    for _ in range(4):
        terminal.type(answer)
        with contextlib.suppress(AssertionError):
            return terminal.ends(PATIENCE_S / 4)
    return terminal.ends()


def test_table_on_a_terminal_is_cut_and_says_so(shell: Shell, lab: Lab, tmp_path: Path) -> None:
    lab.end("good")
    lab.end("better")
    for number in range(50):
        lab.submit(str(number))
    terminal = Desktop(tmp_path).terminal(
        PROGRAM, "jobs", "--workspace", lab.workspace.path, env=shell.environment(), lines=70, columns=90
    )
    footer = terminal.shows("shows all")
    assert terminal.ends() == 0
    assert "50 of 52 shown, 2 done ones are not (--limit 0 shows all)" in "\n".join(footer)
    assert len(shell.run("jobs").stdout.splitlines()) == 53
