"""The package itself: what importing it brings, and what its names are."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.fresh_process import run

HEAVY = ("redis", "rq", "click", "rich", "asyncio", "inspect", "dataclasses", "docstring_parser")


def loaded(code: str, cwd: Path) -> list[str]:
    """Which heavy modules some code has Python load."""
    return run("-c", f"{code}\nimport sys; print(*[name for name in {HEAVY} if name in sys.modules])", cwd=cwd).split()


@pytest.mark.parametrize(
    "code",
    [
        "import xpm_core",
        "import xpm_core.config",
        "from xpm_core import Config, Task, Param, Meta, field, tag, PathGenerator",
        "from xpm_core.identity import seal",
    ],
)
def test_language_loads_nothing_heavy(code: str, tmp_path: Path) -> None:
    assert loaded(code, tmp_path) == []


PUBLIC = "from xpm_core import experiment"


@pytest.mark.parametrize(
    "code",
    [
        PUBLIC,
        f"import xpm_core.script.experiment\n{PUBLIC}",
        f"{PUBLIC}\nfrom xpm_core.script import experiment as its_module\nassert its_module.experiment is experiment",
    ],
)
def test_experiment_is_the_class_however_it_is_reached(code: str, tmp_path: Path) -> None:
    assert run("-c", f"{code}\nprint(type(experiment).__name__)", cwd=tmp_path) == "type"
