"""The function that a file names: where it is looked for, and what it has to take."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.import_folders import forget_modules
from helpers.yaml_files import write

from xpm_core.errors import ExperimentFileError
from xpm_core.experiment_file.content import merging
from xpm_core.experiment_file.content.header import target_of
from xpm_core.experiment_file.function import Function, load

CODE = """
from xpm_core import Config, Param

class Settings(Config):
    lr: Param[float]

def run(xp, config: Settings): return 1
def later(xp, config: "Settings"): return 1
def every(xp, configs: list[Settings]): return 1
def alone(xp): return 1
def optional(xp, config: Settings, verbose=False): return 1
def more(xp, config: Settings, other): pass
def none(): pass
def bare(xp, config): pass
def plain(xp, config: dict): pass
def unknown(xp, config: "Setings"): pass
async def waits(xp, config: Settings): pass
def named(xp, *, config: Settings): pass
VALUE = 3
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The folder of the test is the current one; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    forget_modules(tmp_path)


def loaded(folder: Path, run: str = "", **files: str) -> Function:
    """The function that a file names, beside `sweep_code.py`."""
    line = f"run: {run}\n" if run else ""
    write(folder, {"sweep_code.py": CODE, **{name.replace("__", "/"): text for name, text in files.items()}})
    return load(target_of(merging.read(write(folder, {"sweep.yaml": f"experiment: e\n{line}"}))))


@pytest.mark.parametrize(
    ("name", "config", "takes_all"),
    [
        ("", "Settings", False),
        (":later", "Settings", False),
        (":every", "Settings", True),
        (":optional", "Settings", False),
        (":alone", None, False),
    ],
)
def test_a_function_says_by_its_second_parameter_what_it_takes(
    tmp_path: Path, name: str, config: str | None, takes_all: bool
) -> None:
    found = loaded(tmp_path, f"sweep_code.py{name}")
    assert (found.config and found.config.__name__, found.takes_all) == (config, takes_all)
    assert found.call(None) == 1 if config is None else found.call(None, None) == 1
    assert found.config is None or found.config.__module__ == "sweep_code"


def test_without_a_name_it_is_run_of_experiment_py(tmp_path: Path) -> None:
    write(tmp_path, {"experiment.py": "def run(xp): return 'default'\n"})
    assert loaded(tmp_path).call(None) == "default"


def test_a_module_is_found_in_the_folder_of_the_file_or_on_its_pythonpath(tmp_path: Path) -> None:
    assert loaded(tmp_path, "sweep_code:every").takes_all
    write(tmp_path, {"src/sweep_package/__init__.py": "", "src/sweep_package/inner.py": "from .other import run\n"})
    write(tmp_path, {"src/sweep_package/other.py": "def run(xp): return __name__\n"})
    file = write(tmp_path / "src" / "sweep_package", {"a.yaml": "experiment: e\nrun: sweep_package.inner\n"})
    with pytest.raises(ExperimentFileError, match=r"a\.yaml:2: run: there is no module 'sweep_package' in .*: \.\.\.$"):
        load(target_of(merging.read(file)))
    file.write_text("experiment: e\nrun: sweep_package.inner:run\npythonpath: ..\n")
    assert load(target_of(merging.read(file))).call(None) == "sweep_package.other"


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ("sweep_cod.py", "sweep.yaml:2: run: there is no file sweep_cod.py in "),
        ("sweep_code.py:runn", "run: there is no function 'runn' in sweep_code.py. Did you mean sweep_code.py:run?"),
        ("sweep_code.py:VALUE", "run: there is no function 'VALUE' in sweep_code.py. Define run(xp, config) there."),
        ("sweep-code.py", "run: sweep-code.py cannot be imported, because 'sweep-code' is no name of a module."),
        ("a b", "run: expected FILE.py, FILE.py:FUNCTION or MODULE:FUNCTION, got 'a b'."),
        ("pytest.py", "run: the module 'pytest' is "),
        ("sweep_code.py:more", "sweep_code.py:12: more(xp, config: sweep_code.Settings, other) cannot be called with"),
        ("sweep_code.py:none", "none() cannot be called with an experiment and a configuration. Write none(xp, config"),
        ("sweep_code.py:named", "cannot be called with an experiment and a configuration."),
        ("sweep_code.py:bare", "sweep_code.py:14: bare(...): its parameter 'config' declares no type."),
        ("sweep_code.py:plain", "plain: its parameter 'config' is declared as <class 'dict'>, which is no Config."),
        ("sweep_code.py:unknown", "the type 'Setings' of 'config' cannot be found (name 'Setings' is not defined)."),
        ("sweep_code.py:waits", "waits is no plain function, so a call runs nothing of it. Write def."),
    ],
)
def test_what_cannot_be_called_is_refused_with_its_line(tmp_path: Path, run: str, said: str) -> None:
    write(tmp_path, {"sweep-code.py": "", "pytest.py": ""})
    with pytest.raises(ExperimentFileError) as caught:
        loaded(tmp_path, run)
    assert said in str(caught.value)


def test_an_error_of_the_users_module_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match="nowhere_at_all"):
        loaded(tmp_path, "broken_code.py", **{"broken_code.py": "import nowhere_at_all\n"})
    with pytest.raises(ZeroDivisionError):
        loaded(tmp_path, "worse_code", **{"worse_code.py": "1 / 0\n"})
