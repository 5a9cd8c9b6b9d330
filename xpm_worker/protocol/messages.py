"""What a worker, its starter and a job's process say to each other.

    worker   -> starter   Run, Renewed, Stop
    starter  -> worker    Hello, Started, Relay, Output, Ended
    starter  -> job       Run
    job      -> starter   Begun, Loaded, Relay, Output, Leaving, Finished
    template -> starter   Ready

Owns: the messages, and their way over a stream socket: four bytes of length, then msgpack. Whatever does
not fit is refused. Imports nothing heavy: job processes use it.
"""

from __future__ import annotations

import socket
import struct
import types
from collections.abc import Callable, Collection
from functools import cache
from itertools import chain
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import msgpack

from xpm_core.errors import ProtocolError
from xpm_core.wire.form import refuse_incomplete

LARGEST_MESSAGE = 256 * 1024 * 1024
"""Bytes that a message between worker and starter may have; a larger one is refused."""

LARGEST_REPORT = 1024 * 1024
"""The same for what a job's process says."""

_LENGTH = struct.Struct("!I")
_CHUNK = 64 * 1024
_CHUNKS = 64


class Hello(NamedTuple):
    """A starter is there. `mark` is found in the environment of all that descends from it; empty where it cannot be."""

    mark: str
    pid: int


class Run(NamedTuple):
    """Run a job. Moments are those of the boot clock (`system.boot_time`).

    `grace_s` is how long after SIGTERM it is killed; from `ends_at` on, if that is not None, it is handed back. `allow`
    holds patterns of the modules that it may import, empty for all; `max_log`, the bytes that each log may have, 0 for
    any number.
    """

    execution: str
    identity: str
    task: str
    label: str
    workspace: str
    directory: str
    payload: bytes
    attempt: int
    resumable: bool
    template: bool
    env: dict[str, str]
    timeout_s: float | None
    lease_until: float
    worker: str
    host: str
    grace_s: float = 0.0
    ends_at: float | None = None
    allow: list[str] = []  # noqa: RUF012, nobody adds to it
    max_log: int = 0


class Renewed(NamedTuple):
    """The lease goes on until `lease_until`: before it passes, another word must have come."""

    execution: str
    lease_until: float


class Stop(NamedTuple):
    """End the job. `reason` is cancelled, lost, killed or released; with a grace, SIGTERM comes first."""

    execution: str
    reason: str
    grace_s: float


class Started(NamedTuple):
    """The job's process runs, as attempt `number` of its directory. Not told of one that ends at once."""

    execution: str
    pid: int
    number: int


class Ready(NamedTuple):
    """A template has imported what it was to; or jobs cannot be forked from it, for a reason.

    If it was started for the first job of a task, `modules` are those of installed packages that it has imported.
    """

    problem: str
    modules: list[str]


class Begun(NamedTuple):
    """The job's process is there. Nothing of the user's has run yet."""

    pid: int


class Loaded(NamedTuple):
    """The job's classes are imported; `modules` are those of installed packages that came with them."""

    modules: list[str]


class Relay(NamedTuple):
    """Something that the job tells while it runs. Of one kind, only the latest word may arrive."""

    kind: str
    data: dict[str, Any]


class Output(NamedTuple):
    """An output that the job has registered. Each one arrives, in order."""

    data: dict[str, Any]


class Leaving(NamedTuple):
    """The job's code has come to its end, its threads and exit handlers, too. What it left open is written now."""


class Finished(NamedTuple):
    """The last word of a job's process: whether `execute` returned, what went wrong, or that it hands itself back.

    `missing` is the module that was not found when the job's code was imported, `looked` where it was looked for.
    """

    returned: bool
    error: dict[str, Any] | None
    handed_back: bool = False
    missing: str = ""
    looked: str = ""


class Ended(NamedTuple):
    """The job's processes are gone, and what came of it is on record.

    `began`: there was a process of it. `handed_back`: that it ended was its own wish. If the reason is "refused",
    `missing` and `looked` are what `Finished` said.
    """

    execution: str
    reason: str
    error: dict[str, Any] | None
    exit_code: int | None
    signal: int | None
    seconds: float = 0.0
    began: bool = False
    handed_back: bool = False
    missing: str = ""
    looked: str = ""


Message = Hello | Run | Renewed | Stop | Started | Ready | Begun | Loaded | Relay | Output | Leaving | Finished | Ended

_CLASSES: dict[str, Any] = {cls.__name__: cls for cls in get_args(Message)}


def encode(message: Message, limit: int = LARGEST_MESSAGE) -> bytes:
    """The bytes of a message, with their length in front.

    Raises:
        ProtocolError: It is too large, or holds what msgpack has no form for.
    """
    try:
        body = msgpack.packb([type(message).__name__, *message])
    except (TypeError, ValueError, OverflowError) as error:
        raise ProtocolError(f"{type(message).__name__} with something unfit ({error})") from error
    if len(body) > limit:
        raise ProtocolError(f"{type(message).__name__} of {len(body)} bytes, {limit} are allowed")
    return _LENGTH.pack(len(body)) + bytes(body)


