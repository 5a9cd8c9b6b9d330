"""The package itself: what importing it loads, and which names it has."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from helpers.fresh_process import run

import xpm_core
from xpm_core import errors

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


PUBLIC_MODULES = {
    "xpm_core.click": "arguments forward_all forwardoption from_options",
    "xpm_core.config": """
        LATER Bounds Config ConfigState Constant DataPath DependentMarker InstanceConfig LightweightTask Meta Param
        ParameterGroup Partial PathGenerator ResumableTask Task cache config_of copyconfig deprecate experiments
        field initializer is_configuration outputs param_group partial produced_by setmeta state state_of upstream
    """,
    "xpm_core.identity": "class_origins counted_names freeze missing partial_identity seal task_id",
}
"""The names of the modules that documents name, as they were when the documents were written."""


@pytest.mark.parametrize(("module", "names"), PUBLIC_MODULES.items())
def test_public_modules_keep_their_names(module: str, names: str) -> None:
    found = import_module(module)
    assert sorted(found.__all__) == sorted(names.split())
    assert [name for name in names.split() if not hasattr(found, name)] == []


def test_errors_keep_their_names_and_call_the_public_module_their_home() -> None:
    drawn = set(re.findall(r"^ +(\w+(?:Error|Experiment|Timeout))\b", errors.__doc__ or "", re.M))
    assert drawn == set(errors.__all__)
    for name in errors.__all__:
        error = getattr(errors, name)
        assert (error.__module__, error.__qualname__) == ("xpm_core.errors", name)


def test_the_package_keeps_its_names() -> None:
    names = """
        LATER Bounds Config Constant DataPath DependentMarker FailedExperiment GracefulTimeout InstanceConfig
        LightweightTask Meta Param PathGenerator ResumableTask Task TaskCancelled XpmError __version__ cache
        config_of connect copyconfig deprecate experiment field grid initializer load log look output param_group
        partial progress result save setmeta stop_tags tag tagspath tqdm trange
    """
    assert sorted(xpm_core.__all__) == sorted(names.split())
    assert set(names.split()) <= set(dir(xpm_core))
