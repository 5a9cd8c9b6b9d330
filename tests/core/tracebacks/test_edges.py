"""Errors show the user's own lines and one last line, and none of our lines. Scripts run as processes."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import xpm_core
from xpm_core.config import Config, Task
from xpm_core.script.experiment import experiment
from xpm_core.script.follow.callbacks import call
from xpm_core.store.connector import Connector
from xpm_core.tracebacks.callsite import format_line
from xpm_core.tracebacks.edges import is_edge

HEAD = """
from __future__ import annotations
import sys, traceback
from pathlib import Path
from xpm_core import *

class Model(Config):
    width: Param[int]
    def __validate__(self):
        assert self.width < 5, "too wide"

class Learn(Task):
    lr: Param[float]
    model: Param[Model]
    def execute(self): pass

class Fit(Task):
    model: Param[Model]
    def execute(self): pass

def doubled(config):
    return Model.C(width=config.width * 2.5)

@deprecate(Model)
class Old(Config):
    width: Param[int]
    def __convert__(self):
        return doubled(self)
"""
"""What the scripts begin with."""

GUARDED = """
class Guard:
    def __setattr__(self, name, value): super().__setattr__(name, value)
    def __delattr__(self, name): super().__delattr__(name)
class Guarded(Guard, Config):
    lr: Param[float]
guarded = Guarded.C(lr=0.1)
"""
"""A class with attribute methods of its own, as `torch.nn.Module` has."""

MISTAKES = {
    "a wrong type": 'Learn.C(lr="0.1")',
    "a wrong type assigned": 'learn = Learn.C()\nlearn.lr = "0.1"',
    "a parameter deleted": "learn = Learn.C(lr=0.1)\ndel learn.lr",
    "a wrong type assigned, in spite of other attribute methods": f"{GUARDED}guarded.lr = 'x'",
    "a parameter deleted, in spite of other attribute methods": f"{GUARDED}del guarded.lr",
    "an unknown parameter": "Learn.C(rate=3)",
    "a value without a name": "Learn.C(3)",
    "a parameter read before it has a value": "Learn.C().lr",
    "submitted outside of an experiment": "Fit.C(model=Model.C(width=1)).submit()",
    "a class that declares wrongly": "class Bad(Task):\n    x: Param[lambda: 3]",
    "a default that does not fit": "class Bad(Task):\n    x: Param[int] = 'three'",
    "a field with two defaults": "field(default=1, default_factory=list)",
    "refused by __validate__": "Fit.C(model=Model.C(width=9)).instance()",
    "missing below, at instance()": "Fit.C(model=Model.C()).instance()",
    "a dict that does not fit": 'Learn.from_dict({"lr": "high", "model": {"width": 1}})',
    "no YAML": 'Path("c.yaml").write_text("lr: [1")\nLearn.from_yaml("c.yaml")',
    "a YAML file with a wrong value": 'Path("c.yaml").write_text("model: {width: a}")\nLearn.from_yaml("c.yaml")',
    "no such YAML file": 'Learn.from_yaml("nowhere.yaml")',
    "a tag of what cannot be one": "tag([1])",
    "a grid of what cannot be tagged": 'list(grid({"v": [(1, 2)]}))',
    "copied with a wrong value": 'Learn.C().copy(lr="x")',
    "copyconfig with a wrong value": 'copyconfig(Learn.C(), lr="x")',
    "loaded from where nothing is": 'load("nowhere")',
    "no experiment's name": 'experiment("workspace", "a b")',
    "an argument that cannot work": 'experiment("workspace", "x", workers=-1)',
    "a server that is away": 'with experiment("workspace", "x", redis="redis://localhost:1"): pass',
    "a server's address that is none": 'connect("http://localhost")',
    "an experiment that is not open": 'experiment("workspace", "x").wait()',
    "an option's default that does not fit": (
        "from xpm_core.click import arguments, forwardoption\nforwardoption(arguments(Learn).lr, default='high')"
    ),
    "an option for no parameter": "from xpm_core.click import arguments, forwardoption\nforwardoption.rate(Learn)",
}


def script(folder: Path, body: str) -> Path:
    """Write a script whose main part is that."""
    guarded = textwrap.indent(textwrap.dedent(body), "    ")
    path = folder / "sweep.py"
    path.write_text(f'{HEAD}\nif __name__ == "__main__":\n{guarded}\n')
    return path


def shown(path: Path, **environment: str) -> str:
    """What a script that fails shows on stderr."""
    run = subprocess.run(
        [sys.executable, path], cwd=path.parent, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert run.returncode == 1, run.stdout + run.stderr
    return run.stderr


def ours(text: str) -> list[str]:
    """The lines of a traceback that name our files."""
    return [line for line in text.splitlines() if f"{os.sep}xpm_core{os.sep}" in line]


def assert_only_theirs(text: str, errors: int = 1) -> None:
    """Assert that no frame of ours is shown. Python 3.10 cannot drop the outermost one of each error."""
    assert len(ours(text)) <= (0 if sys.version_info >= (3, 11) else errors), text


@pytest.fixture(scope="module")
def tracebacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What `traceback.print_exc()` shows of each mistake, by its name; one process makes all of them."""
    ending = "\nexcept Exception: traceback.print_exc()\nprint('=====', file=sys.stderr)\n"
    blocks = "".join(f"try:\n{textwrap.indent(body, '    ')}{ending}" for body in MISTAKES.values())
    text = shown(script(tmp_path_factory.mktemp("mistakes"), blocks + "sys.exit(1)"))
    return dict(zip(MISTAKES, text.split("=====\n"), strict=False))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_traceback_of_a_mistake_has_the_users_lines_alone(mistake: str, tracebacks: dict[str, str]) -> None:
    text = tracebacks[mistake]
    frames = [line for line in text.splitlines() if line.startswith('  File "')]
    assert text.splitlines()[-1].startswith("xpm_core.errors."), text
    assert "sweep.py" in frames[0], text
    assert_only_theirs(text)
    assert not [frame for frame in frames if "site-packages" in frame], text


