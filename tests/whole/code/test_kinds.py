"""Projects of each kind: jobs import the snapshot's files, also those that are imported late, and find their data."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
from helpers.notebooks import executed
from helpers.project_files import require
from helpers.user_scripts import Desktop
from helpers.witness_projects import Project, environment, xpm

pytestmark = [pytest.mark.redis, pytest.mark.slow]

HOST = "host/code"


def edited_while_it_waits(project: Project, command: tuple[object, ...] = ()) -> str:
    """Edit all files while two tasks wait, and delete them; the tasks run as they were submitted.

    Returns:
        What the script has said.
    """
    script = project.start(1, 2, gate=True, command=command)
    project.when_submitted(script)
    project.edit("after")
    project.open_gate()
    assert script.ends() == 0, script.err
    assert project.values() == {1: ("before",) * 3, 2: ("before",) * 3}, script.err
    assert {HOST in seen.file for seen in project.seen().values()} == {True}
    assert len(project.snapshots()) == 1
    return script.err


def test_a_folder_without_git(project: Project) -> None:
    project.create("before")
    said = edited_while_it_waits(project)
    [snapshot] = project.snapshots()
    assert f"code {snapshot[:7]}: 4 files" in said


def test_a_repository_of_git_with_files_that_it_does_not_know(project: Project) -> None:
    project.create("before")
    for name in ("late.py", "data.csv"):
        (project.root / name).unlink()
    project.commit()
    project.edit("before")  # these two are not tracked
    project.write(".gitignore", "*.csv\nold/\n")
    project.write("old/unused.py", "raise SystemExit")
    script = project.start(1, gate=True)
    project.when_submitted(script)
    project.edit("after")
    project.open_gate()
    assert script.ends() == 0, script.err
    assert project.values() == {1: ("before", "before", "")}  # the file of data is ignored, so it is not there


def test_a_worktree_with_a_detached_head(project: Project) -> None:
    project.create("before").commit()
    tree = project.root.parent / "tree"
    project.git("worktree", "add", "--quiet", "--detach", tree)
    project.root = project.folder = tree
    assert (tree / ".git").is_file()
    edited_while_it_waits(project)


def test_a_submodule(project: Project, tmp_path: Path) -> None:
    library = Project(project.desktop, tmp_path / "library")
    library.write("lib.py", "VALUE = 'before'\n")
    library.commit()
    project.create("before").commit()
    project.git("submodule", "--quiet", "add", library.root, "library")
    project.write("top.py", "import sys\nfrom pathlib import Path\n"
                  "sys.path.append(str(Path(__file__).parent / 'library'))\nfrom lib import VALUE\n")  # fmt: skip
    project.commit()
    script = project.start(1, gate=True)
    project.when_submitted(script)
    project.write("library/lib.py", "VALUE = 'after'\n")
    project.open_gate()
    assert script.ends() == 0, script.err
    assert project.values() == {1: ("before", "before", "before")}


@pytest.mark.parametrize("installed", [True, False], ids=["editable", "by PYTHONPATH"])
def test_src_layout(project: Project, tmp_path: Path, installed: bool) -> None:
    project.folder, project.package = project.root / "src" / "digits", "digits"
    project.create("before").write("pyproject.toml", '[project]\nname = "digits"\nversion = "1"\n')
    source = project.root / "src"
    if installed:
        project.python = environment(tmp_path / "venv", source)
    else:
        project.env = {"PYTHONPATH": str(source)}
    project.commit()
    edited_while_it_waits(project)


def test_a_console_script_whose_folder_is_far_from_the_project(project: Project, tmp_path: Path) -> None:
    project.folder, project.package = project.root / "src" / "digits", "digits"
    project.create("before").write("pyproject.toml", '[project]\nname = "digits"\nversion = "1"\n')
    project.python = environment(tmp_path / "venv", project.root / "src")
    script = tmp_path / "venv" / "bin" / "digits-train"
    script.write_text("import sys\nfrom digits.train import main\nsys.exit(main(sys.argv[1:]))\n")
    edited_while_it_waits(project, (script,))


def test_a_package_that_is_run_as_a_module(project: Project) -> None:
    project.folder, project.package = project.root / "digits", "digits"
    project.create("before").write("pyproject.toml", "")
    edited_while_it_waits(project)


YAML = """
    workspace: {workspace}
    experiment: code
    run: train.py
    workers: 1
"""
RUN = """

def run(xp):
    for n in (1, 2):
        Work.C(n=tag(n)).submit()
