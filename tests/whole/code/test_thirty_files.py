"""A project of 30 files that is edited between runs: which edits are told of reused jobs, and which are not."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from helpers.user_scripts import Desktop
from helpers.waiting import wait_until
from helpers.witness_projects import environment

pytestmark = [pytest.mark.redis, pytest.mark.slow]

FILES = 28
SWEEP = """
    import sys
    from pathlib import Path
    from xpm_core import Config, Meta, Param, Task, experiment, tag
    from lab.models import MLP, Model
    import pack

    class Train(Task):
        model: Param[Model]
        n: Param[int]
        rates: Meta[Path]

        def execute(self):
            rate = float(self.rates.read_text()) if self.rates.exists() else 1.0
            Path("result.txt").write_text(str(self.model.score(self.n) * rate))

    class Report(Task):
        n: Param[int]

        def execute(self):
            from lab.step27 import step27
            Path("result.txt").write_text(str(step27(1)))

    if __name__ == "__main__":
        with experiment(sys.argv[1], "sweep", workers=1, **eval(sys.argv[2])) as xp:
            for n in range(3):
                Train.C(model=MLP.C(), n=tag(n), rates=Path(__file__).parent / "ignored" / "rates.txt").submit()
            Report.C(n=1).submit()
"""
MODELS = """
    from xpm_core import Config, Param
    from lab.step00 import step00

    class Model(Config):
        layers: Param[int] = 2

        def score(self, n):
            raise NotImplementedError

    class MLP(Model):
        def score(self, n):
            return step00(n) * self.layers
"""


class Lab:
    """The project. Module `lab.step00` calls `lab.step01`, and so on to `lab.step13`; the others stand alone."""

    def __init__(self, desktop: Desktop, folder: Path) -> None:
        self.desktop, self.root, self.python = desktop, folder, ""
        self.write("sweep.py", SWEEP)
        self.write("lab/models.py", MODELS)
        self.write("pyproject.toml", "")
        self.write(".gitignore", "ignored/")
        for number in range(FILES):
            then = f"step{number + 1:02d}" if number < 13 else ""
            lines = [f"from lab.{then} import {then}" if then else "import math", "", f"RATE = {number}", ""]
            lines += [f"def step{number:02d}(x):", f"    return {f'{then}(x) + ' if then else ''}x * RATE", ""]
            lines += [f"def idle{number:02d}(x):", "    return x", ""]
            self.write(f"lab/step{number:02d}.py", "\n".join(lines))

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [line.removeprefix("    ") for line in text.split("\n")] if text.startswith("\n    ") else [text]
        path.write_text("\n".join(lines))

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace text in a file that has it."""
        path = self.root / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def told(self, **arguments: str) -> list[str]:
        """Run the script; returns the notes of its report, and how many jobs it has reused."""
        command = [self.root / "sweep.py", self.desktop.workspace, repr(arguments)]
        script = self.desktop.start(*command, cwd=self.root, python=self.python) if self.python else (
            self.desktop.start(*command, cwd=self.root))  # fmt: skip
        assert script.ends() == 0, script.err
        counts = re.findall(r"(\d+) done(?: \((\d+) reused\))?   in", script.err)
        return [*re.findall(r"note    (.*)", script.err), f"{counts[-1][1] or 0} of {counts[-1][0]} reused"]


