"""Patterns of modules that jobs may import: which modules they name, and which files may be such a module."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import pytest
from payload_samples import sample

from xpm_core.errors import ModuleNotAllowedError, TaskImportError
from xpm_core.identity import seal
from xpm_core.language.code import allow_list
from xpm_core.language.code.allow_list import AllowList
from xpm_core.wire import payload

HERE = "payload_samples"


@pytest.mark.parametrize(
    ("pattern", "module", "named"),
    [
        ("sweep", "sweep", True),
        ("sweep", "sweep.parts", True),
        ("sweep", "sweeper", False),
        ("sweep", "os", False),
        ("models.*", "models.vision.small", True),
        ("models.*", "models", False),
        ("models*", "models_two.x", True),
        ("*", "anything", True),
        ("Sweep", "sweep", False),
        ("sweep", "", False),
        ("sweep", "my.sweep", False),
        ("x", "builtins", True),
        ("x", "xpm_core.config", True),
    ],
)
def test_a_pattern_names_a_module_and_what_lies_below(pattern: str, module: str, named: bool) -> None:
    assert AllowList([pattern]).names(module) is named


def load(allow: list[str], change: Callable[[dict[str, Any]], object] = lambda content: None) -> Any:
    """Load the sample, changed, with some modules allowed."""
    task = sample()
    content = msgpack.unpackb(payload.pack(task), strict_map_key=False)
    change(content)
    place = Path("/ws")
    data = msgpack.packb(content)
    return payload.load(data, workspace=place, identity=seal(task), jobpath=place / "jobs" / "x", allow=allow)


def test_a_payload_of_allowed_modules_is_loaded() -> None:
    assert load([HERE]).words == ["a", "b"]


def local(content: dict[str, Any], kind: str) -> list[Any]:
    """A reference of the local class of the sample."""
    records = [record["local"] for record in content["classes"] if "local" in record]
    found = [each for record in records for each in [*record["bases"], *record["names"].values()] if each[0] == kind]
    reference: list[Any] = found[0]
    return reference


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["classes"][0].update(module="os", name="system", id="os:system"),
        lambda c: c["classes"][-1].update(module="subprocess", name="Popen", id="subprocess:Popen"),
        lambda c: local(c, "function").__setitem__(slice(None), ["module", "subprocess"]),
        lambda c: local(c, "function").__setitem__(slice(None), ["attribute", "os", "system"]),
        lambda c: local(c, "function").__setitem__(slice(None), ["tuple", ["module", "os"]]),
        lambda c: local(c, "function")[1].update(module="shutil", name="rmtree"),
        lambda c: local(c, "function")[1]["names"].update(x=["module", "os.path"]),
        lambda c: local(c, "class").__setitem__(slice(None), ["alias", ["attribute", "os", "PathLike"], ["class", 0]]),
    ],
)
def test_a_module_that_is_not_allowed_is_refused_wherever_it_is_named(change: Callable[[Any], None]) -> None:
    with pytest.raises(ModuleNotAllowedError, match=f"this worker allows {HERE} only"):
        load([HERE], change)
    with pytest.raises(ModuleNotAllowedError, match="this worker allows other only"):
        load(["other"])


def test_nothing_is_imported_before_all_is_known_to_be_allowed(tmp_path: Path) -> None:
    (tmp_path / "springing.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w').close()")
    extra = {"module": "forbidden", "name": "F", "id": "forbidden:F", "file": None, "project": None}

    def change(content: dict[str, Any]) -> None:
        content["classes"][0].update(module="springing", file=str(tmp_path / "springing.py"))
        content["classes"].append(extra)

    with pytest.raises(ModuleNotAllowedError, match="forbidden"):
        load([HERE, "springing"], change)
    assert not (tmp_path / "sprung").exists()


# -- files -------------------------------------------------------------------------------------------------------------


def place(folder: Path, name: str = "good.py", mode: int = 0o644) -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("")
    file.chmod(mode)
    return file


def test_a_file_of_ones_own_that_is_named_as_its_module_is_believed(tmp_path: Path) -> None:
    assert not allow_list.distrust(str(place(tmp_path)), "good")
    assert not allow_list.distrust(str(place(tmp_path)), "pkg.good")
    assert not allow_list.distrust(str(place(tmp_path, "pkg/__init__.py")), "pkg")
    assert not allow_list.distrust(str(place(tmp_path, "my-sweep.v2.py")), "my-sweep.v2")
    assert not allow_list.distrust(str(tmp_path / "gone.py"), "good"), "it is not there: nothing can be loaded from it"


def test_a_file_of_another_name_is_not(tmp_path: Path) -> None:
    """Else the name of a module that is allowed would open any file of the machine."""
    assert allow_list.distrust(str(place(tmp_path, "evil.py")), "good") == "is named otherwise"
    assert allow_list.distrust(str(place(tmp_path, "evil/__init__.py")), "good") == "is named otherwise"


def test_a_file_that_others_can_change_is_not(tmp_path: Path) -> None:
    assert allow_list.distrust(str(place(tmp_path, mode=0o646)), "good") == "can be changed by other users"
    file = place(tmp_path / "open")
    file.parent.chmod(0o777)
    assert allow_list.distrust(str(file), "good") == "can be changed by other users"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a file away")
def test_a_file_of_another_user_is_not(tmp_path: Path) -> None:
    file = place(tmp_path)
    os.chown(file, 65534, 65534)
    assert allow_list.distrust(str(file), "good") == "can be changed by other users"


def test_a_file_that_is_not_believed_is_refused_with_the_reason(tmp_path: Path) -> None:
    file = place(tmp_path, "payload_samples.py", 0o666)
    with pytest.raises(ModuleNotAllowedError, match=rf"{file} can be changed by other users"):
        load([HERE], lambda c: c["classes"][0].update(file=str(file)))


def test_folders_that_others_can_change_are_not_imported_from(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "hidden_module.py").write_text("")
    (tmp_path / "open").chmod(0o777)

    def change(content: dict[str, Any]) -> None:
        content["folders"] = [str(tmp_path / "open")]
        content["classes"][0].update(module="hidden_module", file=None)

    with pytest.raises(TaskImportError, match="No module named 'hidden_module'"):
        load([HERE, "hidden_module"], change)


def test_nothing_is_imported_to_keep_it_from_the_project_where_some_modules_only_are_allowed() -> None:
    load([HERE], lambda content: content.update(standard={"this": False, "sndhdr": False}))
    assert not {"this", "sndhdr"} & set(sys.modules)
