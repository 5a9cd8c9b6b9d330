"""Where code lies now: a map of paths, and imports that follow it whatever leads to the roots."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.project.moved_code import UNMOVED, MovedCode

CODE = MovedCode({"/home/me": "/t/me", "/home/me/lib": "/t/lib", "/data/lib": "/t/lib"})


@pytest.mark.parametrize(
    ("live", "here"),
    [
        ("/home/me/train.py", "/t/me/train.py"),
        ("/home/me", "/t/me"),
        ("/home/me/lib/a.py", "/t/lib/a.py"),
        ("/home/me/library/a.py", "/t/me/library/a.py"),
        ("/home/meg/a.py", "/home/meg/a.py"),
        ("/data/lib/src", "/t/lib/src"),
        ("<standard>", "<standard>"),
        ("", ""),
    ],
)
def test_the_longest_root_is_replaced(live: str, here: str) -> None:
    assert CODE.here(live) == here


def test_a_path_of_the_copy_leads_back_to_the_first_root() -> None:
    assert CODE.there("/t/me/train.py") == "/home/me/train.py"
    assert CODE.there("/t/lib/a.py") == "/home/me/lib/a.py"
    assert CODE.there("/usr/lib/a.py") == "/usr/lib/a.py"


def test_root_of_the_file_system_is_a_root_too() -> None:
    assert MovedCode({"/": "/t/root"}).here("/train.py") == "/t/root/train.py"


def test_unmoved_code_is_where_it_was() -> None:
    assert UNMOVED.here("/home/me/train.py") == UNMOVED.there("/home/me/train.py") == "/home/me/train.py"


PARTS = st.lists(st.sampled_from(["a", "b", "src", "x.py"]), min_size=0, max_size=4).map("/".join)


@given(PARTS, PARTS)
def test_there_leads_back_from_here(root: str, path: str) -> None:
    code = MovedCode({f"/home/{root}".rstrip("/"): "/tmp/xpm/code/d/t", "/other": "/tmp/xpm/code/d/o"})
    for live in (f"/home/{root}/{path}".rstrip("/"), f"/other/{path}".rstrip("/"), "/elsewhere/a"):
        while "//" in live:
            live = live.replace("//", "/")
        assert code.there(code.here(live)) == live
        assert code.here(code.here(live)) == code.here(live)
    assert UNMOVED.here("/home/a") == "/home/a"


def test_a_copy_inside_of_a_root_stays_and_so_does_an_environment() -> None:
    code = MovedCode({"/tmp": "/tmp/xpm-7/code/d/tmp", "/": "/x/root"})
    assert code.here("/tmp/xpm-7/code/d/tmp/a.py") == "/tmp/xpm-7/code/d/tmp/a.py"
    assert code.here("/tmp/a.py") == "/tmp/xpm-7/code/d/tmp/a.py"
    venv = "/tmp/.venv/lib/python3.11/site-packages"
    assert code.here(venv) == venv
    assert code.here(f"{venv}/numpy/__init__.py") == f"{venv}/numpy/__init__.py"
    assert code.here(f"{sys.prefix}/bin") == f"{sys.prefix}/bin"


def test_an_environment_made_in_the_folder_of_the_project_leaves_the_project_to_move(tmp_path: Path) -> None:
    code = MovedCode({sys.prefix: "/t/digits"})
    for name in ("train.py", "src/digits/train.py", "lib/tables.py"):
        assert code.here(f"{sys.prefix}/{name}") == f"/t/digits/{name}"
    python = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for name in ("bin/xpm", f"lib/{python}/site-packages/numpy/__init__.py", f"lib/{python}/json/__init__.py"):
        assert code.here(f"{sys.prefix}/{name}") == f"{sys.prefix}/{name}"


RUN = """
import json, os, sys
from xpm_core.project.moved_code import MovedCode, redirect
BEFORE
redirect(MovedCode({LIVE: COPY}))
found = {}
for name in ("pkg", "pkg.inner", "space.part", "only"):
    try:
        module = __import__(name, fromlist=["x"])
        found[name] = module.__file__
    except ModuleNotFoundError as error:
        found[name] = f"none: {error.name}"
print(json.dumps([found, [each for each in sys.path if "live" in each], os.environ.get("PYTHONPATH")]))
"""

FINDER = """
import importlib.machinery, importlib.util
class Finder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == "space":
            spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = [f"{LIVE}/space"]
            return spec
        return importlib.machinery.PathFinder.find_spec(name, [LIVE] if path is None else path)
class Asking:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        for each in sys.meta_path:
            if each is not cls and (found := each.find_spec(name, path, target)):
                return found
sys.meta_path[:0] = [Asking, Finder]
"""


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """The live root and its copy; a module `only` lies in the first alone."""
    live, copy = tmp_path / "live", tmp_path / "copy"
    for folder in (live, copy):
        (folder / "pkg").mkdir(parents=True)
        (folder / "space").mkdir()
        for file in ("pkg/__init__.py", "pkg/inner.py", "space/part.py"):
            (folder / file).write_text("")
    (live / "only.py").write_text("")
    return live, copy


@pytest.mark.parametrize("way", ["path", "end", "link", "parent", "finder", "nothing"])
def test_modules_come_from_the_copy_whatever_leads_to_the_root(way: str, places: tuple[Path, Path]) -> None:
    live, copy = places
    (live.parent / "link").symlink_to(live)
    before = {
        "path": "sys.path.insert(0, LIVE)",
        "end": "sys.path.append(LIVE)",
        "link": f"sys.path.insert(0, {str(live.parent / 'link')!r})",
        "parent": "sys.path.insert(0, os.path.dirname(LIVE))",
        "finder": FINDER,
        "nothing": "sys.path.append(COPY)",
    }[way]
    code = RUN.replace("BEFORE", before).replace("LIVE", repr(str(live))).replace("COPY", repr(str(copy)))
    if way == "parent":
        code = code.replace('("pkg", "pkg.inner", "space.part", "only")', '("live.pkg", "live.pkg.inner", "live.only")')
    code = code.replace('f"{' + repr(str(live)) + '}/space"', repr(f"{live}/space"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not done.stderr
    found, path, _ = json.loads(done.stdout)
    expected: dict[str, Any] = {
        "pkg": f"{copy}/pkg/__init__.py",
        "pkg.inner": f"{copy}/pkg/inner.py",
        "space.part": f"{copy}/space/part.py",
        "only": "none: only",
    }
    if way == "parent":
        expected = {f"live.{name}": file for name, file in expected.items() if name != "space.part"}
        expected["live.only"] = "none: live.only"
    assert found == expected
    assert not path


def test_the_variable_of_the_environment_is_turned_for_further_processes(places: tuple[Path, Path]) -> None:
    live, copy = places
    code = RUN.replace("BEFORE", "").replace("LIVE", repr(str(live))).replace("COPY", repr(str(copy)))
    environment = {**os.environ, "PYTHONPATH": f"/nowhere:{live}"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert json.loads(done.stdout)[2] == f"/nowhere:{copy}"
