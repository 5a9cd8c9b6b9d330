"""A job's steps taken ahead: nothing of it is seen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

WARM = """
import json, os, sys
from xpm_core.config import Config
from xpm_worker.template import rehearsal

def below(cls):
    return [name for each in cls.__subclasses__() for name in (each.__name__, *below(each))]

def stands():
    descriptors = sorted(os.listdir("/proc/self/fd"))
    return [sorted(sys.modules), sorted(below(Config)), sorted(os.environ), descriptors, sys.path, os.getcwd()]

rehearsal.warm()
before = stands()
rehearsal.warm()
print(json.dumps([before, stands()]))
"""

WHOLE = """
import os, sys
from xpm_worker.job import main
from xpm_worker.template import rehearsal
rehearsal.message()
seen = []
def look(*args, execute=main.execute):
    execute(*args)
    seen.extend([open("/proc/self/comm").read().strip(), *sorted(os.listdir("."))])
    sys.__stderr__.write("seen nowhere")
main.execute = look
shown = os.dup(1)
with rehearsal.prepared() as job:
    rehearsal.rehearse(job)
os.write(shown, repr(seen).encode())
"""

SWEPT = """
import os, signal
from xpm_worker.template import rehearsal
def left():
    return len(os.listdir(os.environ["TMPDIR"]))
if os.fork() == 0:
    with rehearsal.prepared():
        os.kill(os.getpid(), signal.SIGKILL)
os.wait()
with rehearsal.prepared():
    before = left()
    rehearsal.sweep()
    print(before, left())
"""


def ran(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    env = {"TMPDIR": str(folder)}
    return subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=60)


def run(script: str, folder: Path) -> str:
    done = ran(script, folder)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_nothing_stays_in_a_process_that_goes_on(tmp_path: Path) -> None:
    before, after = json.loads(run(WARM, tmp_path))
    assert before == after


@pytest.mark.parametrize("script", [WARM, WHOLE])
def test_no_file_stays(script: str, tmp_path: Path) -> None:
    run(script, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_whole_rehearsal_makes_what_a_job_makes_and_is_not_shown_as_one(tmp_path: Path) -> None:
    assert run(WHOLE, tmp_path) == repr(["xpm-rehearsal", "params.json", "rehearsal.err", "rehearsal.out"])


def test_a_folder_for_temporary_files_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert "FileNotFoundError" in ran(WARM, tmp_path / "absent").stderr
    assert list(tmp_path.iterdir()) == []


def test_what_killed_processes_left_is_swept_and_what_others_need_is_not(tmp_path: Path) -> None:
    assert run(SWEPT, tmp_path) == "2 1\n"
    assert list(tmp_path.iterdir()) == []
