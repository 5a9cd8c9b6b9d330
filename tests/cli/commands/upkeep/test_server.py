"""`xpm server`: what people type and see, each command a process."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from helpers.simulated_jobs import Lab
from helpers.typed_commands import PROGRAM, Shell
from helpers.user_scripts import Desktop
from helpers.waiting import wait_until

from xpm_core.project.settings import programs_file
from xpm_core.server import connection
from xpm_core.server.address import locate
from xpm_core.server.binary import ServerProgram
from xpm_core.server.notice import notice_file
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis

HERE = ("--bind", "127.0.0.1")


@pytest.fixture
def alone(server_program: ServerProgram, workspace: Workspace, tmp_path: Path) -> Iterator[Shell]:
    """A shell in a workspace, where no variable names a server. No server is left behind."""
    shell = Shell(workspace.path, "", tmp_path / "home")
    yield shell
    shell.run("server", "stop", "--yes")


def lab_of(workspace: Workspace) -> Lab:
    """Jobs on the server that the settings name."""
    return Lab(workspace, connection.open(str(locate(workspace.path).url)))


def test_it_is_started_shown_and_stopped(alone: Shell, workspace: Workspace) -> None:
    before = alone.run("server", "status")
    assert (before.returncode, before.stderr) == (3, "To use several machines: xpm server start\n")
    started = alone.run("server", "start", *HERE)
    assert started.returncode == 0, started.stderr
    assert re.fullmatch(r"redis://\*\*\*@127\.0\.0\.1:\d+/0\n", started.stdout)
    assert "Only you can read it." in started.stderr
    assert f"On each machine: xpm-worker -w {workspace.path}" in started.stderr
    again = alone.run("server", "start")
    assert (again.returncode, again.stdout) == (0, started.stdout)
    assert again.stderr.startswith("It runs already. To change how it listens, stop it first: xpm server stop\n")
    shown = alone.run("server", "status")
    assert shown.returncode == 0
    labels = [line.split()[0] for line in shown.stdout.splitlines()]
    assert labels == ["server", "from", "host", "listens", "program", "memory", "keeps", "reachable"]
    assert "(this machine)" in shown.stdout
    assert "noeviction" in shown.stdout
    stopped = alone.run("server", "stop")
    assert (stopped.returncode, stopped.stdout) == (0, "")
    assert stopped.stderr == f"Stopped. Its data stay in {workspace.path}/.xpm/redis.\n"
    none = alone.run("server", "stop")
    assert (none.returncode, none.stderr) == (0, f"No server for several machines was started for {workspace.path}.\n")
    assert alone.run("server", "status").returncode == 3


def test_its_password_is_said_nowhere(alone: Shell, workspace: Workspace) -> None:
    said = alone.run("server", "start", *HERE, "-v")
    password = re.findall(":([0-9a-f]{64})@", programs_file(workspace.path).read_text())[0]
    commands = ("server status -v", "server status --json", "status", "config", "config --json", "doctor")
    seen = [said, *(alone.run(*words.split()) for words in commands)]
    assert all("***@127.0.0.1" in each.stdout for each in seen)
    assert not [each.args for each in seen if password in each.stdout + each.stderr]


def test_a_network_that_others_can_read_is_named_plainly(alone: Shell, tmp_path: Path) -> None:
    words = ("server", "start", "--advertise", "localhost")
    assert "It is not encrypted: " in alone.run(*words).stderr
    assert alone.run("server", "stop").returncode == 0
    assert "It is not encrypted: " not in alone.run("server", "start", *HERE).stderr


def test_it_is_not_stopped_under_workers_unless_its_user_says_so(
    alone: Shell, workspace: Workspace, tmp_path: Path
) -> None:
    alone.run("server", "start", *HERE)
    lab = lab_of(workspace)
    lab.start("long")
    lab.join()
    refused = alone.run("server", "stop")
    assert refused.returncode == 1
    assert "In use: 1 running job, 1 worker on " in refused.stderr
    assert refused.stderr.endswith("Nothing was stopped. The same with --yes does it.\n")
    assert lab.client.ping()
    other = alone.run("server", "stop", XPM_REDIS_URL="redis://:word@localhost:1")
    assert (other.returncode, "In use: 1 running job" in other.stderr) == (1, True), "the variable names another one"
    for answer, code in (("n\n", 1), ("y\n", 0)):
        terminal = Desktop(tmp_path).terminal(PROGRAM, "server", "stop", "-w", workspace.path, env=alone.environment())
        terminal.shows("Stop it all the same? [y/N]:")
        terminal.type(answer)
        assert terminal.ends() == code
    lab.client.close()
    assert "1 running" in alone.run("status").stdout, "the workspace has the same jobs"


def test_a_dead_server_is_named_by_every_command_and_started_again(alone: Shell, workspace: Workspace) -> None:
    started = alone.run("server", "start", *HERE)
    lab = lab_of(workspace)
    lab.submit("a")
    process = psutil.Process(lab.client.info("server")["process_id"])
    lab.client.close()
    process.kill()
    wait_until(lambda: not process.is_running())
    remedy = f"Start it again: xpm server start -w {workspace.path}"
    for words in ("status", "why", "cancel last", "server status", "doctor"):
        result = alone.run(*words.split())
        assert remedy in result.stdout + result.stderr, words
    shown = alone.run("server", "status")
    assert shown.returncode == 3
    assert "(this machine)" in shown.stdout
    assert alone.run("server", "start").stdout == started.stdout
    assert "1 ready" in alone.run("status").stdout


def test_another_machine_is_named_where_only_that_can_act(alone: Shell, workspace: Workspace) -> None:
    alone.run("server", "start", *HERE)
    file = notice_file(workspace.path)
    content = file.read_text()
    file.write_text(json.dumps(json.loads(content) | {"host": "head", "boot": "another"}))
    for words in (("server", "stop"), ("server", "start")):
        result = alone.run(*words)
        assert result.returncode == 1
        assert "it was started on host head, and can be started and stopped only there." in result.stderr
    shown = alone.run("server", "status")
    assert (shown.returncode, "head   started" in shown.stdout) == (0, True)
    document = json.loads(alone.run("server", "status", "--json").stdout)
    assert (document["host"], document["reachable"], document["kind"]) == ("head", True, "shared")
    file.write_text(content)


def test_a_group_that_shares_the_workspace_is_told_of_its_option(alone: Shell, workspace: Workspace) -> None:
    workspace.path.chmod(0o770)
    assert "let the group read it, too: xpm server start --group" in alone.run("server", "start", *HERE).stderr
    assert "The group of the workspace can read it." in alone.run("server", "start", "--group").stderr


def test_a_variable_that_wins_is_named(alone: Shell, redis_url: str) -> None:
    result = alone.run("server", "start", *HERE, XPM_REDIS_URL=redis_url)
    assert "XPM_REDIS_URL is set here, and wins over it." in result.stderr


def test_wrong_options_are_errors_without_traceback(alone: Shell, workspace: Workspace, tmp_path: Path) -> None:
    for words, code, said in [
        ("start --bind 203.0.113.7", 1, "cannot listen there: cannot assign requested address"),
        ("start --port 0", 2, "0 is not in the range"),
        ("start --tls-cert /nowhere.crt", 2, "'/nowhere.crt' does not exist"),
        ("start --bind 127.0.0.1 --advertise nowhere.invalid", 1, "cannot be reached as nowhere.invalid:"),
        ("start --redis redis://head", 2, "--redis names a server that is neither started nor stopped by xpm."),
        ("stop --redis redis://head", 2, "Leave it out."),
        ("restart", 2, "No such command 'restart'"),
    ]:
        result = alone.run("server", *words.split())
        assert (result.returncode, result.stdout) == (code, ""), words
        assert said in result.stderr
        assert "Traceback" not in result.stderr
    assert not programs_file(workspace.path).exists()
