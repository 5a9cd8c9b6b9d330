"""`xpm logs`: what jobs have printed, and print."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import click

from xpm_cli.app import FAILED, common_options, say
from xpm_cli.lookup.open_workspace import UNSTARTED, OpenWorkspace, open_workspace
from xpm_cli.lookup.selection import is_lasting, selected, selection_options
from xpm_cli.output.log_files import ERR, OUT, LogFile, last_lines, parts_of
from xpm_core.filters import Filter
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import State
from xpm_core.words.text import line

LOOK_S = 0.2
"""How often the files are looked at, seconds."""
STATE_S = 1.0
"""How often the server is asked how the job stands, seconds."""
NAMED = 40
"""Characters of a job's name before each line, if several jobs are followed."""


@click.command()
@common_options
@click.argument("name", metavar="[JOB]", required=False)
@selection_options
@click.option("-f", "--follow", is_flag=True, help="Go on until the job ends: exit code 0 if it is done, else 1.")
@click.option("-n", "--lines", type=click.IntRange(min=0), metavar="N", help="Only the last lines of each.")
@click.option("--out", "only", flag_value=OUT, help="Only its standard output.")
@click.option("--err", "only", flag_value=ERR, help="Only its standard error.")
@click.option("--attempt", type=click.IntRange(min=1), metavar="K", help="Only what its attempt K printed.")
@click.pass_context
def logs(
    ctx: click.Context,
    /,
    name: str | None,
    follow: bool,
    lines: int | None,
    only: str | None,
    attempt: int | None,
    **given: Any,
) -> None:
    """Print what a job has printed.

    What went to its standard output goes to standard output, and what went to its standard error to standard error.
    With -f and options that select jobs, such as --experiment NAME, the lines of all that run are printed as they come,
    each after the name of its job.
    """
    chosen = selected(**given)
    if (name is None) == (chosen is None) or (chosen is not None and not follow) or (attempt and follow):
        raise click.UsageError("Name one JOB; or select several, with -f. --attempt is of one JOB, without -f.", ctx)
    kinds = [only] if only else [OUT, ERR]
    if name is None:
        assert chosen is not None
        with open_workspace(live=True) as opened:
            ctx.exit(_follow_many(opened, chosen, kinds))
    with open_workspace(live=follow) as opened:
        row = opened.view.job(name)
        wanted = _Wanted(kinds, lines, attempt)
        ctx.exit(_follow_one(opened, row, wanted) if follow else _print(opened, row, wanted))


@dataclass(frozen=True)
class _Wanted:
    """Which part of the logs to print."""

    kinds: list[str]
    lines: int | None
    attempt: int | None

    def files(self, opened: OpenWorkspace, row: JobRow) -> dict[str, LogFile]:
        """The files, from where they are to be read.

        Raises:
            UnknownAttemptError: There was no such attempt.
        """
        directory = opened.directory(row)
        paths = {OUT: directory.out, ERR: directory.err}
        parts = parts_of(directory.records(), self.attempt, row)
        found = {}
        for kind in self.kinds:
            start, stop = parts[kind]
            if self.lines is not None:
                start = max(start, last_lines(paths[kind], self.lines, stop))
            found[kind] = LogFile(paths[kind], start, stop)
        return found


def _print(opened: OpenWorkspace, row: JobRow, wanted: _Wanted) -> int:
    files = wanted.files(opened, row)
    there = [kind for kind, file in files.items() if file.exists()]
    printed = sum(_pour(files[kind], kind) for kind in there)
    word = _how_it_is(row.state) if row.state else "its state is not known"
    known = f"{short(row.identity)}  {opened.title(row)}: {word}"
    if not there and row.state is State.DONE:
        say(f"{known}, but its logs are gone: {opened.directory(row).path}. Its script runs it again.")
        return FAILED
    if not there:
        say(f"{known}, and has no log yet. See: {opened.commands.why(row.identity)}")
        return FAILED
    if not printed and wanted.lines != 0:
        say(f"{known}, and has printed nothing{' there' if wanted.attempt or len(files) == 1 else ''}.")
    return 0


