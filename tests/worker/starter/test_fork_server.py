"""The fork server: what it sweeps, and what its starters inherit."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import worker_tasks as tasks
from helpers.starter_client import StarterClient
from helpers.waiting import PATIENCE_S

from xpm_core.job.environment import clean_environment
from xpm_worker.daemon import start_fork_server
from xpm_worker.template import rehearsal


def test_a_fork_server_sweeps_what_killed_rehearsals_left(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    (left := tmp_path / f"{rehearsal.NAME}-{gone.pid}-00").mkdir()
    ours, hers = socket.socketpair()
    with ours, hers:
        process = start_fork_server(hers, clean_environment(os.environ | {"TMPDIR": str(tmp_path)}, ""))
    assert process.wait(PATIENCE_S) == 0
    assert not left.exists()


def test_a_starter_does_not_look_for_modules_in_the_working_directory(starter: StarterClient) -> None:
    starter.run(task := tasks.Look.C(note="x"))
    path = json.loads((starter.directory(task).path / "found.json").read_text())["path"]
    assert "" not in path
    assert os.getcwd() not in path or os.getcwd() in sys.path


def test_signals_that_reach_the_whole_group_leave_starters_alone(starter: StarterClient) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(starter.hello.pid, number)
    assert starter.run(tasks.Write.C(note="x")).reason == "done"
