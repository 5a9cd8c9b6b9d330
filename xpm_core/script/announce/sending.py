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
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from tempfile import TemporaryFile
from time import monotonic

from xpm_core.script.announce import apprise_process
from xpm_core.snapshot.facts import secrets
from xpm_core.words.text import line

LIMIT_S = 10.0
"""How long a command, or apprise with all addresses, may take."""

LONGEST = 200
"""Characters that are shown of what a command has said."""
LARGEST = 10_000
"""Bytes that are read of what a command has said last."""

HIDDEN = "***"

LEAST_SECRET = 6
"""Characters of the shortest part of a word that can be a secret alone, as `s3cret` in `--token=s3cret`."""

_PARTS = re.compile(r"[^\w.~+-]+")
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://\S*")


class Sender:
    """Sends texts, one after the other.

    Example:
        >>> Sender().by_command("mail -s jobs me@lab.org", "all is done", {"XPM_EVENT": "end"})
        ''
    """

    def __init__(self) -> None:
        self._stop = threading.Event()

    @property
    def stopped(self) -> bool:
        """Whether nothing is sent any more."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End the program that runs now, and send nothing any more. Any thread may call this."""
        self._stop.set()

    def by_command(self, command: str, text: str, variables: Mapping[str, str]) -> str:
        """Run a command with a text on its standard input. Ctrl-C is not for it.

        What the command lets go on in the background goes on.

        Args:
            command: A line for the shell.
            text: The text.
            variables: What it finds in its environment in addition.

        Returns:
            What is wrong; empty if nothing is.
        """
        shown = f"the command {command_shown(command)}"
        ended = self._run(["/bin/sh", "-c", command], text, {**os.environ, **variables})
        if isinstance(ended, str):
            return f"notify: {shown} {ended}" if ended else ""
        if not ended.returncode:
            return ""
        said = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        reason = _without_secrets(said, os.path.expandvars(command), command)
        return f"notify: {shown} ended with exit code {ended.returncode}{f': {reason}' if reason else ''}"

    def by_apprise(self, addresses: Sequence[str], title: str, text: str) -> Iterator[str]:
        """Send a text to addresses, with apprise in a process of its own. Yields what is wrong."""
        given = {"path": [*map(str, sys.path)], "addresses": list(addresses), "title": title, "text": text}
        ended = self._run([sys.executable, apprise_process.__file__], json.dumps(given), os.environ)
        if isinstance(ended, str):
            yield from [f"notify: apprise {ended}"] if ended else []
            return
        try:
            answers = json.loads(ended.stdout)
        except ValueError:
            yield f"notify: apprise ended with exit code {ended.returncode}"
            return
        if answers == "absent":
            yield (
                "notify: apprise is not installed, so nothing is sent to its addresses. Install it: pip install apprise"
            )
            return
        for number, (address, problem) in enumerate(zip(addresses, answers, strict=True), 1):
            if problem:
                yield f"notify: address {number} ({address_shown(address)}): {problem}"

    def _run(
        self, words: Sequence[str], text: str, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes] | str:
        """Run a program with a text on its standard input; if it takes too long, all that it has started is killed.

        Its streams are files, because who reads a pipe to its end waits for all that goes on in the background.

        Returns:
            Its end. In words, if it has none; these are empty if nobody waits for it any more.
        """
        try:
            with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
                given.write(text.encode(errors="replace"))
                given.seek(0)
                process = subprocess.Popen(
                    words, stdin=given, stdout=out, stderr=err, env=environment, start_new_session=True
                )
                if not self._has_ended(process):
                    return "" if self.stopped else f"was ended, because it takes more than {LIMIT_S:g} s"
                out.seek(0)
                err.seek(max(err.tell() - LARGEST, 0))
                return subprocess.CompletedProcess(words, process.returncode, out.read(), err.read())
        except (OSError, ValueError) as error:
            return f"cannot be run: {type(error).__name__}"

    def _has_ended(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until a program ends. If that takes too long, or nobody waits any more, kill it."""
        ends = monotonic() + LIMIT_S
        while monotonic() < ends and not self.stopped:
            with suppress(subprocess.TimeoutExpired):
                process.wait(min(0.1, LIMIT_S))
                return True
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return False


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


def _without_secrets(said: str, *commands: str) -> str:
    """What a command has said, without addresses, and without the words behind its program, and parts of these.

    Values of variables that hold secrets by their names are left out, too: a script that is called may read them.

    Args:
        said: What it has said.
        commands: The command as it is written, and with the values of its variables.
    """
    words = {word for command in commands for word in _words(command)[1:]}
    parts = {part for word in words for part in _PARTS.split(word) if len(part) >= LEAST_SECRET}
    words |= {value for name, value in os.environ.items() if len(value) >= LEAST_SECRET and secrets.hides(name, value)}
    shown = _ADDRESS.sub(rf"\1://{HIDDEN}", said)
    for word in sorted({*(word for word in words if len(word) > 3), *parts}, key=len, reverse=True):
        shown = shown.replace(word, HIDDEN)
    return line(shown, LONGEST)
