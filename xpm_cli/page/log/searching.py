"""A search in a log from the side of the page: it starts the process, reads what that finds, and ends it in time.

Owns: how long a search may take, and how many matches are returned.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

MOST = 200
"""How many matches are returned."""
SEARCH_S = 10.0
"""How long a search may take, seconds."""
LONGEST_WANTED = 1000
"""How many characters may be searched for."""
START_S = 20.0
"""How long the process may take to begin, seconds: the machine may be busy."""
AT_ONCE = threading.BoundedSemaphore(2)
"""The searches that run at the same time: others wait, so long as one may take."""


class Match(NamedTuple):
    """The first match in a line.

    Attributes:
        at: Where the line begins, bytes.
        line: The number of the line, from 1, counted from where the search began.
        before: What stands before the match in the line, its last characters.
        match: The match, its first characters.
        after: What stands behind it, its first characters.
    """

    at: int
    line: int
    before: str
    match: str
    after: str


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes:
        matches: The matches, in order.
        read: How far the log was searched, bytes.
        line: How many lines that were.
        stop: How far it should have been.
        late: Whether its time was over before that.
        stuck: Whether it read nothing at all in its time: the regular expression takes too long.
        long_lines: Lines of which only the beginning was searched.
        wrong: What is wrong with the regular expression; else empty.
        busy: Whether it has not begun, because others were running.
    """

    matches: list[Match]
    read: int
    line: int
    stop: int
    late: bool = False
    stuck: bool = False
    long_lines: int = 0
    wrong: str = ""
    busy: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether a search from `read` may find more."""
        return self.read < self.stop and not self.stuck and not self.wrong and not self.busy


def search(
    file: BinaryIO,
    wanted: str,
    start: int,
    stop: int,
    *,
    regex: bool = False,
    most: int = MOST,
    limit_s: float = SEARCH_S,
) -> Found:
    """Search a log.

    Args:
        file: The log. Its position changes.
        wanted: A text, or a regular expression of Python. Case does not count if it has no capital letter.
        start: Where to begin, bytes: the beginning of a line.
        stop: Where to end.
        regex: Whether it is a regular expression.
        most: How many matches to return.
        limit_s: How long it may take, seconds.

    Example:
        >>> found = search(file, "loss is nan", 0, size)
        >>> [match.line for match in found.matches]
        [1204, 1209]
    """
    asked = {"wanted": wanted, "regex": regex, "start": start, "stop": stop, "cpu_s": int(limit_s) + 2}
    if not AT_ONCE.acquire(timeout=limit_s):
        return Found([], start, 0, stop, busy=True)
    try:
        with _Search(file, asked, limit_s) as running:
            return _collected(running, start, stop, most)
    finally:
        AT_ONCE.release()


class _Search:
    """The process of a search, and the clock that ends it. In a `with` block, it yields what it finds."""

    def __init__(self, file: BinaryIO, asked: Mapping[str, Any], limit_s: float) -> None:
        log = file.fileno()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "xpm_cli.page.log.matcher", str(log)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            pass_fds=[log],
        )
        self._limit_s = limit_s
        self._timer = self._started(START_S)
        self._ask(json.dumps(asked).encode())

    def _ask(self, asked: bytes) -> None:
        """Say what is wanted; not as an argument, because all users of the machine see those."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError), self._process.stdin as stdin:  # it may have ended at once
            stdin.write(asked)

    def _started(self, after_s: float) -> threading.Timer:
        timer = threading.Timer(after_s, self._process.kill)
        timer.daemon = True
        timer.start()
        return timer

    def __enter__(self) -> Iterator[Mapping[str, Any]]:
        return self._facts()

    def _facts(self) -> Iterator[Mapping[str, Any]]:
        """What the process writes. Its time begins with the first line."""
        assert self._process.stdout is not None
        for number, written in enumerate(self._process.stdout):
            if number == 0:
                self._timer.cancel()
                self._timer = self._started(self._limit_s)
            yield _fact(written)

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def _collected(facts: Iterator[Mapping[str, Any]], start: int, stop: int, most: int) -> Found:
    matches: list[Match] = []
    read, line, long_lines = start, 0, 0
    for fact in facts:
        if "wrong" in fact:
            return Found([], start, 0, stop, wrong=str(fact["wrong"]))
        if "end" in fact:
            return Found(matches, stop, line, stop, long_lines=long_lines)
        long_lines += "long" in fact
        if "match" in fact:
            matches.append(Match(*(fact[name] for name in Match._fields)))
            read, line = fact["next"], fact["line"]
            if len(matches) == most:
                return Found(matches, read, line, stop, long_lines=long_lines)
        elif "read" in fact:
            read, line = fact["read"], fact["line"]
    return Found(matches, read, line, stop, late=True, stuck=read == start, long_lines=long_lines)


def _fact(written: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(written)
    except ValueError:  # the process was killed while it wrote
        return {}
    return found if isinstance(found, dict) else {}
