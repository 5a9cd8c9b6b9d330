"""An experiment goes to a colleague as a file: he reuses it, and runs nothing of it unless he trusts it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.user_scripts import Desktop

pytestmark = [pytest.mark.redis, pytest.mark.faults, pytest.mark.slow, pytest.mark.usefixtures("snapshots_on")]

SCRIPT = """
    import os, sys
    from pathlib import Path
    from xpm_core import *
    import helper

    class Say(Task):
        n: Param[int]
        def execute(self):
            Path("said.txt").write_text(helper.word(self.n))
            (Path(__file__).parent / "ran.txt").exists()

    if __name__ == "__main__":
        with experiment(sys.argv[1], "desk", workers=1) as xp:
            for n in range(int(sys.argv[2])):
                Say.C(n=tag(n)).submit(**({"env": {"API_KEY": "sesame"}} if n == 2 else {}))
"""


class Bench:
    """Two people with a project each, and a workspace each."""

    def __init__(self, desktop: Desktop) -> None:
        self.desktop = desktop
        self.theirs, self.mine = desktop.workspace, desktop.folder / "mine"
        self.file = desktop.folder / "desk.tar.gz"
        for person in ("alice", "bob"):
            desktop.write(f"{person}/sweep.py", SCRIPT)
            desktop.write(f"{person}/pyproject.toml", '[project]\nname = "sweep"\n')
            desktop.write(f"{person}/helper.py", f"def word(n):\n    return '{person}'\n")

    def run(self, person: str, workspace: Path, jobs: int) -> str:
        """Run a script to its end; what it says."""
        folder = self.desktop.folder / person
        return self.desktop.run(folder / "sweep.py", str(workspace), str(jobs), cwd=folder).err

    def xpm(self, workspace: Path, *words: str | Path, code: int = 0) -> str:
        """What a command says, on both streams."""
        command = [Path(sysconfig.get_path("scripts"), "xpm"), *words, "--workspace", str(workspace)]
        environment = {**os.environ, "COLUMNS": "200", "TMPDIR": str(self.desktop.folder)}  # scratch folders go with it
        ended = subprocess.run(command, capture_output=True, env=environment, text=True, cwd="/", check=False)
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    @contextlib.contextmanager
    def worker(self) -> Iterator[None]:
        """A worker of my workspace, outside of both projects, while the block runs."""
        command = [str(Path(sysconfig.get_path("scripts"), "xpm-worker")), "--workspace", str(self.mine)]
        worker = self.desktop.start("-c", "import os, sys; os.execv(sys.argv[1], sys.argv[1:])", *command)
        yield
        worker.process.terminate()
        worker.ends()

    def said(self, n: int) -> str:
        """What the job of a number has written in my workspace."""
        (link,) = (self.mine / "experiments" / "desk" / "jobs" / "say").glob(f"n={n}-*")
        return (link / "said.txt").read_text()


@pytest.fixture
def bench(desktop: Desktop) -> Bench:
    found = Bench(desktop)
    found.run("alice", found.theirs, 3)
    found.xpm(found.theirs, "export", "desk", found.file)
    shutil.rmtree(desktop.folder / "alice")
    return found


def test_a_script_reuses_imported_jobs_and_counts_them_apart(bench: Bench) -> None:
    bench.xpm(bench.mine, "import", bench.file)
    said = bench.run("bob", bench.mine, 4)
    assert "4 done (3 reused, 3 of them imported)" in said
    assert [bench.said(n) for n in range(4)] == ["alice"] * 3 + ["bob"]
    assert "4 done (4 reused, 3 of them imported)" in bench.run("bob", bench.mine, 4)


def test_a_retry_runs_their_code_only_if_it_is_trusted(bench: Bench) -> None:
    bench.xpm(bench.mine, "import", bench.file)
    bench.run("bob", bench.mine, 3)
    assert "--trust" in bench.xpm(bench.mine, "retry", "n=0", code=1)
    provenance = sorted((bench.mine / "code").rglob("*"))
    said = bench.xpm(bench.mine, "retry", "n=0", "--code", "now", code=1)
    assert "--trust" in said
    assert "its code is" not in said  # the folders that the file names are not even looked at
    assert sorted((bench.mine / "code").rglob("*")) == provenance
    assert "API_KEY" in bench.xpm(bench.mine, "retry", "n=2", "--trust", code=1)
    bench.xpm(bench.mine, "retry", "n=0", "--trust")
    with bench.worker():
        bench.xpm(bench.mine, "wait", "n=0", "--timeout", "60s")
    assert next(bench.mine.glob("jobs/*/*/.xpm/executions/2-*"), None) is not None
    assert [bench.said(n) for n in range(3)] == ["alice"] * 3
    assert "3 done (3 reused, 2 of them imported)" in bench.run("bob", bench.mine, 3)


def test_a_trusted_job_is_signed_with_ones_own_key(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XPM_SIGNING_KEY", "sesame")
    bench.xpm(bench.mine, "import", bench.file)
    bench.run("bob", bench.mine, 2)
    bench.xpm(bench.mine, "retry", "n=1", "--trust")
    with bench.worker():
        bench.xpm(bench.mine, "wait", "n=1", "--timeout", "60s")
    assert next(bench.mine.glob("jobs/*/*/.xpm/executions/2-*"), None) is not None
    assert bench.said(1) == "alice"


def test_a_job_that_ran_again_by_ones_own_script_is_ones_own(bench: Bench) -> None:
    bench.xpm(bench.mine, "import", bench.file)
    for job in (bench.mine / "jobs" / "sweep.say").iterdir():
        shutil.rmtree(job)
    bench.run("bob", bench.mine, 3)
    assert [bench.said(n) for n in range(3)] == ["bob"] * 3
    assert "3 done (3 reused)" in bench.run("bob", bench.mine, 3)
    bench.xpm(bench.mine, "retry", "n=0")


def test_a_debugged_job_runs_the_code_of_the_file(bench: Bench) -> None:
    bench.xpm(bench.mine, "import", bench.file)
    assert "--trust" in bench.xpm(bench.mine, "debug", "n=0", code=1)
    said = bench.xpm(bench.mine, "debug", "n=0", "--trust")
    (scratch,) = [line.split()[1] for line in said.splitlines() if line.startswith("scratch")]
    assert Path(scratch, "said.txt").read_text() == "alice"