@pytest.fixture
def lab(desktop: Desktop, snapshots_on: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setenv("XPM_SNAPSHOT_FOLDER", str(tmp_path / "host"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = Lab(desktop, tmp_path / "digits")
    (found.root / "pack.py").write_text("")
    return found


QUIET = ["4 of 4 reused"]


def test_only_edits_that_matter_are_told(lab: Lab) -> None:
    assert lab.told() == ["0 of 4 reused"]
    assert lab.told() == QUIET
    step = lab.root / "lab" / "step07.py"
    before = step.read_text()
    same = before.replace("def step07(x):", "def step07(x):\n    '''Says so.'''")
    same = same.replace("x * RATE", "(x\n        * RATE)")
    step.write_text(f'"""What it does."""\n# a comment\n\n{same}')
    assert lab.told() == QUIET, "no comment, docstring or layout is a change"
    step.write_text(before.replace("x * RATE", "x * RATE + 1"))
    told = "3 reused jobs of Train ran older code: lab/step07.py step07"
    assert lab.told() == [told, *QUIET]
    assert lab.told() == [told, *QUIET], "as long as it is so"
    step.write_text(before)
    assert lab.told() == QUIET, "the edit was undone"
    step.write_text(before.replace("RATE = 7", "RATE = 70"))
    assert lab.told() == ["3 reused jobs of Train ran older code: lab/step07.py RATE", *QUIET]
    step.write_text(before)
    lab.edit("lab/step20.py", "x * RATE", "x + RATE")
    lab.write("lab/step28.py", "x = 1\n")
    assert lab.told() == QUIET, "no task imports these"
    lab.edit("lab/step27.py", "x * RATE", "x + RATE")
    assert lab.told() == ["1 reused job of Report ran older code: lab/step27.py step27", *QUIET]


def test_files_and_definitions_that_move(lab: Lab) -> None:
    lab.told()
    (lab.root / "lab" / "step13.py").rename(lab.root / "lab" / "last.py")
    lab.edit("lab/step12.py", "from lab.step13 import", "from lab.last import")
    assert lab.told() == QUIET, "a file was renamed"
    lab.edit("lab/last.py", "x * RATE", "x - RATE")
    assert re.fullmatch("3 reused jobs of Train ran older code: .*lab/step13.py.*", lab.told()[0]), "and edited, too"
    lab.edit("lab/last.py", "x - RATE", "x * RATE")
    lab.edit("lab/models.py", "import step00", "import idle00, step00")
    assert lab.told() == QUIET, "the names mean what they meant"
    lab.edit("lab/models.py", "import idle00, step00", "import idle00 as step00")
    assert "MLP.score" in lab.told()[0]


def test_a_run_that_asks_for_it_runs_what_ran_other_code_and_nothing_else(lab: Lab) -> None:
    lab.told()
    lab.edit("lab/step27.py", "x * RATE", "x + RATE")
    assert lab.told(on_code_change="ignore") == QUIET
    assert lab.told(on_code_change="rerun") == ["3 of 4 reused"]
    assert lab.told(on_code_change="error") == QUIET


def test_a_file_that_git_ignores_and_jobs_have_read_is_told_though_no_snapshot_has_it(lab: Lab) -> None:
    lab.write("ignored/rates.txt", "2")
    rates = lab.root / "ignored" / "rates.txt"
    wait_until(lambda: time.time() - rates.stat().st_ctime > 2.1)  # a newer file may have changed while a job ran
    lab.told()
    assert lab.told() == QUIET
    lab.write("ignored/rates.txt", "3")
    assert lab.told() == ["3 reused jobs of Train ran older code: ignored/rates.txt", *QUIET]
    lab.write("ignored/rates.txt", "2")
    assert lab.told() == QUIET


def test_packages_that_the_project_imports_are_told_and_never_make_a_job_run_again(lab: Lab, tmp_path: Path) -> None:
    (lab.root / "pack.py").unlink()
    lab.python = environment(tmp_path / "venv")
    [site] = (tmp_path / "venv").glob("lib/python*/site-packages")

    def install(name: str, version: str) -> None:
        for old in site.glob(f"{name}-*.dist-info/METADATA"):
            old.unlink()
            old.parent.rmdir()
        (site / f"{name}.py").write_text("")
        folder = site / f"{name}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")

    install("pack", "1.0")
    install("other", "1.0")
    lab.told()
    install("other", "2.0")
    assert lab.told() == QUIET, "no file imports it"
    install("pack", "1.1")
    told = [f"{jobs} ran with pack 1.0, now 1.1" for jobs in ("3 reused jobs of Train", "1 reused job of Report")]
    assert lab.told() == [*told, *QUIET]
    assert lab.told(on_code_change="rerun") == [*told, *QUIET]
    assert lab.told(on_code_change="error") == [*told, *QUIET]
    assert lab.told(on_code_change="ignore") == QUIET
