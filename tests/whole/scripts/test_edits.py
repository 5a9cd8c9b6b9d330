"""A script is edited so that it would silently repeat done jobs: it says so, and how to keep them."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.user_scripts import Desktop, Running
from helpers.waiting import wait_until

from xpm_core.server.binary import ServerProgram

pytestmark = [pytest.mark.redis, pytest.mark.slow]

HEAD = """
    import sys
    from pathlib import Path
    from xpm_core import Config, Meta, Param, PathGenerator, Task, experiment, field
"""
MODEL = """
    class Model(Config):
        width: Param[int] = 3
"""
PREPARE = """
    class Prepare(Task):
        n: Param[int]

        def execute(self): ...
"""
TRAIN = """
    class Train(Task):
        data: Param[Prepare]
        model: Param[Model]
        n: Param[int]
        out: Meta[Path] = field(default_factory=PathGenerator("out"))

        def execute(self): ...
"""
MAIN = """
    if __name__ == "__main__":
        with experiment("workspace", "edits", workers=2):
            data = Prepare.C(n=0).submit()
            for n in range(3):
                Train.C(data=data, model=Model.C(width=n), n=n).submit()
"""


def run(desktop: Desktop, *parts: str, name: str = "sweep.py") -> Running:
    """Run a script of some parts, as it stands after an edit."""
    desktop.write(name, "".join(map(textwrap.dedent, parts)))
    return desktop.run("-B", name)


def notes(running: Running) -> list[str]:
    """What is said at the end."""
    return [line for line in running.err.splitlines() if line.startswith("note ")]


def repeated(running: Running) -> list[str]:
    """What is said when a job is submitted."""
    return [line for line in running.err.splitlines() if "a done job differs" in line]


@pytest.fixture(scope="module")
def first(server_program: ServerProgram, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a desktop whose script has run once."""
    desktop = Desktop(tmp_path_factory.mktemp("first"))
    desktop.write("pyproject.toml", '[project]\nname = "digits"\n')  # so the copies are one project
    ran = run(desktop, HEAD, MODEL, PREPARE, TRAIN, MAIN)
    assert "4 done" in ran.err
    assert notes(ran) == repeated(ran) == []
    wait_until(lambda: not desktop.server_lives())
    yield desktop.folder
    desktop.clear()


@pytest.fixture
def before(first: Path, desktop: Desktop) -> Desktop:
    """A desktop whose script has run once: a copy, as somebody copies a folder."""
    shutil.copytree(first, desktop.folder, dirs_exist_ok=True, symlinks=True)
    return desktop


def test_new_parameter_with_a_default_is_told_at_once_and_counted_at_the_end(before: Desktop) -> None:
    changed = TRAIN.replace("n: Param[int]\n", "n: Param[int]\n        power: Param[int] = 2\n")
    again = run(before, HEAD, MODEL, PREPARE, changed, MAIN)
    assert notes(again) == [
        "note    3 done jobs differ only by the new parameter Train.power=2: `field(ignore_default=2)` keeps them"
    ]
    (told,) = repeated(again)
    assert (
        "only by the new parameter Train.power=2. It runs anew; `field(ignore_default=2)` keeps what is done." in told
    )
    assert told.index("sweep.py:") < told.index("a done job differs from Train/")
    kept = run(before, HEAD, MODEL, PREPARE, changed.replace("= 2", "= field(ignore_default=2)"), MAIN)
    assert "4 reused" in kept.err
    assert notes(kept) == repeated(kept) == []


def test_new_parameter_of_a_nested_class_and_of_a_task_that_others_need_is_told(before: Desktop) -> None:
    model = MODEL + "        scales: Param[list[float]] = field(default_factory=list)\n"
    again = run(before, HEAD, model, PREPARE, TRAIN, MAIN)
    assert notes(again) == [
        "note    3 done jobs differ only by the new parameter Model.scales=[]: "
        "`ignore_default=True` in its field keeps them"
    ]
    prepare = PREPARE.replace("n: Param[int]\n", "n: Param[int]\n        seed: Param[str] = 'x'\n")
    again = run(before, HEAD, MODEL, prepare, TRAIN, MAIN)
    assert notes(again) == [
        "note    4 done jobs differ only by the new parameter Prepare.seed='x': `field(ignore_default='x')` keeps them"
    ]


