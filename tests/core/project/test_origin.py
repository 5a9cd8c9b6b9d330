"""Where classes live: their module, their file, and the project that it belongs to."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from helpers.fresh_process import run, script

from xpm_core.config import Config, Param
from xpm_core.identity import seal
from xpm_core.project.origin import origin_clash


class Holder(Config):
    value: Param[Any]


def identity(value: Any) -> str:
    return seal(Holder.C(value=value))


SWEEP = """
    import sys
    from enum import Enum
    from xpm_core.config import Config, Param, Task
    from xpm_core.identity import class_origins, seal, task_id

    class Kind(Enum):
        A = 1

    class Model(Config):
        kind: Param[Kind] = Kind.A

    class Learn(Task):
        model: Param[Model]
        def execute(self): ...

    def show():
        learn = Learn.C(model=Model.C())
        print(seal(learn), *class_origins(learn).values())

    if __name__ == "__main__":
        show()
"""


def test_name_is_the_same_run_imported_or_run_as_a_module(tmp_path: Path) -> None:
    script(tmp_path, "sweep.py", SWEEP)
    script(tmp_path, "pkg/__init__.py", "")
    script(tmp_path, "pkg/sweep.py", SWEEP)
    script(tmp_path, "pkg/__main__.py", SWEEP)
    by_file = run("sweep.py", cwd=tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert run(tmp_path / "sweep.py", cwd=elsewhere) == by_file
    assert run("-m", "sweep", cwd=tmp_path) == by_file
    assert run("-c", "import sweep; sweep.show()", cwd=tmp_path) == by_file
    assert by_file.split()[1:] == [f"{tmp_path.name}:sweep.py"] * 2
    in_package = run("-m", "pkg.sweep", cwd=tmp_path)
    assert run("-c", "import pkg.sweep; pkg.sweep.show()", cwd=tmp_path) == in_package != by_file
    assert in_package.split()[1:] == [f"{tmp_path.name}:pkg/sweep.py"] * 2
    assert run("-m", "pkg", cwd=tmp_path) == run("-c", "import pkg.__main__ as m; m.show()", cwd=tmp_path)


@pytest.mark.parametrize("how", ["-c", "-"])
def test_class_without_a_file_has_no_name(how: str, tmp_path: Path) -> None:
    code = (
        "from xpm_core.config import Config\nfrom xpm_core.identity import seal\n"
        "class Model(Config): pass\n"
        "try: seal(Model.C())\nexcept Exception as error: print(type(error).__name__, error)"
    )
    if how == "-c":
        found = run("-c", code, cwd=tmp_path)
    else:
        script(tmp_path, "stdin.py", f"exec({code!r}, {{'__name__': '__main__'}})")
        found = run("-c", f"exec({code!r})", cwd=tmp_path)
    assert found.startswith("ClassNameError Model: no other process can import this class")
    assert found.endswith("Put it into a file of its own, and import it from there.")


def origin(folder: Path, file: str) -> str:
    script(folder, file, SWEEP)
    return run(file, cwd=folder).split()[1]


def test_project_is_named_by_pyproject_then_by_the_checkout_then_by_the_folder(tmp_path: Path) -> None:
    named = tmp_path / "clone-1"
    script(named, "pyproject.toml", '[build-system]\nname = "no"\n[project]\nversion = "1"\nname = "digits"  # ours\n')
    assert origin(named, "scripts/sweep.py") == "digits:scripts/sweep.py"
    poetry = tmp_path / "clone-2"
    script(poetry, "pyproject.toml", "[tool.poetry]\nname = 'letters'\n")
    assert origin(poetry, "sweep.py") == "letters:sweep.py"
    unnamed = tmp_path / "clone-3"
    script(unnamed, "pyproject.toml", "[tool.ruff]\n")
    assert origin(unnamed, "sweep.py") == "clone-3:sweep.py"
    checkout = tmp_path / "clone-4"
    (checkout / ".git").mkdir(parents=True)
    assert origin(checkout, "a/b/sweep.py") == "clone-4:a/b/sweep.py"
    assert origin(tmp_path / "loose", "sweep.py") == "loose:sweep.py"
    installed = tmp_path / "clone-1" / ".venv" / "lib" / "site-packages"
    assert origin(installed, "pkg/sweep.py") == "site-packages:pkg/sweep.py"


def origins(folder: Path, file: str = "sweep.py") -> set[str]:
    """All names of the file that defines the class of a script, run in that folder."""
    if not (folder / file).exists():
        script(folder, file, SWEEP)
    return set(run(folder / file, cwd=folder).split()[1:])


def git(folder: Path, *words: str | Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    identity = ("-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def test_file_that_is_reached_by_a_link_has_the_name_of_its_folder_too(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "project")
    assert origins(tmp_path / "project") == {"project:sweep.py"}
    assert origins(tmp_path / "link") == {"link:sweep.py", "project:sweep.py"}
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "sweep.py").symlink_to(tmp_path / "project" / "sweep.py")
    assert "project:sweep.py" in origins(tmp_path / "runs")


def test_clones_of_one_repository_share_a_name(tmp_path: Path) -> None:
    first = tmp_path / "first"
    script(first, "a/sweep.py", SWEEP)
    git(first, "init", "--quiet")
    git(first, "add", ".")
    git(first, "commit", "--quiet", "-m", "sweep")
    git(tmp_path, "clone", "--quiet", first, "second")
    git(tmp_path / "second", "worktree", "add", "--quiet", tmp_path / "third")
    for name in ("second", "third"):
        assert origins(tmp_path / name, "a/sweep.py") == {f"{name}:a/sweep.py", "first:a/sweep.py"}
    assert origins(first, "a/sweep.py") == {"first:a/sweep.py"}
    git(first, "remote", "add", "origin", "git@Git.Example.org:lab/Digits.git")
    for name in ("first", "second", "third"):
        assert "git.example.org/lab/Digits:a/sweep.py" in origins(tmp_path / name, "a/sweep.py")
    script(tmp_path / "second", "pyproject.toml", '[project]\nname = "digits"\n')
    assert origins(tmp_path / "second", "a/sweep.py") == {"digits:a/sweep.py"}


MOVED = SWEEP.replace("class Model(Config):", "class Model(Config):\n        __xpmid__ = '{}:Model'", 1)


def test_class_that_names_its_former_module_has_the_names_of_that_wherever_it_lay(tmp_path: Path) -> None:
    assert MOVED != SWEEP
    script(tmp_path / "digits", "pyproject.toml", '[project]\nname = "digits"\n')
    script(tmp_path / "digits", "src/models.py", MOVED.format("pkg.sweep"))
    assert origins(tmp_path / "digits", "src/models.py") == {
        "digits:src/models.py",
        "digits:src/pkg/sweep.py",
        "digits:**/pkg/sweep.py",
        "digits:**/pkg/sweep/__init__.py",
    }
    installed = "digits/.venv/lib/site-packages"
    script(tmp_path / installed, "models.py", MOVED.format("sweep"))
    assert origins(tmp_path / installed, "models.py") == {"site-packages:models.py", "site-packages:sweep.py"}


def test_clash_of_a_class_that_names_its_former_module_tells_how_to_keep_its_results() -> None:
    moved = "lib:models.py\nlib:sweep.py\nlib:**/sweep.py\nlib:**/sweep/__init__.py"
    assert "[project] name = 'scripts'" in str(origin_clash("sweep:Model", "scripts:sweep.py", moved))
    assert "[project]" not in str(origin_clash("sweep:Model", "scripts:other.py", moved))
    assert "[project]" not in str(origin_clash("sweep:Model", "scripts:asweep.py", moved))


REMOTES = [
    ("https://git.example.org/lab/digits.git", "git.example.org/lab/digits"),
    ("https://anna:secret@git.example.org/lab/digits/", "git.example.org/lab/digits"),
    ("ssh://git@git.example.org:2222/lab/digits.git", "git.example.org/lab/digits"),
    ("anna@node1:/home/anna/digits", "node1/home/anna/digits"),
    ("../nowhere", None),
    ("/nowhere/at/all", None),
]


@pytest.mark.parametrize(("remote", "expected"), REMOTES)
def test_remote_repository_names_the_project(remote: str, expected: str | None, tmp_path: Path) -> None:
    git(tmp_path / "clone", "init", "--quiet")
    git(tmp_path / "clone", "config", "remote.origin.url", remote)
    names = {"clone:sweep.py"} | ({f"{expected}:sweep.py"} if expected else set())
    assert origins(tmp_path / "clone") == names


def test_repositories_that_name_each_other_end(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        git(tmp_path / name, "init", "--quiet")
        git(tmp_path / name, "config", "remote.origin.url", str(tmp_path / other))
    assert origins(tmp_path / "a") >= {"a:sweep.py"}
