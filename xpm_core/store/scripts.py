"""Load the Lua scripts and run them by their digest.

Owns: resolving `-- include:` lines, EVALSHA and its fallback. The header of each script (`lua/*.lua`) says what the
script does. `jobs.py` and `tokens.py` read the replies.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from redis.exceptions import AuthenticationError, NoScriptError, OutOfMemoryError, RedisError, ResponseError

from xpm_core.errors import RedisFullError

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")

_INCLUDE = re.compile(r"^-- include: *(.+)$", re.MULTILINE)

_NOT_LET_IN = "Protocol error: unauthenticated"
"""The reply of a server that wants a password, if the command is long."""


@cache
def source(name: str) -> str:
    """Return the whole text of a script: its flags, each included piece once, then the script itself.

    Args:
        name: The file's name under `lua/`, without `.lua`.
    """
    text = _read(f"{name}.lua")
    shebang, body = text.split("\n", 1)
    pieces: dict[str, str] = {}
    _collect(body, pieces)
    return "\n".join([shebang, *pieces.values(), body])


@cache
def digest(name: str) -> str:
    """Return the SHA-1 by which the server knows a script."""
    return hashlib.sha1(source(name).encode(), usedforsecurity=False).hexdigest()


class Line:
    """A client that keeps one connection, for one thread that runs script after script.

    A pool checks and counts each connection before it returns it. That takes as long as the script itself.
    """

    def __init__(self, client: Redis) -> None:
        self._pool = client.connection_pool
        self._connection: Any = None

    def evalsha(self, *args: Any) -> Any:
        """Run a script by its digest."""
        return self._call("EVALSHA", *args)

    def eval(self, *args: Any) -> Any:
        """Run a script by its text."""
        return self._call("EVAL", *args)

    def _call(self, *command: Any) -> Any:
        """Send a command, read the reply, and try again as the client would. After an error, connect anew."""
        if self._connection is None:
            self._connection = self._pool.get_connection()
        connection = self._connection

        def exchange() -> Any:
            connection.send_command(*command)
            return connection.read_response()

        try:
            return connection.retry.call_with_retry(exchange, lambda _: connection.disconnect())
        except BaseException:  # the next command must not read a reply that is left over
            connection.disconnect()
            raise


def run(client: Redis | Line, name: str, keys: list[str], args: list[Any]) -> Any:
    """Run a script in one round trip (two when the server does not know it yet).

    Args:
        client: A connection that returns bytes.
        name: The script.
        keys: What its header calls KEYS.
        args: What its header calls ARGV.

    Raises:
        RedisFullError: The server's memory is full; nothing was written.
        redis.AuthenticationError: The server wants a password.
        redis.ResponseError: The script refused its arguments ("XPMARG ..."); nothing was written.
    """
    try:
        try:
            return client.evalsha(digest(name), len(keys), *keys, *args)
        except NoScriptError:
            return client.eval(source(name), len(keys), *keys, *args)
    except OutOfMemoryError:
        raise RedisFullError(
            f"Redis, {name}",
            "its memory is full (maxmemory), nothing was written",
            "Raise maxmemory (CONFIG SET maxmemory), or remove old jobs; running jobs go on and can end.",
        ) from None
    except ResponseError as error:
        if str(error).startswith(_NOT_LET_IN):
            raise AuthenticationError(str(error)) from None
        raise


def run_each(client: Redis, name: str, keys: list[str], args: Iterable[list[Any]]) -> list[Any]:
    """Run a script once for each list of arguments, in order, and all of them in one round trip.

    What the server did not do because it did not know the script yet is sent again. If the connection is lost, all are
    run again, because every script can be repeated.

    Args:
        client, name, keys: As for `run`.
        args: What its header calls ARGV, for each time.

    Returns:
        For each, the reply; in its place the error, if nothing was written: a `RedisFullError`, or what `run` raises
        if the script refuses its arguments.

    Raises:
        redis.RedisError: As for `run`. What became of each is then not known.
    """
    each_args = list(args)
    replies = _replies(client, name, keys, each_args)
    if lacking := [at for at, reply in enumerate(replies) if isinstance(reply, NoScriptError)]:
        first, *others = lacking
        replies[first] = _run_again(client, name, keys, each_args[first])  # this brings the script to the server
        for at, reply in zip(others, _replies(client, name, keys, [each_args[at] for at in others]), strict=True):
            replies[at] = reply
    return [
        _run_again(client, name, keys, each) if isinstance(reply, ResponseError) else reply
        for each, reply in zip(each_args, replies, strict=True)
    ]


def _replies(client: Redis, name: str, keys: list[str], each_args: list[list[Any]]) -> list[Any]:
    with client.pipeline(transaction=False) as pipe:
        for args in each_args:
            pipe.evalsha(digest(name), len(keys), *keys, *args)
        return pipe.execute(raise_on_error=False)


def _run_again(client: Redis, name: str, keys: list[str], args: list[Any]) -> Any:
    """Run a script again where nothing was written; returns the error if it is refused again."""
    try:
        return run(client, name, keys, args)
    except (RedisFullError, ResponseError) as error:
        return error


class Sent(Generic[T]):
    """A script that was sent. Its reply is read later, so that both sides work meanwhile.

    If anything goes wrong, `reply` runs the script again, because every script can be repeated.

    Args:
        read: Converts the reply into what `reply` returns.
        client, name, keys, args: As for `run`.
    """

    def __init__(self, read: Callable[[Any], T], client: Redis, name: str, keys: list[str], args: list[Any]) -> None:
        self._read, self._again = read, partial(run, client, name, keys, args)
        self._pool = client.connection_pool
        self._connection: Any = None
        try:
            connection: Any = self._pool.get_connection()
            try:
                connection.send_command("EVALSHA", digest(name), len(keys), *keys, *args)
                self._connection = connection
            finally:
                if self._connection is None:
                    self._pool.release(connection)
        except RedisError:
            pass  # `reply` runs the script again

    def ready(self) -> bool:
        """Whether the reply is there, so that `reply` does not wait."""
        try:
            return self._connection is None or bool(self._connection.can_read())
        except RedisError:
            return True

    def reply(self) -> T:
        """Wait for the reply, and return it. Call it once. It raises the errors of `run`."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                return self._read(connection.read_response())
            except RedisError:
                pass
            finally:
                self._pool.release(connection)
        return self._read(self._again())


def _read(path: str) -> str:
    return (files(__package__) / "lua" / path).read_text("utf-8")


def _collect(text: str, pieces: dict[str, str]) -> None:
    for line in _INCLUDE.findall(text):
        for name in line.split():
            if name not in pieces:
                piece = _read(f"include/{name}.lua")
                _collect(piece, pieces)
                pieces[name] = piece
