"""A search in a log from the side of the page: it starts the process, reads what that finds, and ends it in time.

Owns: how long a search may take, and how many matches are returned.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

MOST = 200
"""How many matches are returned."""
SEARCH_S = 10.0
"""How long a search may take, seconds."""
LONGEST_WANTED = 1000
"""How many characters may be searched for."""
AT_ONCE = threading.BoundedSemaphore(2)
"""The searches that run at the same time: others wait."""


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
    """

    matches: list[Match]
    read: int
    line: int
    stop: int
    late: bool = False
    stuck: bool = False
    long_lines: int = 0
    wrong: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether a search from `read` may find more."""
        return self.read < self.stop and not self.stuck and not self.wrong


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
    with AT_ONCE:
        command = [sys.executable, "-m", "xpm_cli.page.log.matcher", json.dumps(asked)]
        process = subprocess.Popen(
            command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", start_new_session=True
        )
        timer = threading.Timer(limit_s, process.kill)
        timer.start()
        try:
            return _collected(process, start, stop, most)
        finally:
            timer.cancel()
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _collected(process: subprocess.Popen[bytes], start: int, stop: int, most: int) -> Found:
    matches: list[Match] = []
    read, line, long_lines = start, 0, 0
    assert process.stdout is not None
    for written in process.stdout:
        fact = _fact(written)
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
