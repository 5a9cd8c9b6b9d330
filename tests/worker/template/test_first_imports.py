"""The first imports of a job are read in the text of its first module, as far as that does nothing but import."""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import worker_tasks

from xpm_core.errors import PayloadError
from xpm_core.project.import_path import ImportPath
from xpm_core.project.moved_code import MovedCode
from xpm_core.wire import payload
from xpm_worker.template import first_imports
from xpm_worker.template.first_imports import import_name


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of modules, and packages that are installed: `import` finds these only."""
    project, installed = tmp_path / "project", tmp_path / "site-packages"
    (installed / "fake_package").mkdir(parents=True)
    for name in ("package/__init__", "package/part", "first", "last"):
        (installed / f"fake_{name}.py").touch()
    monkeypatch.setattr(payload, "first_module", lambda data, _: (data.decode(), ImportPath([str(project)], {})))
    monkeypatch.syspath_prepend(str(installed))
    project.mkdir()
    (project / "helper.py").touch()
    yield project
    for name in [name for name in sys.modules if name.startswith("fake_")]:
        del sys.modules[name]


def of_payload(data: bytes) -> list[str]:
    with first_imports.of_payload(data) as names:
        return names


def told(project: Path, text: str, name: str = "module") -> list[str]:
    file = project.joinpath(*name.split(".")).with_suffix(".py")
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return of_payload(name.encode())


def test_imports_are_told_in_order_with_what_is_wanted_of_a_package(project: Path) -> None:
    text = '"""Doc."""\nfrom __future__ import annotations\nimport json, fake_first as f\n'
    text += "from fake_package import (\n    part, x\n)\n"
    assert told(project, text + "import fake_package.part\n\n@object\nclass Task: import fake_last\n") == [
        "fake_first", "fake_package:part", "fake_package:x", "fake_package.part",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        "import helper", "from . import helper", "from .helper import x", "import nothing_of_that_name", "x = 1",
        "try:\n    import fake_package\nexcept ImportError:\n    pass", "if True:\n    import fake_package",
        "import os; os.environ['X'] = '1'", "def f(): pass", "async def f(): pass", "class A: pass",
        "@f\ndef f(): pass", "print('hello')", "del x",
    ],
)  # fmt: skip
def test_nothing_is_told_from_where_a_module_may_do_anything_else(project: Path, statement: str) -> None:
    assert told(project, f"import fake_first\n{statement}\nimport fake_last\n") == ["fake_first"]


def test_a_package_that_is_imported_already_is_left_out(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fake_first", sys)
    assert told(project, "import fake_first\nimport fake_last") == ["fake_last"]


def test_the_packages_of_a_module_are_run_before_it(project: Path) -> None:
    (project / "own").mkdir()
    (project / "own/__init__.py").write_text("import fake_first")
    assert told(project, "import fake_last", "own.module") == ["fake_first", "fake_last"]
    (project / "own/__init__.py").write_text("import fake_first\nx = 1")
    assert told(project, "import fake_last", "own.module") == ["fake_first"]


def test_what_is_no_text_tells_nothing(project: Path) -> None:
    (project / "module.so").write_bytes(b"\x7fELF")
    (project / "folder").mkdir()
    assert [of_payload(name) for name in (b"module", b"folder", b"folder.nothing", b"nothing", b"sys", b"")] == [[]] * 6


def test_a_module_in_an_archive_is_read_as_any_other(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = project.parent / "modules.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("zipped.py", "import fake_first")
    monkeypatch.syspath_prepend(str(archive))
    assert of_payload(b"zipped") == ["fake_first"]


def test_nothing_stays_of_the_look(project: Path) -> None:
    path = sys.path[:]
    assert told(project, "import fake_first") == ["fake_first"]
    assert sys.path == path
    assert str(project) not in sys.path_importer_cache
    assert "fake_first" not in sys.modules


@pytest.mark.parametrize("variable", [None, "/nowhere"])
def test_later_jobs_are_not_led_to_the_code_of_the_first(
    variable: str | None, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, site = tmp_path / "live", tmp_path / "site-packages"
    live.mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(site), str(live)])
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if variable is not None:
        monkeypatch.setenv("PYTHONPATH", variable)
    (project / "module.py").write_text("import helper\n")
    with first_imports.of_payload(b"module", MovedCode({str(live): str(project)})):
        assert str(project) in os.environ["PYTHONPATH"].split(os.pathsep)
    assert os.environ.get("PYTHONPATH") == variable
    assert str(live) in sys.path


@pytest.mark.usefixtures("project")
def test_what_is_brought_is_what_the_statement_imports() -> None:
    import_name("fake_package:name")
    assert "fake_package.part" not in sys.modules
    import_name("fake_package:part")
    assert "fake_package.part" in sys.modules


def test_the_first_module_is_that_of_what_is_made_first() -> None:
    def content(task: Any) -> tuple[str, ImportPath]:
        return payload.first_module(payload.pack(task))

    module, path = content(worker_tasks.Write.C(note="x"))
    assert module == "worker_tasks"
    assert str(Path(worker_tasks.__file__).parent) in path.folders
    with pytest.raises(PayloadError, match="release"):
        payload.first_module(b"\x81\xa7version\x00")
