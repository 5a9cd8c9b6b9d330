"""A search in a log, line by line: what the process of a search runs.

It is a process of its own because a regular expression may take years, and Python cannot interrupt it. So whoever asked
kills the process when its time is over.

Owns: what a match is: one in the text that people see, after colours, backspaces and carriage returns. Imports only
Python's own modules and its neighbours.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from xpm_cli.page.log.visible import has_controls, text_of

BLOCK = 1 << 22
LONGEST = 1 << 20
"""Bytes of a line that are searched."""
BEFORE, MATCHED, AFTER = 60, 200, 200
"""Characters of a line that are returned before, of, and after a match."""

Find = Callable[[str], "tuple[int, int] | None"]
"""Returns where the first match in a text begins and ends."""


def matches(file: BinaryIO, wanted: str, *, regex: bool, start: int, stop: int) -> Iterator[dict[str, Any]]:
    """Yield the matches in a log, and how far it was read: objects of JSON.

    Args:
        file: The log, without a buffer.
        wanted: A text, or a regular expression. Case does not count if it has no capital letter.
        regex: Whether it is a regular expression.
        start: Where to begin, bytes.
        stop: Where to end.

    Yields:
        `{"at", "next", "line", "before", "match", "after"}` for the first match in a line, `{"read", "line"}` at the
        beginning and after each block, `{"long"}` for a line of which only the beginning was searched.

    Raises:
        re.error: The regular expression is none.
    """
    find, needle = _finder(wanted, regex)
    number = 0
    yield {"read": start, "line": 0}
    for at, block, long in _blocks(file, start, stop):
        if long:
            yield {"long": at}
        controls = has_controls(block)
        lines = _lines(block) if needle is None or controls else _lines_with(block, needle)
        for place, line, data in lines:
            text = text_of(data) if controls else data.decode("utf-8", "replace")
            if (found := find(text)) is not None:
                after = min(at + place + len(data) + 1, stop)
                yield {"at": at + place, "next": after, "line": number + line, **_around(text, *found)}
        number += block.count(b"\n") + (not block.endswith(b"\n"))
        yield {"read": at + len(block), "line": number}


def _lines(block: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The lines of a block, each with its place in it and its number, from 1."""
    place = 0
    lines = block.split(b"\n")
    for number, data in enumerate(lines if lines[-1] else lines[:-1], 1):
        yield place, number, data
        place += len(data) + 1


def _lines_with(block: bytes, needle: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The same, only those that have certain bytes: much faster if few do."""
    folded = _folded(block, needle)
    place, number = 0, 1
    while (found := folded.find(needle, place)) >= 0:
        start = block.rfind(b"\n", 0, found) + 1
        number += block.count(b"\n", place, start)
        end = block.find(b"\n", found)
        end = len(block) if end < 0 else end
        yield start, number, block[start:end]
        if end == len(block):
            return
        place, number = end + 1, number + 1


def _finder(wanted: str, regex: bool) -> tuple[Find, bytes | None]:
    """How to look into a line, and bytes without which no line of a block matches; None if there are none such."""
    folds = wanted.islower() or not any(each.isupper() for each in wanted)
    if regex:
        pattern = re.compile(wanted, re.IGNORECASE if folds else 0)

        def searched(text: str) -> tuple[int, int] | None:
            found = pattern.search(text)
            return None if found is None else found.span()

        return searched, None
    needle = wanted.encode("utf-8", "replace")

    def found_in(text: str) -> tuple[int, int] | None:
        data = text.encode("utf-8", "replace")
        at = (data.lower() if folds else data).find(needle)
        if at < 0:
            return None
        first = len(data[:at].decode())
        return first, first + len(wanted)

    return found_in, needle


def _folded(block: bytes, needle: bytes) -> bytes:
    """A block in small letters if case does not count. Only the letters of ASCII have two cases here."""
    return block.lower() if needle == needle.lower() else block


def _around(text: str, start: int, end: int) -> dict[str, str]:
    """A match with what stands around it."""
    return {
        "before": text[max(start - BEFORE, 0) : start],
        "match": text[start : min(end, start + MATCHED)],
        "after": text[min(end, start + MATCHED) :][:AFTER],
    }


def _blocks(file: BinaryIO, start: int, stop: int) -> Iterator[tuple[int, bytes, bool]]:
    """The file in blocks of whole lines, each with its place; and whether the rest of its last line is left out."""
    at, rest = start, b""
    file.seek(start)
    while at + len(rest) < stop:
        data = file.read(min(BLOCK, stop - at - len(rest)))
        if not data:
            break
        whole = (rest + data).rpartition(b"\n")
        block, rest = whole[0] + whole[1], whole[2]
        if block:
            yield at, block, False
            at += len(block)
        if len(rest) > LONGEST:
            yield at, rest[:LONGEST], True
            at = _next_line(file, at + len(rest), stop)
            rest = b""
            file.seek(at)
    if rest:
        yield at, rest, False


def _next_line(file: BinaryIO, at: int, stop: int) -> int:
    while at < stop and (data := file.read(min(BLOCK, stop - at))):
        found = data.find(b"\n")
        if found >= 0:
            return at + found + 1
        at += len(data)
    return at


def main() -> None:
    """Search the open file that the first argument names by its number, as standard input says in JSON.

    Each line that it writes is an object of JSON.
    """
    asked = json.load(sys.stdin)
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_CPU, (asked["cpu_s"], asked["cpu_s"]))  # also if nobody is left to kill it
    with open(int(sys.argv[1]), "rb", buffering=0) as file:
        try:
            for fact in matches(file, asked["wanted"], regex=asked["regex"], start=asked["start"], stop=asked["stop"]):
                print(json.dumps(fact), flush=True)
        except (re.error, OverflowError, RecursionError) as error:  # the last two: a number, or a nesting, of thousands
            print(json.dumps({"wrong": str(error)}), flush=True)
            return
    print(json.dumps({"end": True}), flush=True)


if __name__ == "__main__":
    main()
