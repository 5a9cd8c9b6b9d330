"""Packages that a template imports get the modules that they would get in a job that imports them itself."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from helpers.daemons import Crew

pytestmark = pytest.mark.redis

TASKS = """
{imports}
from pathlib import Path
from xpm_core.config import Param, Task

class Tell(Task):
    number: Param[int]

    def execute(self) -> None:
        import fake_package
        Path("whose.txt").write_text(str(fake_package.statistics.__file__))
"""


@pytest.mark.parametrize(
    "imports",
    ["import fake_package", "import fake_other, fake_package", "import telling_helper", ""],
    ids=["first", "second", "by a helper", "late"],
)
def test_a_package_gets_the_project_s_module_in_place_of_the_standard_library_s(
    crew: Crew, written: Path, installed: Path, monkeypatch: pytest.MonkeyPatch, imports: str
) -> None:
    monkeypatch.delitem(sys.modules, "statistics", raising=False)
    (installed / "fake_package.py").write_text("import statistics")
    (installed / "fake_other.py").write_text("import random")
    (written / "telling_helper.py").write_text("import fake_package")
    (written / "telling_tasks.py").write_text(TASKS.format(imports=imports))
    (written / "statistics.py").touch()
    module = importlib.import_module("telling_tasks")
    crew.started("--pythonpath", str(installed))
    tasks = [module.Tell.C(number=number) for number in range(4)]
    for task in tasks:
        crew.submit(task)
        crew.wait(task)
    whose = [(crew.directory(task).path / "whose.txt").read_text() for task in tasks]
    assert whose == [str(written / "statistics.py")] * 4
