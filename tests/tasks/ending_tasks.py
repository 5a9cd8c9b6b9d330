"""Tasks that are asked to end while their code swallows exceptions or takes its time. A worker imports this module."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xpm_core import Param, Task, TaskCancelled

LONG_S = 2.5
"""How long it takes to save: the exception could be raised again twice meanwhile."""


def wait() -> None:
    """Say that it is time to be told to end, and wait for that."""
    Path("ready").touch()
    threading.Event().wait()


def save() -> None:
    """Take some time, and say that it is saved."""
    end = time.monotonic() + LONG_S
    while time.monotonic() < end:
        time.sleep(0.01)
    Path("saved").touch()


# -- swallowed ---------------------------------------------------------------------------------------------------------


def bare() -> None:
    try:
        wait()
    except:  # noqa: E722
        Path("swallowed").touch()


def converted() -> None:
    try:
        with contextlib.suppress(RuntimeError):
            try:
                wait()
            except BaseException as error:
                raise RuntimeError("a step failed") from error
    finally:
        Path("swallowed").touch()


class Deleted:
    def __del__(self) -> None:
        wait()


def deleted() -> None:
    Deleted()


def called_by_c() -> None:
    ctypes.CFUNCTYPE(None)(wait)()


def called_by_sqlite() -> None:
    connection = sqlite3.connect(":memory:")
    connection.create_function("wait", 0, wait)
    with contextlib.suppress(sqlite3.Error):
        connection.execute("SELECT wait()")


def raised_on() -> None:
    """Knows what it has caught, and raises it again: code in C swallows that."""

    def callback() -> None:
        try:
            wait()
        except TaskCancelled:
            Path("swallowed").touch()
            raise

    ctypes.CFUNCTYPE(None)(callback)()


async def in_background() -> None:
    """The background task is not waited for: where the exception is raised in it, nobody hears of that."""
    task = asyncio.get_running_loop().create_task(blocking())
    try:
        await asyncio.Event().wait()
    finally:
        assert isinstance(task.exception(), TaskCancelled)
        Path("swallowed").touch()


async def blocking() -> None:
    wait()


SWALLOWING: dict[str, Callable[[], Any]] = {
    "bare except": bare,
    "converted": converted,
    "__del__": deleted,
    "ctypes": called_by_c,
    "sqlite": called_by_sqlite,
    "raised on": raised_on,
    "background task": lambda: asyncio.run(in_background()),
}


class Swallowed(Task):
    """Swallows the exception once, and saves when it comes again."""

    how: Param[str]

    def execute(self) -> None:
        try:
            SWALLOWING[self.how]()
            Path("swallowed").touch()
            threading.Event().wait()
        except TaskCancelled as told:
            Path("saved").write_text(f"{told.remaining_time}")
            raise


# -- not swallowed -----------------------------------------------------------------------------------------------------


def in_handler() -> None:
    try:
        wait()
    except BaseException:
        save()
        raise


def in_nested_handler() -> None:
    try:
        wait()
    except BaseException:
        try:
            raise KeyError("no checkpoint yet")
        except KeyError:
            save()
        raise


def in_finally() -> None:
    try:
        wait()
    finally:
        save()


class Saving:
    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        save()


def in_exit() -> None:
    with Saving():
        wait()


def named() -> None:
    stopped = False
    try:
        wait()
    except TaskCancelled:
        stopped = True
    assert stopped
    save()


def named_below() -> None:
    def step() -> bool:
        try:
            wait()
        except (TaskCancelled, KeyError):
            return False
        return True

    assert not step()
    save()


ENDS = (KeyboardInterrupt, TaskCancelled)


def named_among_others() -> None:
    with contextlib.suppress(*ENDS):
        wait()
    save()


async def coroutine(how: str) -> None:
    """The main task itself runs when the signal comes; it saves while the loop goes on."""
    try:
        wait()
    except TaskCancelled:
        if how != "named in a coroutine":
            raise
        await asyncio.sleep(LONG_S)
    finally:
        await asyncio.sleep(LONG_S)
        Path("saved").touch()


async def waiting() -> None:
    """The main task is cancelled while it waits, and saves with the help of the loop."""
    try:
        Path("ready").touch()
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(LONG_S)
        Path("saved").touch()


UNDISTURBED: dict[str, Callable[[], Any]] = {
    "except": in_handler,
    "nested": in_nested_handler,
    "finally": in_finally,
    "__exit__": in_exit,
    "named": named,
    "named below": named_below,
    "named among others": named_among_others,
    "named in a coroutine": lambda: asyncio.run(coroutine("named in a coroutine")),
    "finally in a coroutine": lambda: asyncio.run(coroutine("")),
    "cancelled coroutine": lambda: asyncio.run(waiting()),
}


class Undisturbed(Task):
    """Takes longer to save than a second."""

    how: Param[str]

    def execute(self) -> None:
        told = 0
        try:
            UNDISTURBED[self.how]()
        except BaseException as error:
            told += isinstance(error, TaskCancelled)
            raise
        finally:
            Path("told").write_text(str(told))
