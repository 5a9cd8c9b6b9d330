"""The code that ran is the code that was submitted: real edits between submission and start, runs, and retries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest
from helpers.user_scripts import Desktop, Running
from helpers.waiting import wait_until

from xpm_core.reading.reader import Reader
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.provenance import Provenance
from xpm_core.states import State
from xpm_core.wire import signing
from xpm_core.workspace.job_spec import JobOptions
from xpm_core.workspace.workspace import Workspace

pytestmark = [pytest.mark.redis, pytest.mark.faults, pytest.mark.slow, pytest.mark.usefixtures("snapshots_on")]

SCRIPT = """
    import sys
    from pathlib import Path
    from xpm_core import *
    import helper

    class Say(Task):
        n: Param[int]
        def execute(self):
            Path("said.txt").write_text(helper.word(self.n))

    def main():
        with experiment({workspace!r}, "desk", {options}) as xp:
            tasks = [Say.C(n=tag(n)).submit({submit}) for n in range({jobs})]
            print("submitted", flush=True)
            {then}

    if __name__ == "__main__":
        main()
"""


class Lab:
    """A project of two files, whose tasks say what the helper says."""

    def __init__(self, desktop: Desktop) -> None:
        self.desktop, self.project = desktop, desktop.folder / "project"

    def helper(self, word: str) -> None:
        """Write the helper: `Say` writes this word, or does these lines."""
        body = word if "\n" in word or " " in word else f"return {word!r}"
        self.desktop.write("project/helper.py", f"def word(n):\n    {body}\n")

    def script(
        self, *, jobs: int = 1, options: str = "workers=1", submit: str = "", then: str = "pass", name: str = "sweep.py"
    ) -> Path:
        text = SCRIPT.format(
            workspace=str(self.desktop.workspace), options=options, submit=submit, jobs=jobs, then=then
        )
        return self.desktop.write(f"project/{name}", text)

    def run(self, script: Path, *, code: int = 0, env: dict[str, str] | None = None) -> Running:
        return self.desktop.run(script, code=code, cwd=self.project, env=env)

    def xpm(self, *words: str, code: int = 0, env: dict[str, str] | None = None) -> str:
        """What a command says, on both streams."""
        command = [Path(sysconfig.get_path("scripts"), "xpm"), *words, "--workspace", str(self.desktop.workspace)]
        environment = {**os.environ, "COLUMNS": "200", **(env or {})}
        ended = subprocess.run(command, capture_output=True, env=environment, text=True, cwd=self.project, check=False)
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    def said(self) -> list[str]:
        """What the jobs have said, by their numbers."""
        found = {}
        for folder in (self.desktop.workspace / "jobs" / "sweep.say").glob("*"):
            file = folder / "said.txt"
            number = json.loads((folder / "params.json").read_text())["parameters"]["n"] if file.exists() else -1
            found[number] = file.read_text() if file.exists() else ""
        return [found[n] for n in sorted(found)]

    def options(self) -> list[JobOptions]:
        """The options of the jobs that are not done, by their numbers."""
        client = self.desktop.client()
        assert client is not None
        with client:
            reader = Reader(client, Workspace.open(self.desktop.workspace, create=False).id).jobs
            jobs = sorted(self.desktop.jobs().items())
            return [reader.spec(job.identity).options for _, job in jobs if job.state is not State.DONE]


@pytest.fixture
def lab(desktop: Desktop) -> Lab:
    return Lab(desktop)


def code_in(lines: str, start: str) -> str:
    """The first code that a line names which begins so."""
    (found,) = {line.removeprefix(start)[:7] for line in lines.splitlines() if line.startswith(start)}
    return found


def test_a_job_runs_the_code_that_was_submitted_though_its_file_was_edited_before_it_began(lab: Lab) -> None:
    lab.helper("old")
    then = "Path('helper.py').write_text(\"def word(n):\\n    return 'new'\\n\")"
    ended = lab.run(lab.script(jobs=2, then=then))
    assert lab.said() == ["old", "old"]
    first = ended.err.splitlines()[0]
    assert first.startswith("code ") and first.endswith(": 2 files, 0.8 kB, 2 new") or "2 files" in first
