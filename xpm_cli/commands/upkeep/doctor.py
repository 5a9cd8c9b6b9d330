"""`xpm doctor`: what is wrong with a workspace and its server, and mending the index."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from xpm_cli.app import FAILED, common_options, setting
from xpm_cli.lookup.find_workspace import find_workspace
from xpm_cli.output.terminal import Terminal
from xpm_core.errors import XpmError
from xpm_core.index import rebuild
from xpm_core.index.merged import MergedIndex
from xpm_core.labels import short
from xpm_core.reading.listing.states import StateReader
from xpm_core.reading.look import View
from xpm_core.server import fitness
from xpm_core.store import rights
from xpm_core.store.jobs import Store
from xpm_core.words.text import plural
from xpm_core.workspace.workspace import Workspace

RELISTED = 500
"""How many jobs are put into their lists in one call."""
NAMED = 5
"""How many jobs are named whose directories are gone."""
DONE = "state=done"
LITTLE_BYTES = 10**9
"""Free space below which the doctor warns."""


@dataclass(frozen=True)
class Finding:
    """What the doctor says about one thing.

    Attributes:
        good: Whether it is as it should be.
        text: What it is.
        remedy: What to do; empty if it is good.
    """

    good: bool
    text: str
    remedy: str = ""

    def line(self, terminal: Terminal) -> str:
        """The line to print."""
        return terminal.text(f"{'✓' if self.good else '✗'} {self.text}{f'     {self.remedy}' if self.remedy else ''}")


@click.command()
@common_options
@click.option("--repair", is_flag=True, help="Add to the index what it lacks, from the job directories.")
@click.pass_context
def doctor(ctx: click.Context, /, repair: bool) -> None:
    """Look for what is wrong with a workspace: its files, its index, and its server. Exit code 1 if something is.

    The index makes lists of jobs quick. It can lack jobs: those of an earlier xpm, and those that were copied from
    another workspace.
    """
    terminal = Terminal.of_stdout()
    workspace = Workspace.open(find_workspace(setting("workspace")).path, create=False, writable=False)
    index = list(_index(workspace, repair))
    server = _server(workspace, repair, index_is_whole=all(finding.good for finding in index))
    bad = 0
    for finding in (*_place(workspace.path), *index, *server):
        click.echo(finding.line(terminal))
        bad += not finding.good
    click.echo(plural(bad, "fault") if bad else "no faults")
    ctx.exit(FAILED if bad else 0)


def _place(path: Path) -> Iterator[Finding]:
    if os.access(path, os.W_OK | os.X_OK):
        yield Finding(True, f"workspace {path}: writable")
    else:
        yield Finding(False, f"workspace {path}: not writable", "make it writable for you")
    free = shutil.disk_usage(path).free
    remedy = "" if free >= LITTLE_BYTES else "free some space there"
    yield Finding(not remedy, f"disk: {free / 1e9:.1f} GB free", remedy)


def _index(workspace: Workspace, repair: bool) -> Iterator[Finding]:
    index = MergedIndex(workspace.path)
    entries = index.read()
    if repair:
        added = rebuild.rebuild(workspace)
        if damaged := sum(index.damaged.values()):
            yield Finding(True, f"index: {plural(damaged, 'damaged line')} removed")
        yield Finding(True, f"index: {plural(added.jobs, 'job')} added" if added.jobs else "index: it lacked nothing")
        return
    missing = rebuild.lacking(workspace).jobs
    if missing:
        yield Finding(False, f"index: it lacks something of {plural(missing, 'job')}", "xpm doctor --repair")
    else:
        yield Finding(True, f"index: {plural(len(entries), 'job')}, none is missing")


def _server(workspace: Workspace, repair: bool, *, index_is_whole: bool) -> Iterator[Finding]:
    with View(workspace, setting("redis")) as view:
        try:
            client = view.connector.client
            fitness.check(client, view.connector.url, tries=1)
            rights.check(client, view.connector.url)
        except XpmError as error:
            yield Finding(False, f"server: {error}")
        else:
            version = client.info("server")["redis_version"]
            yield Finding(True, f"redis {view.server}: version {version}, it loses no jobs")
            yield from _lists(view, repair)
            yield from _results(view)
        if index_is_whole:  # else its faults are named already
            for note in view.notes:
                yield Finding(False, note)


def _lists(view: View, repair: bool) -> Iterator[Finding]:
    """The server's lists of jobs by state, which workers of an earlier xpm do not keep."""
    states = StateReader(view.reader.client, view.workspace.id)
    if not repair:
        if states.not_done() is None:
            yield Finding(False, "redis: its lists of jobs by state lack some; listing is slow", "xpm doctor --repair")
        return
    jobs = sorted({*view.reader.jobs.identities(), *states.listed()})
    store = Store(view.reader.client, view.workspace.id)
    moved = sum(store.relist(jobs[start : start + RELISTED]) for start in range(0, len(jobs), RELISTED))
    if moved:
        yield Finding(True, f"redis: {plural(moved, 'job')} put into the lists of their states")


def _results(view: View) -> Iterator[Finding]:
    """The directories of the jobs that are done. Whoever deletes one deletes the result."""
    done = view.jobs(DONE)
    gone = [row for row in done if row.task and not view.workspace.job(row.task, row.identity).path.is_dir()]
    if gone:
        named = ", ".join(short(row.identity) for row in gone[:NAMED]) + (", …" if len(gone) > NAMED else "")
        text = f"results: the directories of {plural(len(gone), 'job')} that are done are gone: {named}"
        yield Finding(False, text, "run their script again, it runs these jobs anew")
