"""A terminal that is used key by key is as it was afterwards, however the block ends."""

from __future__ import annotations

import fcntl
import logging
import os
import pty
import signal
import struct
import termios
import threading
from collections.abc import Iterator

import pytest

from xpm_cli.watch.raw_terminal import ENTER, LEAVE, RawTerminal, messages_held


class Pair:
    """Both ends of a terminal, in this process."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)

    def written(self, least: int = 1) -> str:
        """What was written since the last call; waits for that many characters."""
        text = ""
        while len(text) < least:
            text += os.read(self.master, 65536).decode()
        return text

    @property
    def restored(self) -> bool:
        return termios.tcgetattr(self.slave) == self.before


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    for end in (pair.master, pair.slave):
        if end >= 0:
            os.close(end)


def test_keys_arrive_one_by_one_and_are_not_echoed(pair: Pair) -> None:
    with RawTerminal(pair.slave, pair.slave) as terminal:
        assert pair.written() == ENTER
        os.write(pair.master, b"j")
        assert terminal.wait(None) == (b"j", False)
        terminal.write("drawn")
        assert pair.written() == "drawn"
    assert pair.restored
    assert pair.written() == LEAVE


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_the_terminal_is_restored_after_an_exception(pair: Pair, error: type[BaseException]) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGTSTP, signal.SIGWINCH)]
    with pytest.raises(error), RawTerminal(pair.slave, pair.slave):
        raise error
    assert pair.restored
    assert pair.written(len(ENTER + LEAVE)) == ENTER + LEAVE
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGTSTP, signal.SIGWINCH)] == handlers


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_the_process_restores_the_terminal(pair: Pair, number: signal.Signals) -> None:
    def ended_by() -> None:
        with RawTerminal(pair.slave, pair.slave) as terminal:
            os.kill(os.getpid(), number)
            terminal.wait(None)

    with pytest.raises(SystemExit) as ended:
        ended_by()
    assert ended.value.code == 128 + number
    assert pair.restored


def test_what_is_logged_is_printed_after_the_screen_was_left(caplog: pytest.LogCaptureFixture) -> None:
    with messages_held():
        logging.getLogger("xpm").warning("the server was started again")
        assert caplog.messages == []
    assert caplog.messages == ["the server was started again"]


def test_another_size_is_noticed(pair: Pair) -> None:
    with RawTerminal(pair.slave, pair.slave) as terminal:
        assert terminal.size == (80, 24)  # a terminal that does not know its size
        fcntl.ioctl(pair.master, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 40, 0, 0))
        assert terminal.size == (40, 10)
        os.kill(os.getpid(), signal.SIGWINCH)
        assert terminal.wait(None) == (b"", True)
        assert terminal.wait(0) == (b"", False)


def test_another_thread_can_wake_it(pair: Pair) -> None:
    with RawTerminal(pair.slave, pair.slave) as terminal:
        thread = threading.Thread(target=terminal.wake)
        thread.start()
        assert terminal.wait(None) == (b"", False)
        thread.join()
    terminal.wake()  # nobody waits any more


def test_a_terminal_that_is_gone_ends_the_wait(pair: Pair) -> None:
    with RawTerminal(pair.slave, pair.slave) as terminal:
        os.close(pair.master)
        pair.master = -1
        with pytest.raises(EOFError):
            terminal.wait(None)
        with pytest.raises(EOFError):
            terminal.write("nobody reads it")
