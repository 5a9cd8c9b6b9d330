"""Sending one text, by a command and by apprise.

Owns: that secrets are never printed. An address of apprise is shown by its first word, and what a command says of
itself without the words that stand in it.
"""

from __future__ import annotations

import logging
import os
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from xpm_core.words.text import line

LIMIT_S = 10.0
"""How long a command, or an address, may take."""

LONGEST = 200
"""Characters that are shown of what a command has said."""

HIDDEN = "***"

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://\S*")


def by_command(command: str, text: str, variables: Mapping[str, str]) -> str:
    """Run a command with a text on its standard input. Ctrl-C is not for it.

    Args:
        command: A line for the shell.
        text: The text.
        variables: What it finds in its environment in addition.

    Returns:
        What is wrong; empty if nothing is.
    """
    shown = command_shown(command)
    try:
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, **variables},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return f"notify: the command {shown} cannot be run: {type(error).__name__}"
    with process:
        try:
            _, said = process.communicate(text.encode(errors="replace"), LIMIT_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return f"notify: the command {shown} was ended, because it takes more than {LIMIT_S:g} s"
    if not process.returncode:
        return ""
    reason = _without_secrets(said.decode(errors="replace").strip().rpartition("\n")[2], command)
    return f"notify: the command {shown} ended with exit code {process.returncode}{f': {reason}' if reason else ''}"


def by_apprise(addresses: Sequence[str], title: str, text: str) -> Iterator[str]:
    """Send a text to addresses. Yields what is wrong."""
    try:
        import apprise  # type: ignore[import-not-found, unused-ignore]  # late, because few have it
    except ImportError:
        yield "notify: apprise is not installed, so nothing is sent to its addresses. Install it: pip install apprise"
        return
    for number, address in enumerate(addresses, 1):
        try:
            with _unlogged():
                is_sent = _sent(apprise, address, title, text)
        except Exception as error:  # a plugin of apprise may raise anything, and its text may hold the address
            yield f"notify: address {number} ({address_shown(address)}): {type(error).__name__}"
            continue
        if not is_sent:
            yield f"notify: address {number} ({address_shown(address)}): apprise could not send the message"


def address_shown(address: str) -> str:
    """An address of apprise as it may be shown.

    Example:
        >>> address_shown("mailto://me:secret@lab.org")
        'mailto://***'
    """
    match = _ADDRESS.match(address)
    return f"{match[1]}://{HIDDEN}" if match else HIDDEN


def command_shown(command: str) -> str:
    """A command as it may be shown: its program, because a word behind it may be a secret.

    Example:
        >>> command_shown("curl -d @- https://chat/hooks/s3cret")
        "'curl ...'"
    """
    program, *rest = _words(command) or [""]
    if "=" in program or "://" in program:  # a variable of the command
        program = HIDDEN
    return repr(f"{line(program, 60)} ..." if rest else line(program, 60))


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # a quote is missing: the shell says so
        return command.split()


def _without_secrets(said: str, command: str) -> str:
    """What a command has said, without addresses, and without the words behind its program."""
    shown = _ADDRESS.sub(rf"\1://{HIDDEN}", said)
    for word in sorted(_words(command)[1:], key=len, reverse=True):
        if len(word) > 3:
            shown = shown.replace(word, HIDDEN)
    return line(shown, LONGEST)


def _sent(apprise: Any, address: str, title: str, text: str) -> bool:
    one = apprise.Apprise()  # one for each address, so that it sends in this thread, and we know which one fails
    return bool(one.add(address)) and bool(one.notify(title=title, body=text))


@contextmanager
def _unlogged() -> Iterator[None]:
    """Drop what apprise logs in this thread: it may hold addresses."""
    thread = threading.get_ident()

    def is_ours(record: logging.LogRecord) -> bool:
        return record.thread != thread

    logger = logging.getLogger("apprise")
    logger.addFilter(is_ours)
    try:
        yield
    finally:
        logger.removeFilter(is_ours)
