"""Messages about mistakes that are easily made: they say what to write instead, not only what is wrong."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from xpm_core import grid, tag
from xpm_core.config import Config, Meta, Param, PathGenerator, Task, field
from xpm_core.errors import MissingParameterError, ParameterTypeError, YamlError


class Model(Config):
    width: Param[int] = 3
    name: Param[str] = ""
    rate: Param[float] = 0.5


class Train(Task):
    model: Param[Model]
    models: Param[list[Model]] = field(default_factory=list)
    out: Meta[Path] = field(default_factory=PathGenerator("out"))

    def execute(self) -> None:
        self.out.write_text("done")


def said(error: type[BaseException], call: Any) -> str:
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


def test_a_dict_for_a_configuration() -> None:
    given: Any = {"width": 3}
    assert said(ParameterTypeError, lambda: Train.C(model=given)).endswith(
        "Pass Model.C(width=3), or make all of it of plain values: Train.from_dict({...})."
    )
    assert said(ParameterTypeError, lambda: Train.C(model=Model.C(), models=[given])).endswith(
        "Pass Model.C(width=3), or make all of it of plain values: Train.from_dict({...})."
    )
    odd: Any = {"a b": 1, **{f"number_{number}": number for number in range(20)}}
    assert "Pass Model.C(...), or make" in said(ParameterTypeError, lambda: Train.C(model=odd))


def test_a_path_of_the_job_read_before_there_is_a_job() -> None:
    train = Train.C(model=Model.C())
    assert said(MissingParameterError, train.execute).endswith(
        "Read it once it is submitted. To run it here, for debugging: Train.C(...).instance().execute()."
    )


def test_a_tag_of_a_value_that_is_no_name() -> None:
    message = said(ParameterTypeError, lambda: tag((64, 64)))
    assert message.endswith("Tag a text, a number or an Enum, or name the tag: learn.tag('size', '64x64').")
    message = said(ParameterTypeError, lambda: list(grid({"size": [(64, 64), (256, 256)]})))
    assert message.startswith("grid(): size: (64, 64) (tuple) cannot be a tag, set at")
    assert message.endswith("""Name each: grid({"size": {"first": (64, 64), "second": ...}}).""")


def test_a_text_where_a_grid_expects_values() -> None:
    message = said(ParameterTypeError, lambda: list(grid({"model": "bert"})))
    assert message.startswith("grid(): model: expected a list of values, got 'bert' (str), set at")
    assert message.endswith("Pass ['bert'].")
    assert said(ParameterTypeError, lambda: list(grid({"layers": 3}))).endswith("Pass [3].")  # type: ignore[dict-item]
    assert said(ParameterTypeError, lambda: list(grid({"layers": b"ab"}))).endswith("Pass [b'ab'].")
    assert said(ParameterTypeError, lambda: list(grid({"model": Model.C()}))).endswith(  # type: ignore[dict-item]
        'Pass {"name": Model.C(...)}, because the tag is its name.'
    )


def test_numbers_of_yaml_that_are_meant_as_texts(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("width: 3\n\nname: 123E456\n")
    message = said(YamlError, lambda: Model.from_yaml(file))
    assert message == f'{file}:3: 123E456 is too large for a float. Quote it if it is a text: "123E456".'
    file.write_text("rate: -1e400\n")
    assert "-1e400 is too large for a float" in said(YamlError, lambda: Model.from_yaml(file))
    file.write_text("rate: -.inf\n")
    assert Model.from_yaml(file).rate == float("-inf")
    file.write_text("name: 123E4\n")
    assert said(ParameterTypeError, lambda: Model.from_yaml(file)).endswith(
        f"set at {file}:1. If it is meant as a text, quote it."
    )


def run(folder: Path, *words: str, **files: str) -> str:
    for name, text in files.items():
        (folder / name.replace("_py", ".py")).write_text(textwrap.dedent(text))
    done = subprocess.run([sys.executable, "-B", *words], cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr


SCRIPT = """
    from xpm_core import Config, Param

    class Base(Config):
        n: Param[int] = 1

    class Train(Config):
        m: Param[Base]

    if __name__ == "__main__":
        from models import Big
        Train.C(m=Big.C(n=3))
"""


def test_a_script_that_is_loaded_twice(tmp_path: Path) -> None:
    models = """
        from train import Base

        class Big(Base):
            pass
    """
    text = run(tmp_path, "train.py", train_py=SCRIPT, models_py=models)
    assert "Train.m: expected Base, got Big(n=3) (Big), set at train.py:12. train.py was loaded twice, " in text
    assert "as the script and as 'train' (models.py:2). Put Base into a module of its own." in text


def test_a_module_that_is_loaded_again(tmp_path: Path) -> None:
    base = """
        from xpm_core import Config, Param

        class Base(Config):
            n: Param[int] = 1
    """
    train = """
        from base import Base
        from xpm_core import Config, Param

        class Train(Config):
            m: Param[Base]
    """
    main = """
        import importlib, base, train
        importlib.reload(base)
        train.Train.C(m=base.Base.C())
    """
    text = run(tmp_path, "main.py", base_py=base, train_py=train, main_py=main)
    assert "Train.m: expected Base, got Base(n=1) (Base), set at main.py:4. Module 'base' was loaded again. " in text
    assert "Load the modules again that import it, or restart the kernel." in text


def test_modules_that_import_each_other(tmp_path: Path) -> None:
    first = """
        from __future__ import annotations
        import second
        from xpm_core import Config, Param

        class First(Config):
            other: Param[second.Second | None] = None
            wrong: Param[int] = 3
    """
    second = """
        from __future__ import annotations
        import first
        from xpm_core import Config, Param

        class Second(Config):
            first: Param[first.First]
    """
    code = "import first, second; print(second.Second.C(first=first.First.C()).first.wrong)"
    assert run(tmp_path, "-c", code, first_py=first, second_py=second) == "3\n"
    text = run(tmp_path, "-c", code, second_py=second.replace("first.First]", "first.Frist]"))
    assert "Second.first: the annotation 'Param[first.Frist]' cannot be resolved (module 'first' has no" in text
