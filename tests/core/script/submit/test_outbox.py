"""Items go out in batches, in order, none twice and none lost. An error is raised once."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from helpers.waiting import PATIENCE_S, wait_until

from xpm_core.script.submit.outbox import BATCH, Answer, Outbox


class Server:
    """Takes what is sent, and answers when it is let to."""

    def __init__(self) -> None:
        self.sent: list[list[int]] = []
        self.answered: list[list[int]] = []
        self.idle = threading.Event()
        self.idle.set()
        self.error: BaseException | None = None
        self.calm = threading.Event()
        self.outbox = Outbox(self.send, self.calm)

    def send(self, items: list[int]) -> Answer:
        self.sent.append(items)
        return Answer(self.idle.is_set, lambda: self.answer(items))

    def answer(self, items: list[int]) -> None:
        assert self.idle.wait(PATIENCE_S)
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        self.answered.append(items)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.idle.set()
    server.outbox.close()


def flat(batches: list[list[int]]) -> list[int]:
    return [item for batch in batches for item in batch]


def test_all_items_are_sent_in_order_and_each_once(server: Server) -> None:
    items = list(range(3 * BATCH + 7))
    for item in items:
        server.outbox.put(item)
    server.outbox.flush()
    assert flat(server.sent) == flat(server.answered) == items
    assert server.calm.is_set()


def test_what_nobody_waits_for_is_sent_and_answered(server: Server) -> None:
    server.outbox.put(1)
    wait_until(lambda: server.answered == [[1]], show=lambda: (server.sent, server.answered))
    wait_until(server.calm.is_set)


def test_a_full_batch_is_sent_before_the_script_waits_for_it(server: Server) -> None:
    server.idle.clear()
    items = range(BATCH)
    putting = threading.Thread(target=lambda: [server.outbox.put(item) for item in items])
    putting.start()
    wait_until(lambda: bool(server.sent))
    assert server.answered == []
    server.idle.set()
    putting.join()
    server.outbox.flush()
    assert flat(server.answered) == list(items)


def test_while_an_answer_is_not_there_items_are_collected(server: Server) -> None:
    server.idle.clear()
    server.outbox.put(0)
    wait_until(lambda: server.sent == [[0]])
    for item in range(1, 10):
        server.outbox.put(item)
    assert server.sent == [[0]]
    server.idle.set()
    server.outbox.flush()
    assert flat(server.answered) == list(range(10))


def test_what_an_answer_raises_is_raised_once_and_what_follows_is_sent(server: Server) -> None:
    server.error = ValueError("no")
    server.outbox.put(1)
    wait_until(lambda: server.error is None)
    with pytest.raises(ValueError, match="no"):
        server.outbox.flush()
    server.outbox.raise_failure()
    server.outbox.put(2)
    server.outbox.flush()
    assert server.answered == [[2]]


def test_what_was_sent_before_a_failure_is_told_does_not_keep_the_rest(server: Server) -> None:
    server.idle.clear()
    server.outbox.put(1)
    wait_until(lambda: server.sent == [[1]])
    server.outbox.put(2)
    server.error = ValueError("no")
    server.idle.set()
    wait_until(lambda: server.answered == [[2]], show=lambda: (server.sent, server.answered))
    with pytest.raises(ValueError, match="no"):
        server.outbox.raise_failure()


def test_what_an_interrupted_script_waited_for_is_sent_again(server: Server) -> None:
    server.idle.clear()
    server.outbox.put(1)
    wait_until(lambda: server.sent == [[1]])
    server.idle.set()
    wait_until(lambda: server.answered == [[1]])
    with server.outbox._sending:  # the thread does not come in between
        server.outbox.put(2)
        server.error = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            server.outbox.flush()
        server.outbox.flush()
    assert flat(server.answered) == [1, 2]
