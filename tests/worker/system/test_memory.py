"""Jobs that something other than xpm kills: who did it, as far as it is known, and how much memory they had."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import worker_tasks as tasks
from helpers.daemons import Crew
from helpers.waiting import wait_until

from xpm_core.states import State
from xpm_worker.system import oom

pytestmark = pytest.mark.redis

LIMIT_MB = 256
INTO_GROUP = 'echo $$ > "$0/cgroup.procs" && exec "$@"'


@pytest.fixture
def small_group() -> Iterator[Path]:
    """A control group of memory with a low limit, within our own; only root may make one, and not everywhere."""
    own = oom.own_group()
    if own is None:
        pytest.skip("there are no control groups of memory here")
    folder = own.folder / f"xpm-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        limits = [folder / name for name in ("memory.max", "memory.limit_in_bytes") if (folder / name).exists()]
        if not limits:
            pytest.skip("the control group has no controller of memory")
        limits[0].write_text(str(LIMIT_MB * 2**20))
        yield folder
        wait_until(lambda: not (folder / "cgroup.procs").read_text())
    finally:
        wait_until(lambda: _is_gone(folder))


def _is_gone(folder: Path) -> bool:
    with contextlib.suppress(OSError):  # processes may still end
        folder.rmdir()
    return not folder.exists()


def test_a_kill_by_the_kernel_for_want_of_memory_is_called_that(small_group: Path, crew: Crew) -> None:
    crew.started(prefix=["sh", "-c", INTO_GROUP, str(small_group)])
    crew.submit(task := tasks.Hog.C(megabytes=4 * LIMIT_MB))
    message = crew.wait(task, State.FAILED).error["message"]
    assert re.fullmatch(
        r"killed by SIGKILL, not by xpm: the kernel's out-of-memory killer \(memory\.\w+ oom_kill 0 → 1\), "
        rf"peak \d+ MB of {LIMIT_MB} MB",
        message,
    )
    crew.submit(other := tasks.Write.C(note="the worker goes on"))
    crew.wait(other)


def test_a_kill_by_somebody_is_not_called_the_kernels(crew: Crew) -> None:
    group = oom.own_group()
    crew.run(task := tasks.Signal.C(number=int(signal.SIGKILL)), State.FAILED)
    message = crew.record(task)["error"]["message"]
    assert message.startswith("killed by SIGKILL, not by xpm: ")
    expected = "most often the kernel, out of memory" if group is None else r"another process, .*\(.* is still \d+\)"
    assert re.search(expected + r".*, peak \d+ MB of [\d.]+ GB$", message)


def test_a_failure_says_that_the_kernel_killed_a_process_of_the_job(small_group: Path, crew: Crew) -> None:
    crew.started(prefix=["sh", "-c", INTO_GROUP, str(small_group)])
    crew.submit(task := tasks.Hog.C(megabytes=2 * LIMIT_MB, children=1))
    error = crew.wait(task, State.FAILED).error
    assert "oom_kill 0 → " in error["message"], error
