"""xpm's own functions and classes in payloads and identities: their names stay when modules move."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import msgpack
import pytest

from xpm_core.identity import seal
from xpm_core.project.own_names import _MOVED, is_own, present_module, recorded_module
from xpm_core.wire import payload

SAMPLE = Path(__file__).parent / "closures.py"

IDENTITIES = {
    "learn": "d7d0ec8a4d4fcb7f80819d420bb2e704c931ce18eaa9db1762aad5fb5bab1f74",
    "fast": "8ae6dfa197aecfe6f66e1fe04cdb2dcb1e475d9c7176451404792356116cc004",
    "slow": "5fc6917e5fea6e65f5d8cf5914e217a74b1cdca3fea24f6931dffb11d9819c40",
}
"""Computed by the release before the modules moved."""


@pytest.fixture
def closures(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The sample, as a module of a fixed name."""
    spec = importlib.util.spec_from_file_location("closures", SAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "closures", module)
    spec.loader.exec_module(module)
    return module


def tasks(closures: ModuleType) -> dict[str, Any]:
    return {"learn": closures.learn(), "fast": closures.chosen(True), "slow": closures.chosen(False)}


def names_in(value: Any) -> Iterator[str]:
    """All texts in a payload."""
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from names_in(each)


def test_identities_of_classes_that_use_names_of_xpm_stay(closures: ModuleType) -> None:
    assert {name: seal(task) for name, task in tasks(closures).items()} == IDENTITIES


def test_payloads_name_the_modules_of_the_first_release(closures: ModuleType) -> None:
    texts = {text for task in tasks(closures).values() for text in names_in(msgpack.unpackb(payload.pack(task)))}
    named = {text.partition(":")[0] for text in texts if text.startswith("xpm_core.")}
    assert named <= {*_MOVED, "xpm_core.config.base", "xpm_core.errors"}
    assert named >= {"xpm_core.config.fields", "xpm_core.config.methods", "xpm_core.job", "xpm_core.reporting"}


def test_payloads_that_name_them_are_read(closures: ModuleType, tmp_path: Path) -> None:
    for name, task in tasks(closures).items():
        data = payload.pack(task)
        jobpath = tmp_path / "jobs" / "closures.Task" / name
        live = payload.load(data, workspace=tmp_path, identity=IDENTITIES[name], jobpath=jobpath)
        assert type(live).__qualname__ == type(task).__qualname__
        assert type(live) is not type(task)


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in _MOVED.items() for name in names])
def test_every_name_is_found_and_recorded_as_before(module: str, name: str) -> None:
    now = present_module(module, name)
    assert hasattr(import_module(now), name)
    assert recorded_module(now, name) == module
    found = getattr(import_module(now), name)
    home = getattr(found, "__module__", now)
    assert home == now or not is_own(home), "the table names the module that defines it"


def test_public_functions_and_classes_are_all_recorded_by_a_name_that_stays() -> None:
    import xpm_core

    kept = {
        *_MOVED,
        "xpm_core.config.base",
        "xpm_core.config.deprecation",
        "xpm_core.errors",
        "xpm_core.job.reporting.metrics",
        "xpm_core.job.reporting.results",
        "xpm_core.reading.look",
        "xpm_core.store.connector",
    }
    for name in {*xpm_core.__all__} - {"__version__"}:
        found = getattr(xpm_core, name)
        module = getattr(found, "__module__", "typing")
        assert not is_own(module) or recorded_module(module, name) in kept, f"{name} has moved to {module}"


def test_a_module_of_xpm_is_never_loaded_from_a_file_of_the_payload(closures: ModuleType, tmp_path: Path) -> None:
    other = tmp_path / "xpm_core" / "config" / "base.py"
    other.parent.mkdir(parents=True)
    other.write_text("raise SystemExit('another release was loaded')\n")
    content = msgpack.unpackb(payload.pack(closures.chosen(True)))
    for record in content["classes"]:
        if record["module"] == "xpm_core.config.base":
            record["file"], record["project"] = str(other), "other:xpm_core/config/base.py"
    jobpath = tmp_path / "jobs" / "closures.Task" / "fast"
    live = payload.load(msgpack.packb(content), workspace=tmp_path, identity=IDENTITIES["fast"], jobpath=jobpath)
    assert type(live).__name__ == "Chosen"
