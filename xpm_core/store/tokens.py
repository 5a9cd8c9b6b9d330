"""Tokens: named counting resources of the Redis server.

Owns: asking for units, creating and resizing. Who gets units when is decided in Lua (`lua/include/tokens.lua`).
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from xpm_core.errors import SettingsError, TokenClashError, TokenNameError, TokenRequestError
from xpm_core.store import keys, scripts
from xpm_core.tracebacks.edges import edge

if TYPE_CHECKING:
    from redis import Redis


class Asking(Protocol):
    """A task, or whatever else can ask for units of a token."""

    def add_dependencies(self, *dependencies: Any) -> Any: ...


AnyTask = TypeVar("AnyTask", bound=Asking)

log = logging.getLogger("xpm")

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class TokenSetCode(IntEnum):
    """What creating or resizing a token did."""

    CREATED = 1
    RESIZED = 2
    SAME = 3
    OTHER = -1


@dataclass(frozen=True)
class TokenDependency:
    """A task's demand for some units of a token. Made by `Token.dependency`."""

    token: Token
    units: int

    @property
    def name(self) -> str:
        """The token's name."""
        return self.token.name


class Token:
    """A named counting resource: jobs that hold units of it never hold more than its capacity together.

    It belongs to the Redis server, so that it holds across experiments and workspaces. A job that waits for a token
    costs no worker.

    Example:
        token = xp.connector.createtoken("cpu", 3)
        token(2, learn).submit()
    """

    def __init__(self, name: str, capacity: int) -> None:
        self.name = name
        self.capacity = capacity

    def __repr__(self) -> str:
        return f"Token({self.name!r}, {self.capacity})"

    @edge
    def dependency(self, units: int = 1) -> TokenDependency:
        """Return a demand for units, to be given to `task.add_dependencies`.

        Raises:
            TokenRequestError: Fewer than one unit, or more than there are.
        """
        if isinstance(units, bool) or not isinstance(units, int) or not 1 <= units <= self.capacity:
            raise TokenRequestError(self.name, "a task", units, self.capacity)
        return TokenDependency(self, units)

    @edge
    def __call__(self, units: int, task: AnyTask) -> AnyTask:
        """Make a task ask for units while it runs; returns the task."""
        task.add_dependencies(self.dependency(units))
        return task


def limit_passes(client: Redis, count: int) -> None:
    """Set how often later jobs may pass one that waits for more tokens than are free, on the whole server.

    A job that was passed so often has the tokens that it waits for kept for it. Few passes shorten the longest wait;
    many let a plan end sooner.

    Args:
        client: A connection to the server.
        count: At least 1; 200 unless it was set.

    Raises:
        SettingsError: The count is below 1.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise SettingsError("limitpasses", f"expected an integer of at least 1, got {count!r}", "The default is 200.")
    client.set(keys.passes, count)


def create_token(
    client: Redis, name: str, capacity: int, *, scope: str = "server", units: bool = False, env: str = ""
) -> Token:
    """Create a token, or set the capacity of one that exists (and say so in the log).

    Args:
        client: A connection to the server that it belongs to.
        name: Letters, digits, `_`, `.` and `-`, at most 64.
        capacity: How many units there are, at least 1.
        scope: "server": one pool of units; "host": each worker's host has its own.
        units: Whether units are numbered, so that each holder is told which ones it has.
        env: A variable that names them to the job, such as CUDA_VISIBLE_DEVICES; implies `units`.

    Raises:
        TokenNameError: The name cannot be used, or that of the variable.
        TokenRequestError: The capacity is below 1.
        TokenClashError: It exists with another scope or numbering.
    """
    if not _NAME.fullmatch(name):
        raise TokenNameError(name)
    if env and not _VARIABLE.fullmatch(env):
        raise TokenNameError(name, env)
    if isinstance(capacity, bool) or not isinstance(capacity, int) or capacity < 1:
        raise TokenRequestError(name, "createtoken", capacity, 0)
    numbered = units or bool(env)
    code, before = scripts.run(
        client, "token_set", [keys.token(name)], [name, capacity, scope, int(numbered), env]
    )  # fmt: skip
    if code == TokenSetCode.OTHER:
        raise TokenClashError(name, scope, numbered)
    if code == TokenSetCode.RESIZED:
        log.warning("Token %s: resized from %d to %d units", name, before, capacity)
    return Token(name, capacity)