"""


def test_an_experiment_of_yaml(project: Project) -> None:
    project.create("before").commit()
    train = project.root / "train.py"
    train.write_text(train.read_text() + RUN)
    file = project.write("sweep.yaml", YAML.format(workspace=project.desktop.workspace))
    ran = xpm(project.desktop, "run", file)
    assert ran.returncode == 0, ran.stderr
    assert project.values() == {1: ("before",) * 3, 2: ("before",) * 3}
    assert {HOST in seen.file for seen in project.seen().values()} == {True}
    assert len(project.snapshots()) == 1


def test_a_notebook(project: Project) -> None:
    require(importlib.util.find_spec("nbclient"), "nbclient")
    project.create("before")
    ran = executed(
        project.root,
        f"import train\nwith train.experiment({str(project.desktop.workspace)!r}, 'code', workers=1):\n"
        "    train.Work.C(n=train.tag(1)).submit()\n",
        "import top\nopen('late.py', 'w').write('VALUE = \"edited\"')\n"
        f"with train.experiment({str(project.desktop.workspace)!r}, 'code', workers=1):\n"
        "    train.Work.C(n=train.tag(2)).submit()\n",
    )
    assert [cell.error for cell in ran] == ["", ""]
    assert project.values() == {1: ("before",) * 3, 2: ("before", "edited", "before")}
    assert {HOST in seen.file for seen in project.seen().values()} == {True}
    assert len(project.snapshots()) == 2


def test_a_monorepo_with_an_editable_sibling_that_the_settings_name(project: Project, tmp_path: Path) -> None:
    mono = tmp_path / "mono"
    project.root = project.folder = mono / "app"
    project.create("before")
    sibling = Project(project.desktop, mono / "lib")
    sibling.write("pyproject.toml", '[project]\nname = "lib"\nversion = "1"\n')
    sibling.write("src/lib/__init__.py", "VALUE = 'before'\n")
    project.write("pyproject.toml", '[project]\nname = "app"\nversion = "1"\n[tool.xpm.snapshot]\nalso = ["../lib"]\n')
    project.write("late.py", "from lib import VALUE\n")
    Project(project.desktop, mono).commit()
    project.python = environment(tmp_path / "venv", sibling.root / "src")
    script = project.start(1, gate=True)
    project.when_submitted(script)
    sibling.write("src/lib/__init__.py", "VALUE = 'after'\n")
    project.write("top.py", "VALUE = 'after'\n")
    project.open_gate()
    assert script.ends() == 0, script.err
    assert project.values() == {1: ("before", "before", "before")}


def test_a_sibling_that_the_settings_do_not_name_is_said(project: Project, tmp_path: Path) -> None:
    sibling = Project(project.desktop, tmp_path / "lib")
    sibling.write("pyproject.toml", '[project]\nname = "lib"\nversion = "1"\n')
    sibling.write("src/lib/__init__.py", "VALUE = 'before'\n")
    project.create("before").write("pyproject.toml", '[project]\nname = "app"\nversion = "1"\n')
    project.write("top.py", "from lib import VALUE\n")
    project.python = environment(tmp_path / "venv", sibling.root / "src")
    said = project.run(1).err
    assert "../lib" in said
    assert "also" in said


def test_more_images_than_the_limit_beside_the_script_are_not_kept_and_that_is_said(project: Project) -> None:
    project.create("before")
    images = project.root / "images"
    for number in range(0, 10_001, 500):  # more than the limit
        folder = images / f"{number:05}"
        folder.mkdir(parents=True)
        for each in range(500):
            os.mknod(folder / f"{each}.png")
    said = edited_without_data(project)
    assert "images" in said
    assert len(list((project.desktop.workspace / "code").rglob("*"))) < 100


def edited_without_data(project: Project) -> str:
    """As `edited_while_it_waits`, but what is no Python file is not kept."""
    script = project.start(1, gate=True)
    project.when_submitted(script)
    project.edit("after")
    project.open_gate()
    assert script.ends() == 0, script.err
    [values] = project.values().values()
    assert values[:2] == ("before", "before")
    return script.err


def test_a_repository_in_the_home_folder(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    for secret in (".ssh/id_ed25519", ".netrc", ".aws/credentials", "thesis/.env"):
        path = home / secret
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("the secret of me")
    Project(project.desktop, home).git("init", "--quiet")
    monkeypatch.setenv("HOME", str(home))
    project.root = project.folder = home / "thesis"
    project.create("before")
    edited_while_it_waits(project)
    kept = [path.read_bytes() for path in (project.desktop.workspace / "code" / "objects").glob("*/*")]
    assert not [data for data in kept if b"the secret of me" in data]


def test_two_roots_in_one_run(desktop: Desktop, project: Project, tmp_path: Path) -> None:
    other = Project(desktop, tmp_path / "other")
    other.write("pyproject.toml", "")
    other.write("more.py", """
        from pathlib import Path
        from xpm_core import Param, Task

        class More(Task):
            n: Param[int]
            def execute(self):
                Path.cwd().joinpath("more.txt").write_text(__file__)
    """)  # fmt: skip
    project.create("before").write("pyproject.toml", "")
    train = project.root / "train.py"
    added = "        from more import More\n        More.C(n=1).submit()\n"
    marker = '        print("submitted"'
    train.write_text(train.read_text().replace(marker, added + marker))
    project.env = {"PYTHONPATH": str(other.root)}
    edited_while_it_waits(project)
    [said] = project.desktop.workspace.glob("jobs/*/*/more.txt")
    assert HOST in said.read_text()
