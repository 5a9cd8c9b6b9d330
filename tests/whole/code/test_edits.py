"""Edits at every moment: all jobs of a submission run one code, and people are told when jobs have different ones."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from helpers.waiting import wait_until
from helpers.witness_projects import Project, forget, xpm

pytestmark = [pytest.mark.redis, pytest.mark.slow]

COUNT = 12


def test_a_helper_is_edited_while_jobs_wait_and_all_of_them_run_one_code(project: Project) -> None:
    """The story at the top of the issue: before, some ran the old code and some the new."""
    project.create("old").commit()
    script = project.start(*range(COUNT))
    wait_until(lambda: len(project.seen()) >= 2, show=lambda: script.err)
    project.edit("new")
    assert script.ends() == 0, script.err
    values = project.values()
    assert len(values) == COUNT
    assert len(project.snapshots()) == len(set(values.values())), values
    for each in set(values.values()):
        assert len(set(each)) == 1, "a job has seen a part of one code, and a part of another one"


def test_all_that_was_submitted_before_an_edit_runs_what_was_submitted(project: Project) -> None:
    project.create("old")
    script = project.start(*range(COUNT), gate=True)
    project.when_submitted(script)
    project.edit("new")
    project.open_gate()
    assert script.ends() == 0, script.err
    assert set(project.values().values()) == {("old",) * 3}
    assert len(project.snapshots()) == 1


def test_a_file_that_changed_before_a_later_submission_gives_a_new_snapshot_and_a_line(project: Project) -> None:
    project.create("old")
    train = project.root / "train.py"
    # Files are not looked at again within 0.05 s. So the script sleeps in any case, even if the gate is there at once.
    waits = "            while n == '2' and (time.sleep(0.1) or not Path(gate + '-go').exists()): pass\n"
    train.write_text(train.read_text().replace("        for n in numbers:\n", "        for n in numbers:\n" + waits))
    script = project.start(1, 2, gate=True)
    first = wait_until(lambda: re.findall("code ([0-9a-f]{7}): ", script.err), show=lambda: script.err)
    wait_until(lambda: {"Hold", "Work 1"} <= project.desktop.states().keys(), show=project.desktop.states)
    project.edit("new")
    project.gate.with_name("gate-go").touch()
    project.when_submitted(script)
    project.open_gate()
    assert script.ends() == 0, script.err
    assert project.values() == {1: ("old",) * 3, 2: ("new",) * 3}
    assert len(project.snapshots()) == 2
    assert first[0] in {each[:7] for each in project.snapshots()}
    said = [line for line in script.err.splitlines() if "code " in line]
    assert any("late.py" in line and "top.py" in line for line in said), said


def test_jobs_that_wait_take_the_code_of_their_newest_submission(project: Project) -> None:
    project.create("old")
    first = project.start(1, 2, 3, gate=True)
    project.when_submitted(first)
    project.edit("new")
    second = project.start(1, 2, 3, gate=True)
    project.when_submitted(second)
    project.open_gate()
    assert (first.ends(), second.ends()) == (0, 0), second.err
    assert set(project.values().values()) == {("new",) * 3}
    [snapshot] = project.snapshots()
    assert f"3 waiting jobs now use code {snapshot[:7]}" in second.err
    assert re.search("1 running job keeps code [0-9a-f]{7}", second.err), second.err


def test_between_runs_done_jobs_stay_and_the_script_says_which_ran_older_code(project: Project) -> None:
    project.create("old")
    project.run(1)
    assert "older code" not in project.run(1).err
    project.edit("new")
    second = project.run(1, 2)
    assert project.values() == {1: ("old",) * 3, 2: ("new",) * 3}
    assert len(project.snapshots()) == 2
    assert re.search(r"note    1 reused job of Work ran older code: .*late\.py.*, .*top\.py.*, data\.csv\n", second.err)
    project.edit("old")
    assert "note    1 reused job of Work ran older code" in project.run(1, 2).err, "the second one"
    project.env = {"XPM_SNAPSHOT": "0"}
    project.run(3)
    project.env = {}
    live = "1 reused job of Work: cannot tell whether its code has changed: it ran with live code, which is not kept\n"
    assert live in project.run(3).err


def asking(project: Project, what: str) -> Project:
    """A project whose script says what is to become of results of older code."""
    project.create("old")
    train = project.root / "train.py"
    train.write_text(train.read_text().replace("workers=1)", f"workers=1, on_code_change={what!r})"))
    return project


def test_a_job_whose_code_changed_runs_again_if_the_script_asks_for_that(project: Project) -> None:
    asking(project, "rerun").run(1, 2)
    (project.folder / "top.py").write_text("# a comment\n\nVALUE = 'old'\n")
    assert "2 done (2 reused)" in project.run(1, 2).err
    project.edit("new")
    assert "reused" not in project.run(1, 2).err
    assert project.values() == {1: ("new",) * 3, 2: ("new",) * 3}
    assert "2 done (2 reused)" in project.run(1, 2).err


def test_live_code_cannot_be_compared_and_the_report_says_so(project: Project) -> None:
    asking(project, "rerun").env = {"XPM_SNAPSHOT": "0"}
    assert "did nothing" not in project.run(1).err, "nothing was reused"
    project.edit("new")
    note = 'note    on_code_change="rerun" did nothing: live code is not kept, so it cannot be compared'
    assert note in project.run(1).err


def test_without_todays_description_the_report_says_that_nothing_was_compared(project: Project) -> None:
    project.create("old")
    train = project.root / "train.py"
    gone = "        [p.unlink() for p in Path(workspace).glob('code/snapshots/*') if 'GONE' in os.environ]\n"
    text = train.read_text().replace('        print("submitted"', gone + '        print("submitted"')
    train.write_text(text.replace("import json, sys", "import json, os, sys"))
    project.run(1)
    project.edit("new")
    project.env = {"GONE": "1"}
    assert "note    cannot tell whether the code of reused jobs has changed: " in project.run(1).err


def test_a_change_that_no_job_ran_makes_nothing_run_again(project: Project) -> None:
    asking(project, "rerun").write("top.py", "VALUE = 'old'\n\ndef unused():\n    return 1\n")
    project.run(1)
    project.write("top.py", "VALUE = 'old'\n\ndef unused():\n    return 2\n")
    again = project.run(1).err
    assert "1 done (1 reused)" in again
    assert "older code" not in again


def test_a_script_that_wants_no_older_code_gets_an_error(project: Project) -> None:
    asking(project, "error").run(1)
    project.edit("new")
    refused = project.run(1, 2, code=1).err
    assert re.search(r"ExperimentError: .*train\.py:\d+: Work/\w+ is done, and ran older code: .*top\.py", refused)
    assert re.search(r"Or accept them: .*xpm accept --experiment \w+ --why '\.\.\.'", refused)
    assert project.values() == {1: ("old",) * 3}, "nothing was submitted after it"


def test_a_class_decides_for_its_tasks(project: Project) -> None:
    project.create("old")
    train = project.root / "train.py"
    text = train.read_text()
    train.write_text(text.replace("class Work(Task):", "class Work(Task):\n    on_code_change = 'ignore'\n", 1))
    project.run(1)
    project.edit("new")
    assert "older code" not in project.run(1).err
    train.write_text(text.replace("class Work(Task):", "class Work(Task):\n    on_code_change = 'often'\n", 1))
    assert "Work.on_code_change = 'often': expected 'warn', 'rerun', 'error' or 'ignore'" in project.run(1, code=1).err


def test_a_retry_of_what_changed_takes_the_jobs_that_ran_it(project: Project) -> None:
    project.create("old")
    project.run(1, 2)
    none = xpm(project.desktop, "retry", "--changed")
    assert "No job that was selected ran code that has changed." in none.stderr
    project.edit("new")
    asked = xpm(project.desktop, "retry", "--changed")
    assert asked.stderr.count("late.py") == 2, asked.stderr
    assert "The same with --yes does it." in asked.stderr
    ran = xpm(project.desktop, "retry", "--changed", "--yes")
    assert ran.returncode == 0, ran.stderr
    project.run(1, 2)
    assert project.values() == {1: ("new",) * 3, 2: ("new",) * 3}


def test_a_retry_of_what_changed_says_which_jobs_cannot_have_todays_code(project: Project, tmp_path: Path) -> None:
    project.create("old")
    project.run(1)
    other = Project(project.desktop, tmp_path / "there" / "digits")
    other.create("theirs")
    other.run(2)
    project.edit("new")
    forget(other.root)
    ran = xpm(project.desktop, "retry", "--changed", "--yes")
    assert ran.returncode == 0, ran.stderr
    said = f"Work n=2: {other.root}: the code that the job was submitted from is gone"
    assert re.search(rf"cannot tell of \w+ {said}", ran.stderr), ran.stderr
    assert ran.stderr.count("ready again") == 1, ran.stderr
    named = xpm(project.desktop, "retry", "--changed", "n=2", "--yes")
    assert (named.returncode, "ready again" in named.stderr) == (1, False), named.stderr


def test_a_retry_of_what_changed_leaves_alone_what_never_ran_it(project: Project) -> None:
    project.create("old").write("top.py", "VALUE = 'old'\n\ndef unused():\n    return 1\n")
    project.run(1)
    project.write("top.py", "VALUE = 'old'\n\ndef unused():\n    return 2\n")
    said = xpm(project.desktop, "retry", "--changed", "n=1", "--yes").stderr
    assert "ran no code that has changed" in said, said
    assert "No job that was selected ran code that has changed." in said


def test_the_commands_that_a_report_names_work_as_they_are_copied(project: Project) -> None:
    project.create("old")
    project.run(1)
    project.edit("new")
    lines = project.run(1).err.splitlines()
    [start] = [number for number, line in enumerate(lines) if line.startswith("next    what changed: xpm diff")]
    diff, retry, accept = (shlex.split(line[line.index("xpm ") :])[1:] for line in lines[start : start + 3])
    program = str(Path(sys.executable).with_name("xpm"))

    def typed(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, *words], cwd="/", capture_output=True, text=True, stdin=subprocess.DEVNULL)

    shown = typed(*diff)
    assert shown.returncode == 0, shown.stderr
    assert "-VALUE = 'old'\n+VALUE = 'new'\n" in shown.stdout
    assert "data.csv" in shown.stdout
    assert "This would retry 1 job" in typed(*retry).stderr
    accepted = typed(*accept, "--yes")
    assert accepted.returncode == 0, accepted.stderr
    assert "No job that was selected ran code that has changed." in typed(*retry).stderr
    assert "older code" not in project.run(1).err
    assert "its result was accepted with later code: " in typed(*diff).stdout


FAILING = "VALUE = 'broken'\nraise RuntimeError('mend me')\n"


def failed(project: Project) -> str:
    """Run a task that fails for its code; returns the snapshot."""
    project.create("old")
    project.write("late.py", FAILING)
    project.run(1, code=1)
    [snapshot] = project.snapshots()
    return snapshot


def test_fix_then_run_again_works(project: Project) -> None:
    failed(project)
    project.edit("mended")
    again = project.run(1)
    assert project.values() == {1: ("mended",) * 3}
    assert len(project.snapshots()) == 2, again.err


def test_a_retry_uses_the_code_of_the_job_and_says_what_differs(project: Project) -> None:
    snapshot = failed(project)
    project.edit("mended")
    ran = xpm(project.desktop, "retry", "n=1", "--yes")
    assert ran.returncode == 0, ran.stderr
    assert "late.py" in ran.stderr + ran.stdout
    assert "--code now" in ran.stderr + ran.stdout
    project.run(2, code=0)  # a worker comes, and runs both
    wait_until(lambda: len(records(project, 1)) == 2, show=lambda: records(project, 1))
    assert set(records(project, 1)) == {snapshot}


def test_a_retry_with_code_now_takes_todays(project: Project) -> None:
    failed(project)
    project.edit("mended")
    ran = xpm(project.desktop, "retry", "n=1", "--yes", "--code", "now")
    assert ran.returncode == 0, ran.stderr
    project.run(1)
    assert project.values() == {1: ("mended",) * 3}


def records(project: Project, n: int) -> list[str]:
    """The snapshots that the records of a task name, in order."""
    for params in project.desktop.workspace.glob("jobs/*.work/*/params.json"):
        if json.loads(params.read_text())["parameters"]["n"] == n:
            files = sorted(params.parent.glob(".xpm/executions/*.json"))
            return [json.loads(file.read_text())["code"]["snapshot"] for file in files]
    return []


def test_a_retry_that_happens_by_itself_keeps_the_code(project: Project) -> None:
    project.create("old")
    once = project.desktop.folder / "once"
    project.write("late.py", f"""
        from pathlib import Path
        import time
        VALUE = "old"
        if not Path({str(once)!r}).exists():
            Path({str(once)!r}).touch()
            while not Path({str(project.gate)!r}).exists():
                time.sleep(0.005)
            raise RuntimeError("the first attempt")
    """)  # fmt: skip
    train = project.root / "train.py"
    train.write_text(train.read_text().replace("Work.C(n=tag(int(n))).submit()",
                                               "Work.C(n=tag(int(n))).submit(max_retries=1, backoff=0)"))  # fmt: skip
    script = project.start(1)
    wait_until(once.exists, show=lambda: script.err)
    project.edit("new")
    project.open_gate()
    assert script.ends() == 0, script.err
    assert project.values() == {1: ("old",) * 3}
    assert len(records(project, 1)) == 2
    assert len(project.snapshots()) == 1


def test_a_checkout_is_deleted_while_jobs_wait(project: Project) -> None:
    project.create("old").commit()
    script = project.start(1, 2, gate=True)
    project.when_submitted(script)
    forget(project.root)
    project.open_gate()
    assert script.ends() == 0, script.err
    assert project.values() == {1: ("old",) * 3, 2: ("old",) * 3}


def test_live_code_runs_the_files_as_they_are(project: Project) -> None:
    project.create("old")
    project.env = {"XPM_SNAPSHOT": "0"}
    script = project.start(1, gate=True)
    project.when_submitted(script)
    project.edit("newer")  # Python believes bytecode of the same second if the size is the same
    project.open_gate()
    assert script.ends() == 0, script.err
    assert project.values() == {1: ("newer",) * 3}
    assert project.seen()[1].file == str(project.root / "train.py")


def built_extension() -> Path:
    """A built module of the standard library, to stand for one that a project has built."""
    folder = Path(sysconfig.get_path("stdlib")) / "lib-dynload"
    found = sorted(folder.glob("_bisect.*.so")) + sorted(folder.glob("_json.*.so"))
    if not found:
        pytest.skip("this Python has its extensions built in")
    return found[0]


def test_a_built_module_that_git_ignores_and_the_script_imports_is_kept(project: Project) -> None:
    built = built_extension()
    name = built.name.partition(".")[0]
    project.folder, project.package = project.root / "digits", "digits"
    project.create("old").write("pyproject.toml", "")
    shutil.copy(built, project.folder / built.name)
    project.write("digits/_version.py", "NUMBER = '1'\n")
    project.write("digits/top.py", f"from . import {name}, _version\nVALUE = 'old' + {name}.__name__[:0]\n")
    project.write(".gitignore", "*.so\n_version.py\n")
    project.commit()
    script = project.start(1, gate=True)
    project.when_submitted(script)
    forget(project.root)
    project.open_gate()
    assert script.ends() == 0, script.err
    assert project.values() == {1: ("old",) * 3}


def test_with_a_strict_umask_all_works(project: Project) -> None:
    before = os.umask(0o077)
    try:
        project.create("old").commit()
        script = project.start(1, gate=True)
        project.when_submitted(script)
        project.edit("newer")  # Python believes bytecode of the same second if the size is the same
        project.open_gate()
        assert script.ends() == 0, script.err
    finally:
        os.umask(before)
    assert project.values() == {1: ("old",) * 3}
