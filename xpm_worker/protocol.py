"""What a worker, its starter and a job's process say to each other.

    worker   -> starter   Run, Renewed, Stop
    starter  -> worker    Hello, Started, Relay, Output, Ended
    starter  -> job       Run
    job      -> starter   Begun, Loaded, Relay, Output, Finished
    template -> starter   Ready

Owns: the messages, and their way over a stream socket: four bytes of length, then msgpack. Whatever does
not fit is refused. Imports nothing heavy: job processes use it.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import types
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgpack

from xpm_core.errors import ProtocolError
from xpm_core.payload_form import refuse_incomplete

LARGEST_MESSAGE = 256 * 1024 * 1024
"""Bytes that a message between worker and starter may have; a larger one is refused."""

LARGEST_REPORT = 1024 * 1024
"""The same for what a job's process says."""

_LENGTH = struct.Struct("!I")
_CHUNK = 64 * 1024
_CHUNKS = 64

M = TypeVar("M")


@dataclass(frozen=True)
class Hello:
    """A starter is there. `mark` is found in the environment of all that descends from it; empty where it cannot be."""

    mark: str
    pid: int


@dataclass(frozen=True)
class Run:
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
    allow: list[str] = field(default_factory=list)
    max_log: int = 0


@dataclass(frozen=True)
class Renewed:
    """The lease goes on until `lease_until`: before it passes, another word must have come."""

    execution: str
    lease_until: float


@dataclass(frozen=True)
class Stop:
    """End the job. `reason` is cancelled, lost, killed or released; with a grace, SIGTERM comes first."""

    execution: str
    reason: str
    grace_s: float


@dataclass(frozen=True)
class Started:
    """The job's process runs, as attempt `number` of its directory."""

    execution: str
    pid: int
    number: int


@dataclass(frozen=True)
class Ready:
    """A template has imported what it was to; or jobs cannot be forked from it, for a reason.

    If it was started for the first job of a task, `modules` are those of installed packages that it has imported.
    """

    problem: str
    modules: list[str]


@dataclass(frozen=True)
class Begun:
    """The job's process is there, and has inherited so many bytes of memory. Nothing of the user's has run yet."""

    pid: int
    inherited: int


@dataclass(frozen=True)
class Loaded:
    """The job's classes are imported; `modules` are those of installed packages that came with them."""

    modules: list[str]


@dataclass(frozen=True)
class Relay:
    """Something that the job tells while it runs. Of one kind, only the latest word may arrive."""

    kind: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Output:
    """An output that the job has registered. Each one arrives, in order."""

    data: dict[str, Any]


@dataclass(frozen=True)
class Finished:
    """The last word of a job's process: whether `execute` returned, what went wrong, or that it hands itself back."""

    returned: bool
    error: dict[str, Any] | None
    handed_back: bool = False


@dataclass(frozen=True)
class Ended:
    """The job's processes are gone, and what came of it is on record. `handed_back`: that was its own wish."""

    execution: str
    reason: str
    error: dict[str, Any] | None
    exit_code: int | None
    signal: int | None
    seconds: float = field(default=0.0)
    handed_back: bool = False


Message = Hello | Run | Renewed | Stop | Started | Ready | Begun | Loaded | Relay | Output | Finished | Ended

_CLASSES: dict[str, Any] = {cls.__name__: cls for cls in get_args(Message)}


def encode(message: Message, limit: int = LARGEST_MESSAGE) -> bytes:
    """The bytes of a message, with their length in front.

    Raises:
        ProtocolError: It is too large, or holds what msgpack has no form for.
    """
    try:
        body = msgpack.packb([type(message).__name__, vars(message)])
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
        name, values = msgpack.unpackb(body, strict_map_key=True, ext_hook=_no_extension)
        cls = _CLASSES[name]
        plain, others = _form(cls)
        wrong = values.keys() ^ (plain.keys() | others.keys())
        wrong |= {key for key, kind in plain.items() if key not in wrong and type(values[key]) is not kind}
        wrong |= {key for key, hint in others.items() if key not in wrong and not _fits(values[key], hint)}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ProtocolError(f"not a message ({type(error).__name__}: {error})") from error
    if wrong:
        raise ProtocolError(f"{name} with wrong fields: {', '.join(sorted(map(str, wrong)))}")
    message: Message = cls(**values)
    return message


@cache
def _form(cls: type) -> tuple[dict[str, type], dict[str, Any]]:
    """The fields of a message: those of one plain type, which most are, and the others."""
    hints = {each.name: get_type_hints(cls)[each.name] for each in fields(cls)}
    plain = {name: hint for name, hint in hints.items() if hint in (str, int, bytes, bool)}
    return plain, {name: hint for name, hint in hints.items() if name not in plain}


def _fits(value: object, hint: Any) -> bool:
    if get_origin(hint) in (Union, types.UnionType):
        return any(_fits(value, choice) for choice in get_args(hint))
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if get_origin(hint) is list:
        return isinstance(value, list) and all(type(each) is get_args(hint)[0] for each in value)
    if get_origin(hint) is dict:
        value_hint = get_args(hint)[1]
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            return False
        return all(_plain(each) if value_hint is Any else isinstance(each, value_hint) for each in value.values())
    return type(value) is hint


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
        with contextlib.suppress(BlockingIOError):
            for _ in range(_CHUNKS):
                try:
                    data = self._sock.recv(_CHUNK)
                except ConnectionError:
                    data = b""
                if not data:
                    self.closed = True
                    break
                self._in += data
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
