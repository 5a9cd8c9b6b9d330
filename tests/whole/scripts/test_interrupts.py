"""Scripts that stop before their jobs: Ctrl-C in a terminal, hang-up, errors in the block, and attaching again."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from helpers.user_scripts import Desktop
from helpers.waiting import wait_until

from xpm_core.states import State

pytestmark = [pytest.mark.redis, pytest.mark.faults, pytest.mark.slow]

HOLDING = """
gate = Path(os.environ["GATE"])
for n in range(3):
    Hold.C(n=tag(n), until=gate).on_completed(lambda task: print("completed", task.n, flush=True)).submit()
"""
"""Three jobs that wait for a file."""

SOON = "import xpm_core.script.show.leaving; xpm_core.script.show.leaving.SECOND_CTRL_C_S = 0.05\n"
"""Leave soon after a Ctrl-C."""


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that jobs wait for."""
    path = tmp_path / "gate"
    monkeypatch.setenv("GATE", str(path))
    return path


def test_ctrl_c_leaves_the_jobs_running_and_says_how_to_attach_and_cancel(desktop: Desktop, gate: Path) -> None:
    script = desktop.script("sweep.py", HOLDING, options="workers=1")
    terminal = desktop.terminal(script, columns=200)
    desktop.wait_for(Hold_0=State.RUNNING)
    terminal.shows("Ctrl-C")
    terminal.interrupt()
    assert terminal.ends() == 130
    said = "\n".join(terminal.lines())
    assert "Traceback" not in said
    assert "desk: stopped watching. Its jobs go on (2 ready, 1 running)" in said
    assert "To attach again, run the script again" in said
    assert f"xpm cancel --experiment desk --workspace {desktop.workspace}" in said.replace("\n", "")
    assert desktop.states() == {"Hold 0": State.RUNNING, "Hold 1": State.READY, "Hold 2": State.READY}
    again = desktop.start(script)
    wait_until(lambda: len(list((desktop.workspace / "experiments" / "desk" / "runs").iterdir())) == 2)
    gate.touch()
    assert again.ends() == 0
    assert sorted(again.out.split()) == sorted(["completed", "0", "completed", "1", "completed", "2"])
    assert list(desktop.executions().values()) == [1, 1, 1]


def test_ctrl_c_twice_cancels_what_has_not_started(desktop: Desktop, gate: Path) -> None:
    terminal = desktop.terminal(desktop.script("sweep.py", HOLDING, options="workers=1"), columns=200)
    desktop.wait_for(Hold_0=State.RUNNING)
    terminal.shows("Ctrl-C")
    terminal.interrupt()
    terminal.shows("Ctrl-C again")
    terminal.interrupt()
    assert terminal.ends() == 130
    assert "desk: 2 jobs cancelled that had not started" in "\n".join(terminal.lines())
    assert desktop.states() == {"Hold 0": State.RUNNING, "Hold 1": State.CANCELLED, "Hold 2": State.CANCELLED}
    gate.touch()
    desktop.wait_for(Hold_0=State.DONE)


def test_ctrl_c_many_times_shows_no_traceback(desktop: Desktop, gate: Path) -> None:
    terminal = desktop.terminal(desktop.script("sweep.py", HOLDING, options="workers=1"), columns=200)
    desktop.wait_for(Hold_0=State.RUNNING)
    terminal.shows("Ctrl-C")
    wait_until(lambda: terminal.process.poll() is not None or bool(terminal.interrupt()), poll_s=0.002)
    assert terminal.ends() in (130, -signal.SIGINT), (
        "a shell tells 130 of both; the last one may come while Python ends"
    )
    assert "Traceback" not in "\n".join(terminal.lines())
    gate.touch()


def test_ctrl_c_in_the_scripts_own_code_leaves_as_in_wait(desktop: Desktop, gate: Path) -> None:
    body = SOON + HOLDING + "\nprint('mine', flush=True)\nsignal.pause()"
    running = desktop.start(desktop.script("sweep.py", body, options="workers=2"))
    wait_until(lambda: "mine" in running.out)
    desktop.wait_for(Hold_0=State.RUNNING, Hold_1=State.RUNNING, Hold_2=State.READY)
    running.interrupt()
    assert running.ends() == 130
    assert "stopped watching. Its jobs go on (1 ready, 2 running)" in running.err
    assert "Traceback" not in running.err
    gate.touch()


