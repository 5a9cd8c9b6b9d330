"""The cells of docs/howto/notebooks.md run in a kernel, in order."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest
from helpers.documents import blocks
from helpers.notebooks import Notebook
from helpers.project_files import ROOT, require
from helpers.user_scripts import Desktop

DOCUMENT = ROOT / "docs" / "howto" / "notebooks.md"
FILES = [block for block in blocks(DOCUMENT) if block.file]
CELLS = [block.text for block in blocks(DOCUMENT) if not block.file]


@pytest.fixture
def notebook(desktop: Desktop) -> Iterator[Notebook]:
    """A notebook, and the page's files beside it."""
    require(importlib.util.find_spec("ipykernel"), "ipykernel")
    for block in FILES:
        (desktop.folder / str(block.file)).write_text(block.text)
    notebook = Notebook(desktop.folder)
    yield notebook
    notebook.close()


def run(notebook: Notebook, cell: str) -> str:
    """Run a cell; returns its error, empty if there is none."""
    found = notebook.end(notebook.begin(cell))
    return f"{found['ename']}: {found['evalue']}" if found["status"] == "error" else ""


@pytest.mark.redis
def test_cells_run_in_order(desktop: Desktop, notebook: Notebook) -> None:
    assert [run(notebook, cell) for cell in CELLS] == [""] * len(CELLS)
    assert len(list(desktop.workspace.glob("jobs/models.square/*"))) == 4
    assert run(notebook, CELLS[1]) == "", "again"
    assert list(desktop.executions().values()) == [1] * 4


@pytest.mark.redis
def test_messages_of_the_page_appear_and_their_remedies_help(desktop: Desktop, notebook: Notebook) -> None:
    models = desktop.folder / "models.py"
    submit = 'with experiment("workspace", "squares", workers=1):\n    Square.C(number=2, power=3).submit()'
    run(notebook, CELLS[0])
    assert "unknown parameter 'power'" in run(notebook, submit)
    models.write_text(models.read_text().replace("number: Param[int]", "number: Param[int]\n    power: Param[int]"))
    (reload,) = (cell for cell in CELLS if "importlib.reload" in cell)
    assert run(notebook, "old = Square") == run(notebook, reload) == run(notebook, submit) == ""
    stale = run(notebook, submit.replace("Square.C(number=2, power=3)", "old.C(number=3)"))
    assert "has no class of that name, or another one" in stale


@pytest.mark.redis
def test_autoreload_does_it_by_itself_as_the_page_says(desktop: Desktop, notebook: Notebook) -> None:
    models = desktop.folder / "models.py"
    submit = 'with experiment("workspace", "squares", workers=1):\n    Square.C(number=2, power=3).submit()'
    (autoreload,) = (cell for cell in CELLS if "%autoreload" in cell)
    run(notebook, f"{autoreload}\n{CELLS[0]}")
    models.write_text(models.read_text().replace("number: Param[int]", "number: Param[int]\n    power: Param[int]"))
    assert run(notebook, submit) == ""
