"""`xpm tensorboard`: the jobs of an experiment in TensorBoard, by their tags."""

from __future__ import annotations

import importlib.util
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from shutil import which
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from xpm_cli.app import FAILED, common_options, say
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.lookup.selection import selected, selection_options
from xpm_core.errors import UnknownExperimentError, XpmError
from xpm_core.filters import from_options
from xpm_core.language.graph.tags import name_from_tags
from xpm_core.results.foreign import with_foreign
from xpm_core.server.connection import ServerError
from xpm_core.states import Event, State
from xpm_core.words.text import plural
from xpm_core.workspace.job_links import ReadableLinks

if TYPE_CHECKING:
    from xpm_core.filters import Filter
    from xpm_core.reading.listing.row import JobRow
    from xpm_core.workspace.job_directory import JobDirectory

LOOK_S = 5.0
"""How often the folder is brought up to date while TensorBoard runs, seconds. It reloads its data as often."""
ANEW_S = 60.0
"""How often all jobs are listed anew, seconds: a filter may ask about times, which change without an event."""
_UNKNOWN = object()
_NO_MOVES = (Event.PROGRESS, Event.OUTPUT)
_INTERRUPTED = (130, -signal.SIGINT)


@click.command()
@common_options
@click.argument("name", metavar="EXPERIMENT")
@selection_options
@click.option("--dir", "folder", metavar="DIR", type=click.Path(path_type=Path), help="Make the links in this folder.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="The port of TensorBoard; 0 for a free one.")
@click.pass_context
def tensorboard(ctx: click.Context, /, name: str, folder: Path | None, port: int | None, **given: Any) -> None:
    """Show the jobs of an experiment in TensorBoard, by their tags.

    A folder gets a link to the directory of each job that has begun, such as lr=0.1,model=mlp. While TensorBoard runs,
    jobs that begin later are added, and jobs that do not match any more are taken out. Ctrl-C ends it.

    If TensorBoard is not installed here, the folder is printed, and how to go on. Without --dir, the folder lies in
    your cache. Other files in it stay. The options that select jobs are joined by "and".
    """
    with open_workspace() as opened:
        names = sorted(opened.view.vocabulary.experiments or ())
        if name not in names:
            raise UnknownExperimentError(name, with_foreign(names, opened.workspace.path))
        chosen = selected(**given)
        wanted = from_options(experiment=[name]) & chosen if chosen else from_options(experiment=[name])
        place = folder or _cached(opened, name, repr(sorted((key, value) for key, value in given.items() if value)))
        links = ReadableLinks(Path(os.path.abspath(place)), opened.workspace.path)
        shown = _Shown(opened, wanted, links)
        count = shown.look()
        say(f"{plural(count, 'job')} in {links.folder}{'' if count else ', because none has begun'}")
        program = _program()
        options = ["--logdir", str(links.folder), *([] if port is None else ["--port", str(port)])]
        if not program:
            click.echo(str(links.folder))
            say(f"TensorBoard is not installed here. Install it, then type the same again: {_install()}")
            say(f"Or start it where it is installed: {shlex.join(['tensorboard', *options])}")
            return
        code = _run([*program, *options], shown)
    if code in _INTERRUPTED:
        raise click.Abort
    ctx.exit(FAILED if code else 0)


def _cached(opened: OpenWorkspace, name: str, given: str) -> Path:
    """The folder of an experiment, and of some filters, in the user's cache."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    end = "" if given == "[]" else f"-{sha256(given.encode()).hexdigest()[:8]}"
    return Path(home, "xpm", "tensorboard", opened.workspace.id, f"{name}{end}")


class _Shown:
    """The jobs in the folder. Between two lists of all jobs, only those are read that something has happened to.

    Args:
        opened: The workspace.
        wanted: Which jobs belong into the folder.
        links: The folder.
    """

    def __init__(self, opened: OpenWorkspace, wanted: Filter, links: ReadableLinks) -> None:
        self._opened, self._view, self._wanted, self._links = opened, opened.view, wanted, links
        self._jobs: dict[str, tuple[JobDirectory, str]] = {}
        self._unmade: dict[str, State | None] = {}
        """The states in which jobs had no directory. It is looked for again in another state, and while they run."""
        self._cursor = ""
        """The last event that is known; empty without the server."""
        self._anew_s = 0.0

    def look(self) -> int:
        """List all jobs. Returns how many the folder has."""
        self._cursor = "" if self._view.away is not None else self._view.reader.events.last()
        self._ranking = self._view.ranked(self._wanted)
        self._jobs.clear()
        self._take(self._view.jobs(self._wanted))
        self._anew_s = monotonic() + ANEW_S
        return self._links.update(self._jobs.values())

    def follow(self) -> None:
        """Bring the folder up to date with what has happened."""
        if monotonic() >= self._anew_s:
            self._view.refresh()
            self.look()
        elif self._cursor and (changed := self._changed()):
            rows = self._view.update(changed)
            self._ranking.update(rows)
            for identity in changed:
                self._jobs.pop(identity, None)
            self._take(row for row in rows if row.identity in self._ranking)
            self._links.update(self._jobs.values())

    def _changed(self) -> set[str]:
        """The jobs that may have moved since the last call."""
        found = {identity for identity, state in self._unmade.items() if state is State.RUNNING}
        while records := self._view.reader.events.after(self._cursor):
            self._cursor = records[-1].cursor
            found |= {each.job for each in records if each.job and each.event not in _NO_MOVES}
        return found

    def _take(self, rows: Iterable[JobRow]) -> None:
        for row in rows:
            before = self._unmade.pop(row.identity, _UNKNOWN)
            directory = self._opened.directory(row)
            if (before is row.state and before is not State.RUNNING) or not self._links.has(directory):
                self._unmade[row.identity] = row.state
                continue
            tags = self._opened.tags(row)
            self._jobs[row.identity] = directory, name_from_tags(tags) if tags else ""


def _run(words: Sequence[str], shown: _Shown) -> int:
    """Run TensorBoard, and keep the folder up to date. Returns its exit code. Ctrl-C is for TensorBoard."""
    sys.stdout.flush()
    sys.stderr.flush()
    with subprocess.Popen(words) as process:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        told = ""
        try:
            while True:
                try:
                    return process.wait(LOOK_S)
                except subprocess.TimeoutExpired:
                    pass
                try:
                    shown.follow()
                    told = ""
                except (XpmError, ServerError) as error:  # the server or the disk may come back
                    if str(error) != told:
                        say(f"The folder is not up to date: {error}")
                    told = str(error)
        finally:
            signal.signal(signal.SIGINT, before)
            if process.poll() is None:
                process.terminate()


def _program() -> list[str]:
    """How to start TensorBoard: that of this Python first; empty if it is not installed."""
    if importlib.util.find_spec("tensorboard") is not None:
        return [sys.executable, "-m", "tensorboard.main"]
    found = which("tensorboard")
    return [found] if found else []


def _install() -> str:
    return shlex.join([sys.executable, "-m", "pip", "install", "tensorboard"])
