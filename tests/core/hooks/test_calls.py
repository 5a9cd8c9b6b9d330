"""Calling hooks: none of them fails its caller, or makes it wait for long."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from xpm_core.hooks.calls import Hooks

released = threading.Event()


def good(word: str) -> str:
    return word.upper()


def raises(word: str) -> None:
    raise ValueError(f"no {word}")


def leaves(word: str) -> None:
    raise SystemExit(3)


def hangs(word: str) -> str:
    released.wait()
    return word


nothing = None


@pytest.fixture(autouse=True)
def release() -> Iterator[None]:
    released.clear()
    yield
    released.set()


def hooks_of(*functions: str, name: str = "job_ended") -> Hooks:
    return Hooks(lambda: [EntryPoint(name, f"{__name__}:{each}", "xpm.hooks") for each in functions])


def called(hooks: Hooks, limit_s: float = 5.0) -> list[Any]:
    """What the hooks return."""
    return [returned for _, returned in hooks.call("job_ended", "word", limit_s=limit_s)]


def test_what_hooks_return_is_returned() -> None:
    assert called(hooks_of("good", "good")) == ["WORD", "WORD"]
    assert called(Hooks(list)) == []


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("raises", "raised ValueError: no word"),
        ("leaves", "raised SystemExit: 3"),
        ("nothing", "expected a function, got NoneType"),
        ("missing", "raised AttributeError"),
    ],
)
def test_a_hook_that_fails_is_logged_and_the_others_are_called(
    function: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert called(hooks_of(function, "good")) == ["WORD"]
    assert said in caplog.text
    assert f"hook job_ended ({__name__}:{function})" in caplog.text


def test_a_hook_that_cannot_be_imported_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    hooks = hooks_of("missing")
    assert (called(hooks), called(hooks)) == ([], [])
    assert len(caplog.records) == 1


def test_a_hook_that_hangs_is_left_alone_and_not_called_again_before_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    hooks = hooks_of("hangs", "good")
    assert called(hooks, 0.05) == ["WORD"]
    assert "left alone, because it takes more than 0.05 s" in caplog.text
    assert called(hooks, 0.05) == ["WORD"]
    assert "an earlier call of it has not ended" in caplog.text
    released.set()
    for thread in threading.enumerate():
        if "hangs" in thread.name:
            thread.join()
    assert called(hooks) == ["word", "WORD"]


def test_an_unknown_hook_is_named_with_those_that_there_are(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert not hooks_of("good", name="job_endet").any("job_ended")
    assert "job_endet is no hook of xpm. Known are: job_environment, job_ended, run_ended" in caplog.text
