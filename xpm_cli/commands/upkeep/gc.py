"""`xpm gc`: how much of a workspace nobody needs any more, and removing that."""

from __future__ import annotations

import os
import socket
import sys
import time

import click

from xpm_cli.app import FAILED, common_options, say, setting
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.output.json_form import dumps
from xpm_cli.output.sheets.removal_sheet import RUNS_KEPT, RemovalSheet, overview
from xpm_cli.output.terminal import Terminal
from xpm_core.cleaning.facts import Facts
from xpm_core.cleaning.plan import plan
from xpm_core.cleaning.records import Done, Kind, Plan, Wanted
from xpm_core.cleaning.removing.collection import Collection
from xpm_core.cleaning.removing.removal import Removal, common
from xpm_core.filters.moments import DATE, DURATION, read_date, read_duration
from xpm_core.index.writers import RemovalWriter
from xpm_core.words.text import plural

PROGRESS_S = 0.2
"""How often the line of progress changes, seconds."""
WHAT = "Say what: --old, --failed, --orphans or --keep-runs N."


@click.command()
@common_options
@click.option("--old", is_flag=True, help="Directories that retries have set aside.")
@click.option("--failed", is_flag=True, help="Jobs that failed or were cancelled, with their logs.")
@click.option("--orphans", is_flag=True, help="Jobs that no run names, code that no record names, and leftovers.")
@click.option("--keep-runs", type=click.IntRange(min=1), metavar="N", help="All but the newest N runs of experiments.")
@click.option("--older", metavar="TIME", help="Only what ended or changed before: 30d, or 2026-01-31.")
@click.option("--yes", is_flag=True, help="Do it without a question.")
@click.option("--dry-run", is_flag=True, help="Only show what would go, and ask nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON. Without --yes, nothing is removed.")
@click.pass_context
def gc(
    ctx: click.Context,
    /,
    old: bool,
    failed: bool,
    orphans: bool,
    keep_runs: int | None,
    older: str | None,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Remove what nobody needs any more, to free disk space.

    Without an option, it shows how much each kind holds. With options, it shows what would go, and asks; where there is
    no terminal, only --yes removes it.

    It never removes what a job needs that waits, runs or is blocked, nor what jobs need that stay. With --keep-runs and
    --orphans together, also the jobs go that only older runs name.

    The code of jobs that go is freed, too, unless another job or record names it, or somebody has used it within a day.
    """
    wanted = Wanted(old, failed, orphans, keep_runs, _moment(older))
    if yes and wanted.nothing:
        raise click.UsageError(WHAT, ctx)
    if yes and dry_run:
        raise click.UsageError("--yes and --dry-run exclude each other.", ctx)
    with open_workspace(acts=True) as opened:
        if wanted.nothing:
            _show_overview(opened, wanted, older or "", as_json)
            return
        shown = None
        if not yes:
            shown = _planned(opened, wanted)
            _show(opened, RemovalSheet(shown, opened.commands, opened.now_s), as_json)
            if not shown.items:
                return
            if as_json or dry_run or not (sys.stdin.isatty() and sys.stderr.isatty()):
                say("Nothing was removed. The same with --yes does it.")
                return
            if not click.confirm("Remove it?", err=True):
                say("Nothing was removed.")
                ctx.exit(FAILED)
        sheet = _removed(opened, wanted, shown, as_json)
    ctx.exit(FAILED if sheet.done and sheet.done.failures else 0)


def _moment(older: str | None) -> float | None:
    """The moment that `--older` means: so long ago, or the beginning of a date."""
    if older is None:
        return None
    if (seconds := read_duration(older)) is not None:
        return time.time() - seconds
    if (span := read_date(older)) is not None:
        return span[0]
    raise click.UsageError(f"--older: expected {DURATION}, or {DATE}, got {older!r}.")


def _show_overview(opened: OpenWorkspace, wanted: Wanted, older: str, as_json: bool) -> None:
    facts = _facts(opened, Progress())
    before_s = wanted.before_s
    old, failed = Wanted(old=True, before_s=before_s), Wanted(failed=True, before_s=before_s)
    orphans, runs = Wanted(orphans=True, before_s=before_s), Wanted(keep_runs=RUNS_KEPT, before_s=before_s)
    plans = {Kind.OLD: plan(facts, old), Kind.FAILED: plan(facts, failed), Kind.RUNS: plan(facts, runs)}
    plans |= dict.fromkeys((Kind.ORPHANS, Kind.LEFTOVERS, Kind.TRASH, Kind.CODE), plan(facts, orphans))
    if as_json:
        items = [item for kind in Kind for item in plans[kind].of(kind)]
        shown = Plan(items, {}, facts.places.strange)
        click.echo(dumps(RemovalSheet(shown, opened.commands, opened.now_s).as_data(_place(opened))))
        return
    for line in overview(plans, Terminal.of_stdout(), opened.commands, older):
        click.echo(line)
    say("Nothing was changed. Each command shows what would go. With --yes, it removes that.")


def _planned(opened: OpenWorkspace, wanted: Wanted) -> Plan:
    return plan(_facts(opened, Progress()), wanted)


def _removed(opened: OpenWorkspace, wanted: Wanted, shown: Plan | None, as_json: bool) -> RemovalSheet:
    """Remove what is wanted; of that, only what was shown, if anything was."""
    progress = Progress()
    with Collection(opened.store, _place(opened)) as collection:
        progress.collection = collection
        facts = _facts(opened, progress, warns=shown is None)
        found = plan(facts, wanted)
        if shown is None:
            if not as_json:
                _show(opened, RemovalSheet(found, opened.commands, opened.now_s), as_json)
        else:
            found = common(found, shown)
        removals = RemovalWriter(opened.workspace.path, f"xpm-{socket.gethostname()}-{os.geteuid()}")
        removal = Removal(facts, collection, removals, lambda identity: bool(opened.reader.jobs.states([identity])))
        removal.take(found)
    progress.collection = None
    removal.delete(found, lambda count: progress("removed", count))
    progress.clear()
    sheet = RemovalSheet(found, opened.commands, opened.now_s, removal.done)
    if as_json:
        _show(opened, sheet, as_json)
    _say_what_stays(sheet, removal.done)
    return sheet


def _say_what_stays(sheet: RemovalSheet, done: Done) -> None:
    for left in done.spared:
        say(f"{left.path} stays: {left.problem}.")
    for left in done.failures:
        say(f"{left.path}: cannot be removed: {left.problem}.")
    if sheet.plan.items:
        say(sheet.result())


def _show(opened: OpenWorkspace, sheet: RemovalSheet, as_json: bool) -> None:
    if as_json:
        click.echo(dumps(sheet.as_data(_place(opened))))
        return
    for line in sheet.lines(Terminal.of_stdout()):
        click.echo(line)


def _facts(opened: OpenWorkspace, progress: Progress, *, warns: bool = True) -> Facts:
    facts = Facts.read(opened.workspace, opened.reader, progress)
    progress.clear()
    if warns and (count := len(facts.forgotten)):
        jobs = f"{plural(count, 'job')} of the index that {'has' if count == 1 else 'have'} not ended"
        say(f"The server {opened.view.server} does not know {jobs}.")
        say("If another server has them, name that one: --redis URL. Else code may go that they need.")
    return facts


def _place(opened: OpenWorkspace) -> str:
    return str(opened.workspace.path)


class Progress:
    """A line of progress on a terminal; meanwhile, a collection goes on.

    Attributes:
        collection: The collection, if there is one.
    """

    def __init__(self) -> None:
        self.collection: Collection | None = None
        self._shows = sys.stderr.isatty() and not setting("quiet")
        self._next_s = time.monotonic() + PROGRESS_S
        self._shown = False

    def __call__(self, what: str, count: int) -> None:
        """Show how far it is, if some time has passed."""
        if time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + PROGRESS_S
        if self.collection is not None:
            self.collection.go_on()
        if self._shows:
            self._shown = True
            click.echo(f"\r\x1b[K{what}: {count}", err=True, nl=False)

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._shown = False