def decode(body: bytes | memoryview) -> Message:
    """A message from its bytes.

    Raises:
        ProtocolError: They are not a message, or have other fields than it has.
    """
    try:
        refuse_incomplete(body)
        name, *values = msgpack.unpackb(body, strict_map_key=True, ext_hook=_no_extension)
        cls = _CLASSES[name]
        wrong = [
            field
            for (field, kinds, fits), value in zip(_form(cls), values, strict=True)
            if type(value) not in kinds or (fits is not None and value and not fits(value))
        ]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ProtocolError(f"not a message ({type(error).__name__}: {error})") from error
    if wrong:
        raise ProtocolError(f"{name} with wrong fields: {', '.join(wrong)}")
    message: Message = cls._make(values)
    return message


@cache
def _form(cls: type) -> list[tuple[str, Collection[type], Callable[[Any], bool] | None]]:
    """The fields of a message: of each the types that a value may have, and what a list or a map must be besides."""
    return [(name, *_demands(hint)) for name, hint in get_type_hints(cls).items()]


def _demands(hint: Any) -> tuple[Collection[type], Callable[[Any], bool] | None]:
    choices = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    kinds = {get_origin(choice) or choice for choice in choices}
    items = {get_args(choice)[-1] for choice in choices if get_args(choice)}
    check = _plain if Any in items else _texts if items else None
    return kinds | {int} if float in kinds else kinds, check


def _texts(value: Any) -> bool:
    """Whether a list holds texts only, or a map texts by names."""
    return all(type(each) is str for each in (value if isinstance(value, list) else chain(value, value.values())))


def _plain(value: object) -> bool:
    """Whether JSON has a form for a value: it goes on to Redis, or into a record."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _plain(each) for key, each in value.items())
    return all(map(_plain, value)) if isinstance(value, list) else not isinstance(value, (bytes, msgpack.Timestamp))


def _no_extension(code: int, data: bytes) -> Any:
    raise ValueError(f"extension {code}")


class Channel:
    """One end of a stream socket over which messages go, without ever blocking.

    Args:
        sock: The socket.
        receives: Bytes that a message may have which comes.
        sends: The same of one that goes.

    Example:
        >>> channel.send(Hello("", os.getpid()))
        >>> for message in channel.receive(): ...
        >>> if channel.closed: ...
    """

    def __init__(self, sock: socket.socket, *, receives: int = LARGEST_MESSAGE, sends: int = LARGEST_MESSAGE) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._receives, self._sends = receives, sends
        self._in = bytearray()
        self._out = bytearray()
        self.closed = False
        """Whether the other end is gone. What it said before was still received."""

    def fileno(self) -> int:
        """Its descriptor, for poll."""
        return self._sock.fileno()

    @property
    def pending(self) -> bool:
        """Whether something waits to be sent: poll for POLLOUT, then flush."""
        return bool(self._out)

    def send(self, message: Message) -> None:
        """Send a message, or as much as goes now; `flush` sends the rest.

        Raises:
            ProtocolError: See `encode`.
        """
        self.put(message)
        self.flush()

    def put(self, message: Message) -> None:
        """Send a message with the next one, or with `flush`.

        Raises:
            ProtocolError: See `encode`.
        """
        self._out += encode(message, self._sends)

    def flush(self) -> None:
        """Send what waits, as far as it goes."""
        while self._out and not self.closed:
            try:
                sent = self._sock.send(memoryview(self._out)[:_CHUNK])
            except BlockingIOError:
                return
            except OSError:
                self.closed = True
                return
            del self._out[:sent]

    def receive(self) -> list[Message]:
        """The messages that have arrived; of very much, a part.

        Raises:
            ProtocolError: What arrived is no message; nothing more can be read.
        """
        try:
            for _ in range(_CHUNKS):
                data = self._sock.recv(_CHUNK)
                if not data:
                    self.closed = True
                    break
                self._in += data
        except BlockingIOError:
            pass
        except ConnectionError:
            self.closed = True
        return self._messages()

    def _messages(self) -> list[Message]:
        messages: list[Message] = []
        start = 0
        while len(self._in) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._in, start)
            if length > self._receives:
                raise ProtocolError(f"a message of {length} bytes, {self._receives} are allowed")
            end = start + _LENGTH.size + length
            if len(self._in) < end:
                break
            messages.append(decode(bytes(memoryview(self._in)[start + _LENGTH.size : end])))
            start = end
        del self._in[:start]
        return messages

    def close(self) -> None:
        """Close this end."""
        self.closed = True
        self._sock.close()