def test_class_that_is_renamed_is_told_and_its_name_keeps_what_is_done(before: Desktop) -> None:
    other, main = TRAIN.replace("Train", "Fit"), MAIN.replace("Train", "Fit")
    again = run(before, HEAD, MODEL, PREPARE, other, main)
    assert notes(again) == [
        "note    3 done jobs differ only by the name of class sweep:Fit, which was sweep:Train: "
        "`__xpmid__ = 'sweep:Train'` keeps them"
    ]
    named = other.replace("data:", "__xpmid__ = 'sweep:Train'\n        data:", 1)
    assert "4 reused" in run(before, HEAD, MODEL, PREPARE, named, main).err
    model = MODEL.replace("Model", "Net")
    again = run(before, HEAD, model, PREPARE, TRAIN.replace("Model", "Net"), MAIN.replace("Model", "Net"))
    assert notes(again)[0].startswith(
        "note    3 done jobs differ only by the name of class sweep:Net, which was sweep:Model"
    )


def test_class_that_moves_to_a_module_is_told(before: Desktop) -> None:
    before.write("models.py", textwrap.dedent(HEAD + MODEL))
    again = run(before, HEAD, "    from models import Model\n", PREPARE, TRAIN, MAIN)
    assert notes(again)[0].startswith(
        "note    3 done jobs differ only by the name of class models:Model, which was sweep:Model: "
    )
    before.write(
        "models.py", textwrap.dedent(HEAD + MODEL.replace("width", "__xpmid__ = 'sweep:Model'\n        width", 1))
    )
    kept = run(before, HEAD, "    from models import Model\n", PREPARE, TRAIN, MAIN)
    assert "4 reused" in kept.err


def test_what_changes_for_more_than_one_reason_is_not_told(before: Desktop) -> None:
    two = TRAIN.replace("n: Param[int]\n", "n: Param[int]\n        a: Param[int] = 2\n        b: Param[int] = 2\n")
    assert notes(run(before, HEAD, MODEL, PREPARE, two, MAIN)) == []
    given = TRAIN.replace("n: Param[int]\n", "n: Param[int]\n        power: Param[int] = 2\n")
    main = MAIN.replace("n=n)", "n=n, power=3)")
    assert notes(run(before, HEAD, MODEL, PREPARE, given, main)) == []
    copy = TRAIN + TRAIN.replace("Train", "Fit")
    assert notes(run(before, HEAD, MODEL, PREPARE, copy, MAIN.replace("Train", "Fit"))) == [], "Train is still there"


def test_class_that_moves_to_another_import_root_keeps_what_is_done_by_its_old_name(desktop: Desktop) -> None:
    desktop.write("pyproject.toml", '[project]\nname = "digits"\n')
    first = run(desktop, HEAD, MODEL, PREPARE, TRAIN, MAIN, name="scripts/sweep.py")
    assert "4 done" in first.err
    moved = TRAIN.replace("data:", "__xpmid__ = 'sweep:Train'\n        data:", 1)
    model = MODEL.replace("width", "__xpmid__ = 'sweep:Model'\n        width", 1)
    prepare = PREPARE.replace("n:", "__xpmid__ = 'sweep:Prepare'\n        n:", 1)
    kept = run(desktop, HEAD, model, prepare, moved, MAIN, name="src/study.py")
    assert "4 reused" in kept.err


def test_dry_run_tells_it_before_anything_runs_and_makes_nothing(before: Desktop) -> None:
    changed = TRAIN.replace("n: Param[int]\n", "n: Param[int]\n        power: Param[int] = 2\n")
    files = sorted(before.folder.joinpath("workspace").rglob("*"))
    dry = run(before, HEAD, MODEL, PREPARE, changed, MAIN.replace("workers=2", "workers=2, dry_run=True"))
    assert notes(dry) == [
        "note    3 done jobs differ only by the new parameter Train.power=2: `field(ignore_default=2)` keeps them"
    ]
    assert "edits: 4 jobs: 1 reused, 3 new" in dry.err
    assert "on 2 workers, from 3 jobs of Train" in dry.err
    assert sorted(before.folder.joinpath("workspace").rglob("*")) == files, "not even a server was started"
