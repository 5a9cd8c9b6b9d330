"""A channel carries whole messages, in order, and never blocks."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.messages import Hello, Message, StatusUpdate


@pytest.fixture
def pair() -> Iterator[tuple[Channel, Channel, socket.socket]]:
    """Two ends, and the socket of the first."""
    left, right = socket.socketpair()
    ends = Channel(left), Channel(right)
    yield (*ends, left)
    for end in ends:
        end.close()


def test_a_large_message_waits_for_its_reader_and_blocks_nobody(pair: tuple[Channel, Channel, socket.socket]) -> None:
    large = StatusUpdate("x", {"data": "x" * 3_000_000})
    pair[0].send(large)
    assert pair[0].pending
    received: list[Message] = []
    while not received:
        received = pair[1].receive()
        pair[0].flush()
    assert received == [large]
    assert not pair[0].pending


def test_what_was_said_before_the_end_is_still_heard(pair: tuple[Channel, Channel, socket.socket]) -> None:
    pair[0].send(Hello("m", 1))
    pair[0].close()
    assert pair[1].receive() == [Hello("m", 1)]
    assert pair[1].closed


def test_sending_to_nobody_is_noticed(pair: tuple[Channel, Channel, socket.socket]) -> None:
    pair[1].close()
    pair[0].send(Hello("m", 1))
    assert pair[0].closed
