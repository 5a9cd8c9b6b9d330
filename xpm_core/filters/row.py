"""A job as filters see it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from xpm_core.states import State


class Row(Protocol):
    """The facts of one job. A fact that is not known is None; only the identity is always known.

    Times are epoch seconds, 0 if that has not happened yet. A worker, host, queue, error or
    commit that a job does not have is an empty text.
    """

    @property
    def identity(self) -> str: ...

    @property
    def task(self) -> str | None:
        """The class of the task, such as `sweep:Study.Train`."""

    @property
    def name(self) -> str | None:
        """The bare name of the class, such as `Train`."""

    @property
    def state(self) -> State | None: ...

    @property
    def tags(self) -> Mapping[str, Any] | None: ...

    @property
    def params(self) -> Mapping[str, Any] | None:
        """The parameters by path, such as `optim.lr`. Values are those of `params.json`.

        A nested configuration has an entry of its own, which is the bare name of its class.
        """

    @property
    def results(self) -> Mapping[str, Any] | None:
        """What the job has reported, in one level, such as `loss.test`."""

    @property
    def experiments(self) -> Collection[str] | None: ...

    @property
    def queue(self) -> str | None: ...

    @property
    def demand(self) -> Mapping[str, int] | None:
        """The units of each token that the job asks for."""

    @property
    def worker(self) -> str | None: ...

    @property
    def host(self) -> str | None: ...

    @property
    def error_type(self) -> str | None:
        """The class of the error that the job ended with, with or without its module."""

    @property
    def code(self) -> str | None:
        """The first digits of the snapshot that it runs; "live" for code that is not kept."""

    @property
    def commit(self) -> str | None:
        """The first digits of the commit of its code, with `+` if files differed from it; empty outside of git."""

    @property
    def packages(self) -> str | None:
        """The first digits of the list of the packages that it ran with."""

    @property
    def attempts(self) -> int | None: ...

    @property
    def submitted_s(self) -> float | None: ...

    @property
    def started_s(self) -> float | None: ...

    @property
    def ended_s(self) -> float | None: ...


class _Nothing:
    """A value that is not there; `name` says why."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def __bool__(self) -> bool:
        return False


class Unknown(_Nothing):
    """The type of UNKNOWN."""


class Absent(_Nothing):
    """The type of ABSENT."""


UNKNOWN = Unknown("UNKNOWN")
"""Stands for a fact that is not known (yet)."""

ABSENT = Absent("ABSENT")
"""Stands for a value that a job does not have: it has no such tag, parameter or result, or it has not started yet."""