def test_ctrl_c_with_nothing_left_to_do_leaves_at_once(desktop: Desktop) -> None:
    body = "Quick.C(n=tag(1)).submit()\nxp.wait()\nprint('mine', flush=True)\nsignal.pause()"
    running = desktop.start(desktop.script("sweep.py", body))
    wait_until(lambda: "mine" in running.out)
    running.interrupt()
    assert running.ends() == 130
    assert "No job is unfinished" in running.err
    assert "Ctrl-C again" not in running.err


def test_hang_up_leaves_the_jobs_running(desktop: Desktop, gate: Path) -> None:
    """The terminal window is closed."""
    running = desktop.start(desktop.script("sweep.py", HOLDING, options="workers=1"))
    desktop.wait_for(Hold_0=State.RUNNING)
    os.killpg(running.pid, signal.SIGHUP)
    assert running.ends() == -signal.SIGHUP
    gate.touch()
    desktop.wait_for(Hold_0=State.DONE, Hold_1=State.DONE, Hold_2=State.DONE)


def test_error_in_the_block_shows_at_once_and_how_to_cancel_is_said(desktop: Desktop, gate: Path) -> None:
    body = HOLDING + "\nwhile not (xp.workspace.path / 'go').exists(): pass\n1 / 0"
    running = desktop.start(desktop.script("sweep.py", body, options="workers=1"))
    desktop.wait_for(Hold_0=State.RUNNING)
    (desktop.workspace / "go").touch()
    assert running.ends() == 1, "it does not wait for jobs that wait for the gate"
    assert "ZeroDivisionError" in running.err.splitlines()[-1]
    assert "desk: the script stopped with ZeroDivisionError. Its jobs go on (2 ready, 1 running)." in running.err
    assert f"To cancel: xpm cancel --experiment desk --workspace {desktop.workspace}" in running.err
    gate.touch()
    desktop.wait_for(Hold_0=State.DONE, Hold_1=State.DONE, Hold_2=State.DONE)


def test_exit_in_the_block_keeps_its_code_and_says_that_jobs_go_on(desktop: Desktop, gate: Path) -> None:
    running = desktop.run(desktop.script("sweep.py", HOLDING + "\nsys.exit(3)", options="workers=1"), code=3)
    assert "the script stopped with SystemExit. Its jobs go on" in running.err
    gate.touch()
    desktop.wait_for(Hold_0=State.DONE, Hold_1=State.DONE, Hold_2=State.DONE)


# -- failures ---------------------------------------------------------------------------------------------------------


def test_uncaught_failure_shows_its_report_alone_and_exits_with_1(desktop: Desktop) -> None:
    script = desktop.script("sweep.py", "Bad.C(n=tag(1)).submit()\nQuick.C(n=tag(1)).submit()", options="workers=1")
    run = desktop.run(script, code=1)
    assert "Traceback" not in run.err
    assert re.search(r"^desk  1 done   1 failed   in ", run.err, re.M)
    assert re.search(r"^✗ ValueError: no good +1 job, n=1$", run.err, re.M)
    assert re.search(r"^ +sweep\.py:\d+ in execute$", run.err, re.M), "the user's own file, as seen from where he is"
    assert run.err.count("✗ ValueError") == 1
    debugging = desktop.run(script, code=1, env={"XPM_DEBUG": "1"})
    assert "Traceback" in debugging.err
    assert "FailedExperiment" in debugging.err


def test_failure_that_the_script_catches_is_its_own_affair(desktop: Desktop) -> None:
    text = desktop.script("sweep.py", "Bad.C(n=tag(1)).submit()", options="workers=1").read_text()
    head, _, main = text.partition('if __name__ == "__main__":\n')
    main = "".join(f"    {line}" for line in main.splitlines(keepends=True))
    caught = "    except FailedExperiment as error:\n        print(str(error).splitlines()[0])\n"
    script = desktop.write("sweep.py", f'{head}if __name__ == "__main__":\n    try:\n{main}{caught}')
    run = desktop.run(script)
    assert run.out.startswith("desk  0 done   1 failed   in ")


def test_report_is_readable_where_only_ascii_is(desktop: Desktop) -> None:
    script = desktop.script("sweep.py", "Bad.C(n=tag(1)).submit()", options="workers=1")
    run = desktop.run(script, code=1, env={"PYTHONIOENCODING": "ascii"})
    assert run.err.isascii()
    assert re.search(r"^x ValueError: no good +1 job, n=1$", run.err, re.M)
    assert "\\" not in run.err
