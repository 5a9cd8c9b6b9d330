"""Scripts that are killed, and scripts that share a workspace: nothing is lost, and nothing runs twice."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from helpers.user_scripts import Desktop
from helpers.waiting import wait_until

from xpm_core.script import local_workers
from xpm_core.server.embedded.record import ServerRecord
from xpm_core.states import State

pytestmark = [pytest.mark.redis, pytest.mark.faults]

CHAIN = """
gate = Path(os.environ["GATE"])
def told(task):
    print("completed", type(task).__name__, task.n, flush=True)
for n in range(2):
    Quick.C(n=tag(n)).on_completed(told).submit()
hold = Hold.C(n=tag(0), until=gate).on_completed(told).submit()
for n in range(2, 5):
    quick = Quick.C(n=tag(n)).on_completed(told)
    quick.add_dependencies(hold)
    quick.submit()
"""
"""Two jobs, one that waits for a file, and three that need it."""

LINGER = "import xpm_core.script.local_workers; xpm_core.script.local_workers.LINGER_S = 0.2\n"
ALL = sorted(["Quick 0", "Quick 1", "Quick 2", "Quick 3", "Quick 4", "Hold 0"])


def completed(out: str) -> list[str]:
    return sorted(line.removeprefix("completed ") for line in out.splitlines())


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that jobs wait for."""
    path = tmp_path / "gate"
    monkeypatch.setenv("GATE", str(path))
    return path


def test_script_killed_amid_its_run_and_run_again_repeats_nothing(desktop: Desktop, gate: Path) -> None:
    script = desktop.script("sweep.py", CHAIN, options="workers=2")
    first = desktop.start(script)
    desktop.wait_for(Quick_0=State.DONE, Quick_1=State.DONE, Hold_0=State.RUNNING, Quick_2=State.WAITING)
    first.kill()
    second = desktop.start(script)
    wait_until(lambda: len(completed(second.out)) == 2)  # what was done already is told at once
    gate.touch()
    assert second.ends() == 0
    assert "6 done (2 reused)" in second.err
    assert completed(second.out) == ALL
    assert list(desktop.executions().values()) == [1] * 6


def test_workers_of_a_killed_script_go_on_with_what_is_queued_and_leave_with_the_server(
    desktop: Desktop, gate: Path
) -> None:
    first = desktop.start(desktop.script("sweep.py", LINGER + CHAIN, options="workers=1"))
    desktop.wait_for(Hold_0=State.RUNNING, Quick_4=State.WAITING)
    [daemon] = desktop.daemons()
    record = ServerRecord.read(desktop.workspace / ".xpm" / "redis")
    assert record is not None
    first.kill()
    gate.touch()
    wait_until(lambda: not daemon.is_running() or daemon.status() == psutil.STATUS_ZOMBIE, show=desktop.states)
    assert list(desktop.executions().values()) == [1] * 6
    wait_until(lambda: not record.alive, show=lambda: "the server stops with the last of its users")
    again = desktop.run(desktop.folder / "sweep.py")
    assert "6 done (6 reused)" in again.err
    assert completed(again.out) == ALL


def test_workers_are_told_to_linger_for_10_s() -> None:
    assert local_workers.LINGER_S == 10


def test_same_script_run_twice_at_once_runs_each_job_once_and_tells_both(desktop: Desktop, gate: Path) -> None:
    script = desktop.script("sweep.py", CHAIN, options="workers=2")
    both = [desktop.start(script), desktop.start(script)]
    runs = desktop.workspace / "experiments" / "desk" / "runs"
    wait_until(lambda: runs.exists() and len(list(runs.iterdir())) == 2)
    desktop.wait_for(Hold_0=State.RUNNING)
    for running in both:  # each has submitted all
        wait_until(lambda running=running: len(completed(running.out)) == 2, show=lambda running=running: running.err)
    assert len({record.pid for record in [ServerRecord.read(desktop.workspace / ".xpm" / "redis")] if record}) == 1
    gate.touch()
    assert [running.ends() for running in both] == [0, 0]
    assert [completed(running.out) for running in both] == [ALL, ALL]
    assert list(desktop.executions().values()) == [1] * 6
    wait_until(lambda: not desktop.server_lives())


def test_two_scripts_share_a_server_and_have_workers_of_their_own(desktop: Desktop, gate: Path) -> None:
    """The first one leaves while the second one's job runs on its own workers."""
    second = desktop.start(desktop.script("second.py", "Hold.C(n=tag(0), until=Path(os.environ['GATE'])).submit()"))
    desktop.wait_for(Hold_0=State.RUNNING)
    first = desktop.start(
        desktop.script("first.py", "Quick.C(n=tag(1)).submit()\nxp.wait()\nprint('mine', flush=True)\nsys.stdin.read()")
    )
    assert first.ends() == 0
    assert "1 done   in" in first.err
    assert desktop.server_lives()
    assert second.process.poll() is None
    gate.touch()
    assert second.ends() == 0
    wait_until(lambda: not desktop.server_lives())
    wait_until(lambda: not desktop.daemons())


def test_script_killed_while_it_enters_leaves_the_workspace_usable(desktop: Desktop) -> None:
    """At some moments of its start."""
    script = desktop.script("sweep.py", "Quick.C(n=tag(1)).submit()", options="workers=1")
    running = desktop.start(script)
    wait_until(lambda: (desktop.workspace / ".xpm" / "redis").exists(), poll_s=0.001)
    running.kill()
    running = desktop.start(script)
    wait_until(desktop.server_lives, poll_s=0.001)
    running.kill()
    assert "1 done" in desktop.run(script).err
    assert list(desktop.executions().values()) == [1]
