"""The distribution xpm-queue: what wheel and sdist hold, and that the wheel alone runs the README's first example."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest
from helpers.project_files import PACKAGES, PROGRAMS, ROOT, require

pytestmark = pytest.mark.slow

BUILD = [sys.executable, "-m", "build", "--no-isolation"]  # `make dist` isolates it, which asks an index of packages
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
SHIPPED = (".py", ".lua", "py.typed", ".jinja", ".js", ".css", ".svg", ".LICENSE", "vendor.toml")


class Dist(NamedTuple):
    """What a build has made."""

    wheel: Path
    sdist: Path


def run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """What a program prints; a failure shows all of it."""
    result = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def build(source: Path, into: Path) -> Dist:
    """Build the sdist, and the wheel from the sdist."""
    run(*BUILD, "--outdir", into, source)
    (wheel,), (sdist,) = into.glob("*.whl"), into.glob("*.tar.gz")
    return Dist(wheel, sdist)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Dist:
    return build(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def environment(dist: Dist, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the wheel, and only what the wheel asks for."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    pip = [*PIP, "--python", str(folder / "bin" / "python"), "install", "--quiet"]
    asked = [line for line in re.findall(r"^Requires-Dist: (.*)", metadata(dist), re.M) if "extra ==" not in line]
    needs = subprocess.run([*pip, "--retries", "1", *asked], capture_output=True, text=True)
    require(needs.returncode == 0, " ".join(["what the wheel needs:", *needs.stderr.splitlines()[-1:]]))
    run(*pip, "--no-index", dist.wheel)  # so a package that the wheel does not name is not there
    return folder / "bin"


def shipped() -> set[str]:
    """The files of the three packages that users need."""
    found = (path for top in PACKAGES for path in (ROOT / top).rglob("*") if path.name.endswith(SHIPPED))
    return {path.relative_to(ROOT).as_posix() for path in found}


def metadata(dist: Dist) -> str:
    with zipfile.ZipFile(dist.wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return archive.read(name).decode()


def test_wheel_holds_the_packages_and_all_licences_and_nothing_else(dist: Dist) -> None:
    with zipfile.ZipFile(dist.wheel) as archive:
        names = set(archive.namelist())
        licences = {
            name.partition(".dist-info/licenses/")[2]: archive.read(name)
            for name in names
            if ".dist-info/licenses/" in name
        }
    assert {name for name in names if ".dist-info/" not in name} == shipped()
    others = {name for name in shipped() if name.endswith(".LICENSE")}
    assert len(others) == 2
    assert licences == {name: (ROOT / name).read_bytes() for name in {"LICENSE", *others}}
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    assert any(name.startswith("xpm_core/store/lua/include/") for name in names)


def test_sdist_holds_what_it_takes_to_build_the_wheel_and_nothing_else(dist: Dist) -> None:
    with tarfile.open(dist.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    project = {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO", ".gitignore"}
    assert names == shipped() | project


def test_same_files_give_the_same_bytes_whenever_they_were_written(dist: Dist, tmp_path: Path) -> None:
    for top in PACKAGES:
        shutil.copytree(ROOT / top, tmp_path / "copy" / top, copy_function=shutil.copyfile)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copyfile(ROOT / name, tmp_path / "copy" / name)
    again = build(tmp_path / "copy", tmp_path / "dist")
    assert [path.name for path in again] == [path.name for path in dist]
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in dist]


def test_metadata_name_the_distribution_and_refuse_no_later_python(dist: Dist) -> None:
    text = metadata(dist)
    assert re.findall(r"^Name: (.*)", text, re.M) == ["xpm-queue"]
    assert re.findall(r"^Requires-Python: (.*)", text, re.M) == [">=3.10"]


def test_no_extra_is_named_of_another_distribution() -> None:
    sources = [path for top in (*PACKAGES, "docs") for path in (ROOT / top).rglob("*") if path.suffix in (".py", ".md")]
    named = {
        match[0]
        for path in [*sources, *ROOT.glob("*.md")]
        if path.name != "CHANGELOG.md"
        for match in re.finditer(r"[\w-]*\bxpm[\w-]*\[\w+\]", path.read_text())
    }
    assert named <= {"xpm-queue[demo]", "xpm-queue[docs]", "xpm-queue[results]"}


@pytest.mark.redis
def test_wheel_alone_runs_the_first_example_of_the_readme(environment: Path, tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (tmp_path / "squares.py").write_text(example)
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "XPM_"))}
    python = environment / "python"
    where = run(python, "-c", "import xpm_core; print(xpm_core.__file__)", cwd=tmp_path, env=variables)
    assert Path(where).is_relative_to(environment.parent)
    printed = run(python, "squares.py", cwd=tmp_path, env=variables)
    assert printed.splitlines() == [f"{{'number': {n}}} {n * n}" for n in range(5)]
    assert "5 done" in run(environment / "xpm", "status", "--workspace", "workspace", cwd=tmp_path, env=variables)


@pytest.mark.parametrize("name", PROGRAMS)
def test_wheel_installs_the_programs(environment: Path, dist: Dist, name: str) -> None:
    version = dist.wheel.name.split("-")[1]
    assert run(environment / name, "--version") == f"{name}, version {version}\n"
