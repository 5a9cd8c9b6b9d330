"""Several machines, each a network namespace: all find the server by the settings of the workspace alone."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from helpers.network_namespaces import Island
from helpers.typed_commands import Shell
from helpers.user_scripts import Desktop
from helpers.waiting import wait_until

from xpm_core.project.settings import programs_file

pytestmark = [pytest.mark.redis, pytest.mark.faults]

MEETING = """
    from pathlib import Path
    import time
    from xpm_core import *

    class Meet(Task):
        number: Param[int]
        place: Meta[Path]

        def execute(self):
            (self.place / f"here-{self.number}").touch()
            while len(list(self.place.iterdir())) < 2:      # a worker has one slot, so two workers have to come
                time.sleep(0.01)

    if __name__ == "__main__":
        place = Path(__file__).with_name("place")
        place.mkdir()
        with experiment(str(Path(__file__).with_name("workspace")), "meeting") as xp:
            for number in range(2):
                Meet.C(number=tag(number), place=place).submit()
"""


@pytest.fixture
def islands(island: Island) -> Iterator[list[Island]]:
    """Two machines that reach this one, and share its disk."""
    other = Island()
    yield [island, other]
    other.sink()


def without_variables() -> dict[str, str]:
    """An environment in which only the workspace can say where the server is."""
    return {name: value for name, value in os.environ.items() if not name.startswith("XPM_")}


def secrets_seen(password: str, folder: Path) -> list[str]:
    """Where others could read a password: arguments, environments, and files that are open to them."""
    seen = []
    for process in psutil.process_iter():
        try:
            if password in "\0".join([*process.cmdline(), *process.environ().values()]):
                seen.append(f"process {process.pid}")
        except psutil.Error:
            continue
    for root, folders, files in os.walk(folder):
        folders[:] = [each for each in folders if stat.S_IMODE(os.stat(Path(root, each)).st_mode) & 0o011]
        opened = [
            path for path in (Path(root, each) for each in files) if path.is_file() and path.stat().st_mode & 0o044
        ]
        seen += [str(path) for path in opened if password.encode() in path.read_bytes()]
    return seen


def test_workers_and_scripts_on_other_machines_find_the_server_by_the_workspace(
    islands: list[Island], desktop: Desktop, tmp_path: Path
) -> None:
    shell = Shell(tmp_path, "", tmp_path / "home")
    started = shell.run("server", "start", "--bind", islands[0].host, "-w", desktop.workspace)
    assert started.returncode == 0, started.stderr
    password = re.findall(":([0-9a-f]{64})@", programs_file(desktop.workspace).read_text())[0]
    workers = []
    try:
        for number, island in enumerate(islands):
            command = [*island.prefix, sys.executable, "-m", "xpm_worker", "-w", str(desktop.workspace)]
            with open(tmp_path / f"worker{number}.log", "wb") as log:
                worker = subprocess.Popen(
                    [*command, "--name", f"m{number}"],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    env=without_variables(),
                    start_new_session=True,
                )
            workers.append(worker)
        listed = ["status", "-w", desktop.workspace]
        wait_until(
            lambda: shell.run(*listed).stdout.endswith(": 0 of 2 busy\n"), show=lambda: shell.run(*listed).stdout
        )
        assert secrets_seen(password, tmp_path) == []
        script = desktop.write("meeting.py", MEETING)
        command = [*islands[1].prefix, sys.executable, str(script)]
        done = subprocess.run(command, env=without_variables(), cwd="/", capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert "2 done" in done.stderr
        records = [path.read_text() for path in desktop.workspace.glob("jobs/*/*/.xpm/executions/*.json")]
        assert sorted(json.loads(record)["worker"][:2] for record in records) == ["m0", "m1"]
        assert secrets_seen(password, tmp_path) == []
        assert shell.run("server", "stop", "-w", desktop.workspace).returncode == 1, "workers are connected"
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
        shell.run("server", "stop", "--yes", "-w", desktop.workspace)
