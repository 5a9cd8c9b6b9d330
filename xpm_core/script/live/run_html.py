"""The HTML that shows a run below the cell of a notebook: the same as on a terminal, with room for more lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.live.run_screen import split
from xpm_core.script.live.run_view import RunView, TaskCount, cause, for_s, where
from xpm_core.states import State
from xpm_core.words import html
from xpm_core.words.commands import Commands
from xpm_core.words.html import Html, text
from xpm_core.words.text import ago, line, span

TASKS, RUNNING, FAILED = 20, 10, 10
"""Rows of each kind at most. If there are more to show, the last of them says how many more."""
LONGEST_STEP = 60
BAR_PX, TASK_PX, JOB_PX = 220, 120, 100


def run_html(view: RunView, commands: Commands, note: str = "") -> Html:
    """A run as HTML.

    Args:
        view: What there is to show.
        commands: Writes the command lines.
        note: A sentence below it; empty without one.
    """
    parts = [
        _head(view),
        _tasks(view.tasks()),
        _running(view),
        _waiting(view, commands),
        _failed(view, commands),
        html.line(text(note, muted=True)) if note else Html(),
    ]
    return html.frame(*parts)


def experiment_html(name: str, workspace: object, is_open: bool, jobs: Iterable[TrackedJob]) -> Html:
    """An experiment as HTML: its workspace, and how the jobs of its run stand."""
    counts = Counter(job.state for job in jobs)
    shown = [text(f"{counts[state]} {state.value}", state=state) for state in State if counts[state]]
    facts = {
        "workspace": html.code(workspace),
        "experiment": "open" if is_open else "not open",
        "jobs": Html(" &nbsp; ".join(shown)) if shown else "none submitted",
    }
    return html.card(name, facts)


def run_text(view: RunView) -> str:
    """A run in one line, for programs that show no HTML."""
    return f"{view.name}  {view.counts[State.DONE]}/{view.total}  {counted(view.counts)}"


def counted(counts: Mapping[State, int]) -> str:
    """How many jobs are in each state: `2 running, 4 done`."""
    return ", ".join(f"{counts[state]} {state.value}" for state in State if counts.get(state))


def _head(view: RunView) -> Html:
    counts = [text(f"{view.counts[state]} {state.value}", state=state) for state in State if view.counts[state]]
    bar = html.bar(view.ended / max(view.total, 1), BAR_PX)
    done = f"{view.counts[State.DONE]}/{view.total}"
    return html.line(text(view.name, bold=True), bar, done, *counts, f"elapsed {span(view.elapsed_s)}", view.left)


def _tasks(tasks: Sequence[TaskCount]) -> Html:
    shown, more = split(tasks, TASKS)
    rows = [
        (
            text(task.name),
            html.bar(task.ended / task.total, TASK_PX),
            f"{task.ended}/{task.total}",
            text(f"✗ {task.failed} failed", state=State.FAILED) if task.failed else "",
            text(f"{task.running} running", state=State.RUNNING) if task.running else "",
        )
        for task in shown
    ]
    return Html(html.table(rows) + _more(more, "more tasks"))


def _running(view: RunView) -> Html:
    shown, more = split(view.running(), RUNNING)
    rows = [
        (text(f"● {view.what(job)}", state=State.RUNNING), where(job), span(for_s(job)), *_progress(job))
        for job in shown
    ]
    return Html(html.table(rows) + _more(more, "more running"))


def _progress(job: TrackedJob) -> tuple[object, ...]:
    fraction, step = job.progress.get("fraction"), line(job.progress.get("desc", ""), LONGEST_STEP)
    return "" if fraction is None else html.bar(fraction, JOB_PX, State.RUNNING), step


def _waiting(view: RunView, commands: Commands) -> Html:
    if (waiting := view.waiting()) is None:
        return Html()
    more = html.code(commands.why(waiting.identity)) if waiting.identity else ""
    return html.line(text(f"⧗ {waiting}", state=waiting.state), more)


def _failed(view: RunView, commands: Commands) -> Html:
    shown, more = split(view.failed(), FAILED)
    rows = [
        (
            text(f"✗ {view.what(job)}", state=State.FAILED),
            cause(job),
            ago(for_s(job)) if job.since_s else "",
            html.code(commands.show(job.identity)),
        )
        for job in shown
    ]
    return Html(html.table(rows) + _more(more, "more failed or cancelled"))


def _more(count: int, words: str) -> Html:
    return html.line(text(f"and {count} {words}", muted=True)) if count else Html()
