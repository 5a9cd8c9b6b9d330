"""Sending one text, by a command and by apprise.

Owns: that secrets are never printed. An address of apprise is shown by its first word, and what a command says of
itself without the words that stand in it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from xpm_core.script.announce import apprise_process
from xpm_core.words.text import line

LIMIT_S = 10.0
"""How long a command, or apprise with all addresses, may take."""

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
    shown = f"the command {command_shown(command)}"
    ended = _run(["/bin/sh", "-c", command], text, {**os.environ, **variables})
    if isinstance(ended, str):
        return f"notify: {shown} {ended}"
    if not ended.returncode:
        return ""
    reason = _without_secrets(ended.stderr.decode(errors="replace").strip().rpartition("\n")[2], command)
    return f"notify: {shown} ended with exit code {ended.returncode}{f': {reason}' if reason else ''}"


def by_apprise(addresses: Sequence[str], title: str, text: str) -> Iterator[str]:
    """Send a text to addresses, with apprise in a process of its own. Yields what is wrong."""
    given = {"path": [*map(str, sys.path)], "addresses": list(addresses), "title": title, "text": text}
    ended = _run([sys.executable, apprise_process.__file__], json.dumps(given), os.environ)
    if isinstance(ended, str):
        yield f"notify: apprise {ended}"
        return
    try:
        answers = json.loads(ended.stdout)
    except ValueError:
        yield f"notify: apprise ended with exit code {ended.returncode}"
        return
    if answers == "absent":
        yield "notify: apprise is not installed, so nothing is sent to its addresses. Install it: pip install apprise"
        return
    for number, (address, problem) in enumerate(zip(addresses, answers, strict=True), 1):
        if problem:
            yield f"notify: address {number} ({address_shown(address)}): {problem}"


def _run(words: Sequence[str], text: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[bytes] | str:
    """Run a program with a text on its standard input; what it has started is killed with it if it takes too long.

    Returns:
        Its end; in words, if it has none.
    """
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=True)
    except (OSError, ValueError) as error:
        return f"cannot be run: {type(error).__name__}"
    with process:
        try:
            out, err = process.communicate(text.encode(errors="replace"), LIMIT_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return f"was ended, because it takes more than {LIMIT_S:g} s"
    return subprocess.CompletedProcess(words, process.returncode, out, err)


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
