"""Tokens: named counting resources of the Redis server.

Owns: asking for units, and creating and resizing tokens. Lua decides which job gets units (`lua/include/tokens.lua`).
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from xpm_core.errors import SettingsError, TokenClashError, TokenNameError, TokenRequestError, UnknownTokenError
from xpm_core.scalars import is_whole
from xpm_core.store import keys, scripts
from xpm_core.store.replies import text_of
from xpm_core.tracebacks.edges import edge

if TYPE_CHECKING:
    from redis import Redis


class Asking(Protocol):
    """A task, or another object that can ask for units of a token."""

    def add_dependencies(self, *dependencies: Any) -> Any: ...


AnyTask = TypeVar("AnyTask", bound=Asking)

log = logging.getLogger("xpm")

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class TokenSetCode(IntEnum):
    """The result of creating or resizing a token."""

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
    """A named counting resource: all jobs together never hold more units of it than its capacity.

    It belongs to the Redis server, so it counts across experiments and workspaces. A job that waits for a token
    occupies no worker.

    Args:
        name: Its name.
        capacity: How many units there are.

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
        """Return a demand for units; `task.add_dependencies` takes it.

        Args:
            units: How many units, from 1 to the capacity.

        Raises:
            TokenRequestError: Fewer than one unit, or more than there are.

        Example:
            learn.add_dependencies(token.dependency(2))
        """
        if not is_whole(units, 1, self.capacity):
            raise TokenRequestError(self.name, "a task", units, self.capacity)
        return TokenDependency(self, units)

    @edge
    def __call__(self, units: int, task: AnyTask) -> AnyTask:
        """Make a task ask for units while it runs.

        Args:
            units: How many units, from 1 to the capacity.
            task: A task that is not submitted yet.

        Returns:
            The task.

        Raises:
            TokenRequestError: Fewer than one unit, or more than there are.

        Example:
            token(2, learn).submit()
        """
        task.add_dependencies(self.dependency(units))
        return task


def limit_passes(client: Redis, count: int) -> None:
    """Set how often later jobs may pass one that waits for more tokens than are free, on the whole server.

    When a job was passed so often, the tokens that it waits for are kept for it. Few passes shorten the longest wait;
    many let all jobs together end sooner.

    Args:
        client: A connection to the server.
        count: How often, at least 1. A server on which it was never set counts to 200.

    Raises:
        SettingsError: The count is below 1.
    """
    if not is_whole(count, 1):
        raise SettingsError("limitpasses", f"expected an integer of at least 1, got {count!r}", "The default is 200.")
    client.set(keys.passes, count)


def resize_token(client: Redis, name: str, capacity: int) -> int:
    """Set the capacity of a token that exists; its scope and the numbering of its units stay.

    Args:
        client: A connection to the server that the token belongs to.
        name: Its name.
        capacity: How many units there are, at least 1.

    Returns:
        How many units it had before.

    Raises:
        UnknownTokenError: The server has no token of that name.
        TokenRequestError: The capacity is below 1.
    """
    if not is_whole(capacity, 1):
        raise TokenRequestError(name, "resize_token", capacity, 0)
    scope, numbered = client.hmget(keys.token(name), "scope", "units")
    if scope is None:
        raise UnknownTokenError(name, tuple(sorted(map(text_of, client.smembers(keys.tokens)))))
    _, before = scripts.run(client, "token_set", [keys.token(name)], [name, capacity, scope, numbered, ""])
    return int(before)


def check_token(name: str, capacity: int, env: str) -> None:
    """Refuse a token that cannot be created, on any server; see `create_token`."""
    if not _NAME.fullmatch(name):
        raise TokenNameError(name)
    if env and not _VARIABLE.fullmatch(env):
        raise TokenNameError(name, env)
    if not is_whole(capacity, 1):
        raise TokenRequestError(name, "createtoken", capacity, 0)


def create_token(
    client: Redis, name: str, capacity: int, *, scope: str = "server", units: bool = False, env: str = ""
) -> Token:
    """Create a token, or set the capacity of one that exists; the log says so then.

    Args:
        client: A connection to the server that the token belongs to.
        name: Letters, digits, `_`, `.` and `-`, at most 64.
        capacity: How many units there are, at least 1.
        scope: "server": all hosts share the units; "host": each worker's host has its own.
        units: Whether units are numbered. A job then learns which ones it holds.
        env: A variable of the job's environment that names its units, such as CUDA_VISIBLE_DEVICES; implies `units`.

    Raises:
        TokenNameError: The name of the token, or of the variable, cannot be used.
        TokenRequestError: The capacity is below 1.
        TokenClashError: It exists with another scope or numbering.
    """
    check_token(name, capacity, env)
    numbered = units or bool(env)
    code, before = scripts.run(
        client, "token_set", [keys.token(name)], [name, capacity, scope, int(numbered), env]
    )  # fmt: skip
    if code == TokenSetCode.OTHER:
        raise TokenClashError(name, scope, numbered)
    if code == TokenSetCode.RESIZED:
        log.warning("Token %s: resized from %d to %d units", name, before, capacity)
    return Token(name, capacity)