def test_mistake_that_ends_a_script_is_shown_with_its_line_alone(tmp_path: Path) -> None:
    lines = shown(script(tmp_path, 'Learn.C(lr="0.1")')).splitlines()
    assert_only_theirs("\n".join(lines))
    assert lines[0] == "Traceback (most recent call last):"
    assert 'Learn.C(lr="0.1")' in lines[2]
    assert lines[-1].startswith("xpm_core.errors.ParameterTypeError: Learn.lr: expected float, got '0.1' (str)")


def test_all_frames_are_kept_with_xpm_debug(tmp_path: Path) -> None:
    path = script(tmp_path, 'Learn.C(lr="0.1")')
    assert len(ours(shown(path, XPM_DEBUG="1"))) > 2


def test_users_own_frames_are_kept_where_ours_stand_between(tmp_path: Path) -> None:
    """`instance()` is ours, it calls the user's `__convert__`, which calls the user's function, which is wrong."""
    text = shown(script(tmp_path, "Old.C(width=1).instance()"))
    assert_only_theirs(text)
    assert [line.split(" in ")[1] for line in text.splitlines() if ", in " in line and "sweep.py" in line] == [
        "<module>",
        "__convert__",
        "doubled",
    ]


def test_chained_errors_show_no_frame_of_ours_either(tmp_path: Path) -> None:
    body = """
    try:
        Fit.C(model=Model.C(width=9)).instance()
    except XpmError as error:
        raise RuntimeError("mine") from error
    """
    text = shown(script(tmp_path, body))
    assert_only_theirs(text, errors=2)
    assert "in __validate__" in text
    assert text.count("The above exception was the direct cause of the following exception") == 2
    assert text.index("AssertionError: too wide") < text.index("ValidationError") < text.index("RuntimeError: mine")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no groups")
def test_errors_in_a_group_show_no_frame_of_ours(tmp_path: Path) -> None:
    body = """
    found = []
    for wrong in ("a", "b"):
        try:
            Learn.C(lr=wrong)
        except XpmError as error:
            found.append(error)
    raise ExceptionGroup("both", found)
    """
    text = shown(script(tmp_path, body))
    assert_only_theirs(text)
    assert "got 'a' (str)" in text
    assert "got 'b' (str)" in text


def test_pytest_shows_the_users_lines_alone(tmp_path: Path) -> None:
    path = tmp_path / "test_mine.py"
    path.write_text(HEAD + '\ndef test_mine():\n    Learn.C(lr="0.1")\n')
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", path]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 1, run.stderr
    assert "ParameterTypeError" in run.stdout
    assert_only_theirs(run.stdout)


def test_callback_that_raises_is_logged_without_our_frames(caplog: pytest.LogCaptureFixture) -> None:
    def wrong(task: object) -> None:
        raise ValueError("mine")

    call("Learn/3f2a91c", wrong, lambda: None)
    text = caplog.text
    assert "ValueError: mine" in text
    assert "in wrong" in text
    assert_only_theirs(text)


def test_fault_of_ours_on_the_way_to_a_callback_is_logged_with_all_frames(caplog: pytest.LogCaptureFixture) -> None:
    call("Learn/3f2a91c", print, lambda: format_line(None))  # type: ignore[arg-type]
    assert len(ours(caplog.text)) == 2


def test_errors_that_are_no_mistakes_keep_all_frames(tmp_path: Path) -> None:
    """A fault of ours is to be found."""
    body = "import xpm_core.language.classes.metaclass as meta\nmeta.make = lambda *given: 1 / 0\nLearn.C(lr=0.1)"
    assert len(ours(shown(script(tmp_path, body)))) == 1


# -- every way in -----------------------------------------------------------------------------------------------------

RAISES_NOTHING = {
    *("experiment.events", "Config.tags", "Task.execute", "Task.task_outputs", "Task.dependency", "Connector.close"),
    *("progress", "stop_tags", "param_group", "trange", "tagspath", "Task.remaining_time", "Config.missing"),
    *("result", "log", "output"),  # they say what is wrong, and the job goes on
    *("partial", "cache", "initializer", "Config.value_class"),  # but what they return may
    *("Connector.of_workspace", "Connector.blocking", "Connector.brief", "experiment.refuse_dry"),  # for our own use
}
"""Public functions that raise no error of ours by themselves, or are called by our code alone."""


def public_functions() -> Iterator[tuple[str, Any]]:
    """The functions that scripts call."""
    for name in xpm_core.__all__:
        if inspect.isfunction(found := getattr(xpm_core, name)):
            yield name, found
    for cls in (Config, Task, experiment, Connector):
        for name, value in vars(cls).items():
            function = getattr(value, "fget", None) or getattr(value, "__func__", value)
            if inspect.isfunction(function) and not name.startswith("_"):
                yield f"{cls.__name__}.{name}", function


def test_every_public_function_is_an_edge() -> None:
    assert {name for name, function in public_functions() if not is_edge(function)} - RAISES_NOTHING == set()


def test_what_has_no_lines_is_only_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert format_line((str(tmp_path / "sweep.yaml"), 3)) == "sweep.yaml:3"
    assert format_line((str(tmp_path / "sweep.yaml"), 0)) == "sweep.yaml"
    assert format_line(("the argument lr=0.1", 0)) == "the argument lr=0.1"
