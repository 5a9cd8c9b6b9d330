"""Summaries of what went wrong in a job."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import worker_tasks

from xpm_core.tracebacks.user_frames import traceback_text
from xpm_worker.job import failure


class UnshowableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def test_the_innermost_frame_of_the_user_is_named() -> None:
    try:
        worker_tasks.inner("x")
    except ValueError as error:
        summary = failure.from_error(error)
    assert (summary["type"], summary["message"]) == ("ValueError", "no good: x")
    assert (summary["file"], summary["function"]) == (worker_tasks.__file__, "inner")
    assert summary["frames"][-1]["own"]


def test_frames_of_libraries_are_not_the_users() -> None:
    try:
        json.loads("{")
    except ValueError as error:
        summary = failure.from_error(error)
    assert summary["type"] == "json.decoder.JSONDecodeError"
    assert summary["file"] == __file__
    assert [frame["own"] for frame in summary["frames"]] == [True, False, False, False]


def test_a_failure_inside_of_an_installed_package_alone_names_its_innermost_frame(tmp_path: Path) -> None:
    installed = tmp_path / "lib" / "site-packages" / "package.py"
    code = compile("raise ValueError('x')", str(installed), "exec")
    try:
        exec(code, {})
    except ValueError as error:
        error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
        summary = failure.from_error(error)
    assert summary["file"] == str(installed)
    assert not summary["frames"][0]["own"]


def test_an_error_that_cannot_be_shown_is_told_all_the_same() -> None:
    assert failure.from_error(raised(UnshowableError()))["message"] == "(its message cannot be shown: RuntimeError)"


def test_deep_recursion_is_cut() -> None:
    def deeper() -> None:
        deeper()

    with pytest.raises(RecursionError) as caught:
        deeper()
    assert len(failure.from_error(caught.value)["frames"]) == failure.MOST_FRAMES


@pytest.mark.parametrize("message", ["x" * 100_000, "é" * 100_000, "\x00" * 100_000, "😀" * 5000, "\udcff"])
def test_what_goes_to_redis_is_short(message: str) -> None:
    brief = failure.brief(failure.from_error(raised(ValueError(message))), 4000)
    assert len(json.dumps(brief)) <= 4000
    assert set(brief) == {"type", "message", "file", "line", "function"}


def test_the_log_shows_causes_and_hides_the_frames_around_the_users_code() -> None:
    try:
        try:
            worker_tasks.inner("x")
        except ValueError as error:
            raise KeyError("y") from error
    except KeyError as error:
        text = traceback_text(error)
    assert "ValueError: no good: x" in text
    assert text.rstrip().endswith("KeyError: 'y'")


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"type": "E"},
        {"type": 3, "message": "m"},
        {"type": "E", "message": "m", "line": "4"},
        {"type": "E", "message": "m", "file": ["f"]},
        {"type": "E", "message": "m", "frames": "none"},
        {"type": "E", "message": "m", "frames": [3]},
        {"type": "E", "message": "m", "frames": [{"line": 3}]},
    ],
)
def test_what_a_job_told_in_no_known_form_is_not_passed_on(told: dict[str, Any]) -> None:
    assert failure.checked(told) == failure.from_text("Unknown", "the job's report of its failure cannot be understood")


def test_what_a_job_told_in_the_known_form_is_passed_on_cut() -> None:
    told = failure.from_error(ValueError("x" * 10_000))
    assert failure.checked(told) == told
    many = [{"file": "f.py", "line": 1, "function": "f"}] * 1000
    assert len(failure.checked({"type": "E", "message": "m", "frames": many})["frames"]) == failure.MOST_FRAMES


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no groups")
def test_a_group_names_the_first_line_of_each_error_in_it() -> None:
    inner = ExceptionGroup("inner", [KeyError("b"), TypeError("c")])  # noqa: F821, Python 3.11
    group = ExceptionGroup("two fail", [ValueError("no good\nat all"), inner])  # noqa: F821
    assert failure.from_error(raised(group))["message"] == (
        "two fail (2 sub-exceptions): ValueError: no good; KeyError: 'b'; TypeError: c"
    )
    many = ExceptionGroup("many", [ValueError(str(number)) for number in range(9)])  # noqa: F821
    assert failure.from_error(raised(many))["message"].endswith("ValueError: 4; …")
    spoiled = ExceptionGroup("spoiled", [UnshowableError()])  # noqa: F821
    assert "cannot be shown" in failure.from_error(raised(spoiled))["message"]


def test_no_frame_of_the_interpreters_own_is_named() -> None:
    try:
        importlib.import_module("no_such_module_of_mine")
    except ImportError as error:
        summary = failure.from_error(error.with_traceback(error.__traceback__.tb_next.tb_next))  # type: ignore[union-attr]
    assert summary["frames"], "there are frames of the import system"
    assert (summary["file"], summary["line"]) == (None, None)
