"""Compilers that may have run functions of the project, with stand-ins for their packages."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from xpm_worker.job.trace import unseen

OWN = "own_study"


def module(monkeypatch: pytest.MonkeyPatch, name: str, **content: Any) -> ModuleType:
    found = ModuleType(name)
    vars(found).update(content)
    monkeypatch.setitem(sys.modules, name, found)
    return found


@pytest.fixture(autouse=True)
def without_real_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] in ("numba", "torch", "triton", "taichi", "warp"):
            monkeypatch.delitem(sys.modules, name)


def found() -> set[str]:
    return unseen.compilers([OWN], lambda file: file == __file__)


def test_nothing_is_said_where_there_is_no_compiler() -> None:
    assert found() == set()


def test_whoever_has_numba_may_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    module(monkeypatch, "numba")
    assert found() == {"numba"}


@pytest.mark.parametrize("own", ["module", "function", "made"])
def test_a_package_of_decorators_counts_if_a_module_of_the_project_uses_it(
    monkeypatch: pytest.MonkeyPatch, own: str
) -> None:
    triton = module(monkeypatch, "triton")
    module(monkeypatch, OWN, value=1, text="triton", kind=int)
    assert found() == set()  # torch imports it, too
    jit = lambda: None  # noqa: E731
    jit.__module__ = "triton.runtime.jit"
    made = type("JITFunction", (), {"__module__": "triton.runtime.jit"})()
    module(monkeypatch, OWN, used={"module": triton, "function": jit, "made": made}[own])
    assert found() == {"triton"}


def test_an_object_in_the_place_of_a_module_may_use_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    module(monkeypatch, "triton")
    monkeypatch.setitem(sys.modules, OWN, None)  # type: ignore[arg-type]
    assert found() == {"triton"}


def test_functions_that_tensorflow_writes_anew_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    module(monkeypatch, "__autograph_generated_file8x2k")
    assert found() == {"tf.function"}


def test_an_optimizer_of_torch_imports_its_compiler_and_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    convert = module(monkeypatch, "torch._dynamo.convert_frame", FRAME_COUNTER=0)
    assert found() == set()
    convert.FRAME_COUNTER = 1  # type: ignore[attr-defined]
    assert found() == {"torch.compile"}
    convert.FRAME_COUNTER = 0  # type: ignore[attr-defined]
    module(monkeypatch, "torch._dynamo.backends.inductor")
    assert found() == {"torch.compile"}


def test_a_torch_that_cannot_be_asked_may_have_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    module(monkeypatch, "torch._dynamo.convert_frame")
    module(monkeypatch, "torch.jit._state")
    assert found() == {"torch.compile", "torch.jit"}


def test_scripts_of_torch_count_if_they_were_made_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    state = module(monkeypatch, "torch.jit._state", _jit_caching_layer={pytest.raises: "x"})
    store = SimpleNamespace(type_store={dict: []})
    module(monkeypatch, "torch.jit._recursive", concrete_type_store=store)
    assert found() == set()  # torch has some of its own
    state._jit_caching_layer[found] = "y"  # type: ignore[attr-defined]
    assert found() == {"torch.jit"}
    del state._jit_caching_layer[found]  # type: ignore[attr-defined]
    store.type_store[type("Model", (), {"__module__": OWN})] = []
    assert found() == {"torch.jit"}