def _pour(file: LogFile, kind: str) -> int:
    """Print what is new in a file. Returns how many bytes that was."""
    stream = _stream(kind)
    count = 0
    for data in file.read():
        stream.write(data)
        count += len(data)
    stream.flush()
    return count


def _stream(kind: str) -> IO[bytes]:
    return (sys.stdout if kind == OUT else sys.stderr).buffer


def _follow_one(opened: OpenWorkspace, row: JobRow, wanted: _Wanted) -> int:
    """Print what a job prints until it has ended, through all its attempts."""
    files = wanted.files(opened, row)
    state: State | None = row.state
    if state in UNSTARTED and not any(file.exists() for file in files.values()):
        why = opened.commands.why(row.identity)
        say(f"{short(row.identity)}  {opened.title(row)}: it is {state.value}, its output follows. See: {why}")
    asked = time.monotonic()
    while True:
        settled = state is None or state.settled  # asked before the files are read, so that all of them is printed
        for kind, file in files.items():
            _pour(file, kind)
        if settled:
            break
        time.sleep(LOOK_S)
        if time.monotonic() - asked >= STATE_S:
            state = _state(opened, row.identity)
            asked = time.monotonic()
    if state is not State.DONE:
        word = _how_it_is(state) if state else "it is not known to the server any more"
        say(f"{short(row.identity)}  {opened.title(row)}: {word}. See: {opened.commands.show(row.identity)}")
    return 0 if state is State.DONE else FAILED


def _how_it_is(state: State) -> str:
    return "it has failed" if state is State.FAILED else f"it is {state.value}"


def _state(opened: OpenWorkspace, identity: str) -> State | None:
    found = opened.reader.jobs.states([identity]).get(identity)
    return found[0] if found else None


def _follow_many(opened: OpenWorkspace, chosen: Filter, kinds: list[str]) -> int:
    """Print the lines of the jobs that run, until none of the selected ones is left to end.

    A job that has ended between two looks is printed whole. What had ended before is left out.
    """
    rows = {row.identity: row for row in opened.view.jobs(chosen)}
    states = {identity: row.state for identity, row in rows.items()}
    files: dict[str, list[tuple[str, str, LogFile]]] = {}
    printed = {identity for identity, state in states.items() if state is None or state.settled}
    while True:
        ended = [identity for identity, state in states.items() if state is None or state.settled]
        for identity in [each for each in states if each not in printed]:
            if states[identity] is not State.RUNNING and identity not in ended:
                continue
            if identity not in files:
                files[identity] = _named_files(opened, rows[identity], kinds)
            _print_lines(files[identity], rest=identity in ended)
            if identity in ended:
                printed.add(identity)
                del files[identity]
        if len(ended) == len(states) and not _finds_more(opened, chosen, rows, states):
            failed = sum(state is not State.DONE for state in states.values())
            return FAILED if failed else 0
        time.sleep(STATE_S)
        known = opened.reader.jobs.states([identity for identity in states if identity not in ended])
        states.update({identity: state for identity, (state, _) in known.items()})


def _finds_more(
    opened: OpenWorkspace, chosen: Filter, rows: dict[str, JobRow], states: dict[str, State | None]
) -> bool:
    """Whether jobs that were submitted meanwhile are to be followed. They are added."""
    if not is_lasting(chosen, opened.view):
        return False
    opened.view.refresh()
    more = [row for row in opened.view.jobs(chosen) if row.identity not in rows]
    rows.update({row.identity: row for row in more})
    states.update({row.identity: row.state for row in more})
    return bool(more)


def _named_files(opened: OpenWorkspace, row: JobRow, kinds: list[str]) -> list[tuple[str, str, LogFile]]:
    directory = opened.directory(row)
    paths: dict[str, Path] = {OUT: directory.out, ERR: directory.err}
    label = line(f"{short(row.identity)} {opened.title(row)}", NAMED)
    return [(kind, label, LogFile(paths[kind])) for kind in kinds]


def _print_lines(files: list[tuple[str, str, LogFile]], *, rest: bool) -> None:
    for kind, label, file in files:
        stream = _stream(kind)
        for text in file.lines(rest=rest):
            stream.write(f"{label} | ".encode() + text + b"\n")
        stream.flush()
