"""The terminal while a screen is shown: keys arrive one by one and are not echoed; afterwards all is as it was.

Owns: the modes of the terminal, and the signals that have to do with it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import termios
from collections import deque
from collections.abc import Iterator
from types import FrameType
from typing import Any

ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"
"""Show the other screen, hide the cursor, and let long lines end at the margin."""
LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"

HELD = 100
"""How many messages are kept while the screen is shown."""
ENDS = (signal.SIGTERM, signal.SIGHUP)


class RawTerminal:
    """A terminal that is used key by key. Use it in a `with` block, in the main thread.

    Ctrl-C raises KeyboardInterrupt, and SIGTERM raises SystemExit: both leave the block, which restores the terminal.
    Ctrl-Z restores it, stops the process, and takes it again once the process goes on.

    Args:
        source: The file descriptor of the keys.
        target: The file descriptor of the screen.
    """

    def __init__(self, source: int, target: int) -> None:
        self._source, self._target = source, target
        self._woken, self._waker = os.pipe()
        self._before: list[Any] = []
        self._handlers: dict[signal.Signals, Any] = {}
        self._changed = self._stops = False

    def __enter__(self) -> RawTerminal:
        os.set_blocking(self._woken, False)
        os.set_blocking(self._waker, False)
        self._before = termios.tcgetattr(self._source)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for number in ENDS:
            self._handle(number, _end)
        self._handle(signal.SIGTSTP, self._note_stop)
        for number in (signal.SIGWINCH, signal.SIGCONT):
            self._handle(number, self._note_change)
        try:
            self._take()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()
        signal.set_wakeup_fd(-1)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        os.close(self._waker)
        os.close(self._woken)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        try:
            columns, lines = os.get_terminal_size(self._target)
        except OSError:
            return 80, 24
        return (columns, lines) if columns > 0 and lines > 0 else (80, 24)

    def wake(self) -> None:
        """Let `wait` return. Any thread may call it."""
        with contextlib.suppress(OSError):  # the pipe is full, so it wakes anyway; or nobody waits any more
            os.write(self._waker, b"\0")

    def wait(self, timeout_s: float | None) -> tuple[bytes, bool]:
        """Wait for keys, for `wake`, or for a signal.

        Returns:
            What the terminal sent, and whether the screen has to be drawn anew, because its size has changed, or
            another program has used it meanwhile.

        Raises:
            EOFError: The terminal is gone.
        """
        ready, _, _ = select.select([self._source, self._woken], [], [], timeout_s)
        if self._woken in ready:
            with contextlib.suppress(BlockingIOError):
                while os.read(self._woken, 4096):
                    pass
        if self._stops:
            self._stop()
        data = b""
        if self._source in ready and not (data := self._read()):
            raise EOFError
        changed, self._changed = self._changed, False
        return data, changed

    def write(self, text: str) -> None:
        """Write to the screen, all at once.

        Raises:
            EOFError: The terminal is gone.
        """
        data = memoryview(text.encode("utf-8", "replace"))
        while data:
            try:
                data = data[os.write(self._target, data) :]
            except BlockingIOError:  # another program has made the terminal so
                select.select([], [self._target], [])
            except OSError as error:
                raise EOFError from error

    # -- modes -----------------------------------------------------------------------------------------------------

    def _take(self) -> None:
        mode = termios.tcgetattr(self._source)
        mode[0] &= ~termios.IXON  # so that Ctrl-S does not freeze the screen
        mode[3] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._source, termios.TCSADRAIN, mode)
        self.write(ENTER)

    def _restore(self) -> None:
        with contextlib.suppress(EOFError, termios.error):  # the terminal may be gone
            self.write(LEAVE)
            termios.tcsetattr(self._source, termios.TCSADRAIN, self._before)

    def _stop(self) -> None:
        """Stop until somebody continues the process, as Ctrl-Z asks."""
        self._stops = False
        self._restore()
        ours = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, ours)
        self._before = termios.tcgetattr(self._source)
        self._take()
        self._changed = True

    def _read(self) -> bytes:
        """What the terminal has sent; nothing if it is gone."""
        try:
            return os.read(self._source, 4096)
        except OSError:
            return b""

    # -- signals ---------------------------------------------------------------------------------------------------

    def _handle(self, number: signal.Signals, handler: Any) -> None:
        self._handlers[number] = signal.signal(number, handler)

    def _note_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stops = True

    def _note_change(self, _number: int, _frame: FrameType | None) -> None:
        self._changed = True


@contextlib.contextmanager
def messages_held() -> Iterator[None]:
    """Keep what is logged until the screen is left, because it would be written over the screen."""
    root, held = logging.getLogger(), _Held()
    handlers, root.handlers = root.handlers, [held]
    try:
        yield
    finally:
        root.handlers = handlers
        for record in held.records:
            logging.getLogger(record.name).handle(record)


class _Held(logging.Handler):
    """Keeps the last messages."""

    def __init__(self) -> None:
        super().__init__()
        self.records: deque[logging.LogRecord] = deque(maxlen=HELD)

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
