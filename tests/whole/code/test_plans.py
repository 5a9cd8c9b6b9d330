"""A dry run after an edit says of each result whether other code has made it, as the run after it does."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest
from helpers.user_scripts import Desktop, Running
from helpers.witness_projects import Project

pytestmark = pytest.mark.redis

HELPER = """
    def used(n):
        return n

    def other(n):
        return -n
"""
STUDY = """
    import json, sys
    from pathlib import Path
    import helper
    from xpm_core import Param, Task, experiment, tag

    class Learn(Task):
        n: Param[int]

        def execute(self):
            Path("n.txt").write_text(str(helper.used(self.n)) + Path(__file__).with_name("rates.csv").read_text())

    class Plain(Task):
        n: Param[int]
        on_code_change = "ignore"

        def execute(self):
            helper.used(self.n)

    if __name__ == "__main__":
        given = json.loads(sys.argv[1])
        with experiment(sys.argv[2], "study", workers=2, **given) as xp:
            for n in range(3):
                Learn.C(n=tag(n)).submit()
            Plain.C(n=0).submit()
            if xp.dry_run:
                print(json.dumps(xp.plan().as_data()))
"""


def run(project: Project, **given: object) -> Running:
    running = project.desktop.start("-B", project.root / "study.py", json.dumps(given), project.desktop.folder / "ws")
    running.ends()
    return running


@pytest.fixture
def ran(project: Project) -> Project:
    """A project whose script has run once."""
    project.write("helper.py", HELPER)
    project.write("study.py", STUDY)
    project.write("rates.csv", "1")
    first = run(project)
    assert "4 done" in first.err
    return project


def stand(folder: Path) -> dict[str, tuple[int, int]]:
    """Each file of the workspace that scripts write, with its times. Its server writes others."""
    places = ("jobs", "experiments", "code", "old", ".xpm/parts", ".xpm/index")
    files = (path for place in places for path in (folder / place).rglob("*"))
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_ctime_ns) for path in files}


def test_an_edit_of_what_ran_is_told_and_no_file_is_touched(ran: Project) -> None:
    workspace = ran.desktop.folder / "ws"
    ran.write("helper.py", HELPER.replace("return n", "return n + 1"))
    before = stand(workspace)
    dry = run(ran, dry_run=True)
    assert stand(workspace) == before
    assert "study: 4 jobs: 4 reused (of these, 3 with other code)\n" in dry.err
    assert "  Learn  3 jobs: 3 reused (of these, 3 with other code)" in dry.err
    assert "  Plain  1 job: 1 reused   " in dry.err
    plan = json.loads(dry.out)
    assert plan["with_other_code"] == 3
    assert [task["with_other_code"] for task in plan["tasks"]] == [3, 0]
    assert [job["code"] for job in plan["jobs"]] == ["ran", "ran", "ran", None]
    notes = [line for line in dry.err.splitlines() if line.startswith("note ")]
    assert notes[0].startswith("note    3 reused jobs of Learn ran older code: helper.py used")
    run_after = run(ran)
    assert [line for line in run_after.err.splitlines() if line.startswith("note ")] == notes


def test_an_index_that_is_worth_to_be_remembered_is_not_remembered_by_a_dry_run(
    ran: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (index,) = (ran.desktop.folder / "ws").glob("experiments/*/index/*.jsonl")
    index.write_bytes(index.read_bytes() * 1000)
    dry = run(ran, dry_run=True)
    assert "study: 4 jobs: 4 reused\n" in dry.err
    assert not (tmp_path / "cache").exists()


def test_a_comment_and_an_undone_edit_are_no_other_code(ran: Project) -> None:
    ran.write("helper.py", f"    # a comment\n{HELPER}")
    dry = run(ran, dry_run=True)
    assert "study: 4 jobs: 4 reused\n" in dry.err
    assert [job["code"] for job in json.loads(dry.out)["jobs"]] == ["same", "same", "same", None]
    assert "note" not in dry.err


def test_data_that_jobs_have_read_counts_as_code(ran: Project) -> None:
    ran.write("rates.csv", "2")
    dry = run(ran, dry_run=True)
    assert "3 reused jobs of Learn ran older code: rates.csv" in dry.err
    assert json.loads(dry.out)["with_other_code"] == 3


def test_jobs_that_would_run_again_are_planned_so_and_the_run_does_so(ran: Project) -> None:
    ran.write("helper.py", HELPER.replace("return n", "return n + 1"))
    dry = run(ran, dry_run=True, on_code_change="rerun")
    assert "study: 4 jobs: 1 reused, 3 retried\n" in dry.err
    assert (
        'note    on_code_change="rerun" runs 3 reused jobs of Learn again, which ran older code: helper.py ' in dry.err
    )
    assert "time    about " in dry.err
    plan = json.loads(dry.out)
    assert (plan["counts"]["retried"], plan["with_other_code"]) == (3, 0)
    assert "4 done (1 reused)" in run(ran, on_code_change="rerun").err
    assert "study: 4 jobs: 4 reused\n" in run(ran, dry_run=True, on_code_change="rerun").err


def test_a_run_that_would_stop_is_told(ran: Project) -> None:
    ran.write("helper.py", HELPER.replace("return n", "return n + 1"))
    dry = run(ran, dry_run=True, on_code_change="error")
    assert (
        '!       on_code_change="error" stops a run at 3 reused jobs of Learn, which ran older code: helper' in dry.err
    )
    assert run(ran, on_code_change="error").ends() == 1


def test_live_code_is_not_judged(ran: Project) -> None:
    ran.write("helper.py", HELPER.replace("return n", "return n + 1"))
    dry = run(ran, dry_run=True, code="live")
    assert "study: 4 jobs: 4 reused\n" in dry.err
    assert [job["code"] for job in json.loads(dry.out)["jobs"]] == [None] * 4


def test_a_wrong_word_of_a_class_is_an_error_of_the_dry_run_too(desktop: Desktop) -> None:
    desktop.write("wrong.py", textwrap.dedent(STUDY).replace('"ignore"', '"never"').replace("import helper\n", ""))
    dry = desktop.start("-B", "wrong.py", '{"dry_run": true}', "ws")
    assert dry.ends() == 1
    assert "Plain.on_code_change = 'never': expected 'warn', 'rerun', 'error' or 'ignore'" in dry.err
    assert not (desktop.folder / "ws").exists()
