"""Messages between worker, starter and job: each arrives as it was sent, and bytes that are no message are refused."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.errors import ProtocolError
from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.codec import LARGEST_MESSAGE, decode, encode
from xpm_worker.protocol.messages import (
    AttemptEnded,
    AttemptStarted,
    ClosingFiles,
    Hello,
    LeaseRenewed,
    Message,
    RunJob,
    StatusUpdate,
    StopJob,
    TaskFinished,
)

RUN = RunJob(
    execution="e1",
    identity="0" * 64,
    task="m:T",
    label="T/0000000",
    workspace="/w",
    directory="jobs/m.t/00",
    payload=b"\x00\xff",
    attempt=1,
    resumable=False,
    template=True,
    env={"A": "b"},
    timeout_s=None,
    lease_until=12.5,
    worker="w",
    host="h",
)
MESSAGES: list[Message] = [
    Hello("", 1),
    RUN,
    LeaseRenewed("e1", 1.5),
    StopJob("e1", "cancelled", 0.0),
    AttemptStarted("e1", 2, 1),
    StatusUpdate("progress", {"fraction": 0.5, "more": [1, None]}),
    TaskFinished(False, {"type": "ValueError"}),
    TaskFinished(True, None),
    ClosingFiles(),
    AttemptEnded("e1", "failed", None, None, 9, 0.25),
]


@pytest.fixture
def pair() -> Iterator[tuple[Channel, Channel, socket.socket]]:
    """Two ends, and the socket of the first."""
    left, right = socket.socketpair()
    ends = Channel(left), Channel(right)
    yield (*ends, left)
    for end in ends:
        end.close()


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_arrives_as_it_was_sent(pair: tuple[Channel, Channel, socket.socket], message: Message) -> None:
    pair[0].send(message)
    [received] = pair[1].receive()
    assert (type(received), received) == (type(message), message)


def test_messages_arrive_in_order_however_they_are_cut(pair: tuple[Channel, Channel, socket.socket]) -> None:
    data = b"".join(map(encode, MESSAGES))
    received: list[Message] = []
    for start in range(0, len(data), 7):
        pair[2].send(data[start : start + 7])
        received += pair[1].receive()
    assert received == MESSAGES


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        msgpack.packb("Hello"),
        msgpack.packb(["Unknown"]),
        msgpack.packb([]),
        msgpack.packb({"Hello": 1}),
        msgpack.packb(["Hello", "m"]),
        msgpack.packb(["Hello", "m", "1"]),
        msgpack.packb(["Hello", "m", True]),
        msgpack.packb(["Hello", "m", 1, 1]),
        msgpack.packb(["Hello", {"mark": "m", "pid": 1}]),
        msgpack.packb(["StatusUpdate", "x", [1]]),
        msgpack.packb(["LeaseRenewed", "e", None]),
        msgpack.packb([["Hello"], "m", 1]),
        msgpack.packb(["TaskLoaded", ["m", 1]]),
        msgpack.packb(["RunJob", *RUN._replace(env={"A": 1})]),  # type: ignore[dict-item]
        msgpack.packb(["RunJob", *RUN._replace(allow=[b"m"])]),  # type: ignore[list-item]
        msgpack.packb(["StatusUpdate", "x", {"x": b"bytes"}]),
        msgpack.packb(["StatusUpdate", "x", {"x": [{"y": msgpack.Timestamp(1)}]}]),
        msgpack.packb(["StatusUpdate", "x", {"x": {1: 2}}]),
        msgpack.packb(["StatusUpdate", "x", {"x": msgpack.ExtType(4, b"")}]),
        b"\x93\xacStatusUpdate\xa1x\x81\xa1x" + b"\x91" * 3000,
        b"\xdd\xff\xff\xff\xff" * 1000,
    ],
)
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(body)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
@given(data=st.data())
def test_a_damaged_message_is_refused_or_of_its_form(message: Message, data: st.DataObject) -> None:
    body = bytearray(encode(message)[4:])
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ProtocolError):
        assert encode(decode(bytes(body)))


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_to_be_refused(body: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        decode(body)


def test_a_message_that_claims_to_be_huge_is_refused(pair: tuple[Channel, Channel, socket.socket]) -> None:
    pair[2].send(struct.pack("!I", LARGEST_MESSAGE + 1))
    with pytest.raises(ProtocolError, match="are allowed"):
        pair[1].receive()


def test_a_message_over_the_limit_is_not_sent() -> None:
    with pytest.raises(ProtocolError, match="StatusUpdate of 1"):
        encode(StatusUpdate("x", {"data": b"x" * 100}), 50)


@pytest.mark.parametrize("value", [object(), "\udcff", 2**70])
def test_what_msgpack_has_no_form_for_is_not_sent(value: object) -> None:
    with pytest.raises(ProtocolError, match="StatusUpdate with something unfit"):
        encode(StatusUpdate("x", {"data": value}))
