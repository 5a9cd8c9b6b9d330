"""Code that was damaged or changed: one clear error, or none, and no job on the wrong code."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest
from helpers.witness_projects import Project, xpm

pytestmark = [pytest.mark.redis, pytest.mark.slow]


def objects(project: Project, content: bytes) -> list[Path]:
    """The kept contents of files that hold this."""
    folder = project.desktop.workspace / "code" / "objects"
    return [path for path in folder.glob("*/*") if content in path.read_bytes()]


def host(project: Project) -> Path:
    """Where this machine has its copies."""
    return Path(os.environ["XPM_SNAPSHOT_FOLDER"])


@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_kept_content_that_is_gone_or_damaged_is_one_error_and_the_next_run_mends_it(
    project: Project, how: str
) -> None:
    project.create("old")
    script = project.start(1, gate=True)
    project.when_submitted(script)
    [content] = objects(project, b"VALUE = 'old'")
    content.chmod(0o644)
    if how == "missing":
        content.unlink()
    else:
        content.write_bytes(b"VALUE = 'bad'")
    shutil.rmtree(host(project))  # as a program does that removes old files of /tmp
    project.open_gate()
    assert script.ends() == 1
    assert ("is missing" if how == "missing" else "was damaged") in script.err, script.err
    assert "Run the script again" in script.err
    assert project.values() == {}
    project.run(1)
    assert project.values() == {1: ("old",) * 3}


def test_a_copy_that_somebody_has_changed_is_not_used(project: Project) -> None:
    project.create("old")
    script = project.start(1, 2, gate=True)
    project.when_submitted(script)
    copies = list(host(project).rglob("late.py"))
    assert copies, "the task that keeps the slot runs from it"
    for copy in copies:
        assert not copy.stat().st_mode & 0o222
        folder_mode = stat.S_IMODE(copy.parent.stat().st_mode)
        copy.parent.chmod(0o700)
        copy.chmod(0o600)
        copy.write_text("VALUE = 'bad'\n")
        copy.parent.chmod(folder_mode)
    project.open_gate()
    assert script.ends() == 0, script.err
    assert project.values() == {1: ("old",) * 3, 2: ("old",) * 3}


def test_two_scripts_at_once_take_the_same_snapshot(project: Project) -> None:
    project.create("old").commit()
    scripts = [project.start(number) for number in range(4)]
    assert [script.ends() for script in scripts] == [0] * 4, "\n".join(script.err for script in scripts)
    assert set(project.values().values()) == {("old",) * 3}
    assert len(project.values()) == 4
    assert len(project.snapshots()) == 1


def test_gc_keeps_the_code_of_jobs_and_the_code_that_a_script_has_just_taken(project: Project) -> None:
    project.create("old")
    project.run(1)
    [kept] = project.snapshots()
    for path in (project.desktop.workspace / "code").rglob("*"):
        os.utime(path, (1, 1))
    project.edit("new")
    project.run(2)
    young = project.snapshots() - {kept}
    ran = xpm(project.desktop, "gc", "--orphans", "--yes")
    assert ran.returncode == 0, ran.stderr
    left = {path.name for path in (project.desktop.workspace / "code" / "snapshots").iterdir()}
    assert left == {kept} | young
    again = xpm(project.desktop, "retry", "--yes", "n=1")
    assert again.returncode == 0, again.stderr
    project.run(2)
