"""What a script is told of jobs that it does not wait for: those of earlier runs, and its own when it stops watching.

Owns: the words, and cancelling what has not started.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from xpm_core.states import SETTLED, State
from xpm_core.store import reading
from xpm_core.store.connection import OUTAGES
from xpm_core.store.records import CancelCode
from xpm_core.text import say

if TYPE_CHECKING:
    from xpm_core.commands import Commands
    from xpm_core.store.jobs import Store
    from xpm_core.tracking import Tracker

SECOND_CTRL_C_S = 2.0
"""How long after a Ctrl-C another one counts as the second."""
NAMED = 8
"""Jobs named in a command before it is cut."""

_UNSTARTED = (State.WAITING, State.READY, State.DELAYED, State.BLOCKED)


def unfinished(name: str, store: Store, own: Collection[str], commands: Commands) -> str:
    """Tell of an experiment's unfinished jobs that are not among this run's own; empty without any."""
    earlier = [identity for identity in reading.experiment_jobs(store.client, store.w, name) if identity not in own]
    states = reading.states(store.client, store.w, earlier)
    found = [identity for identity, (state, _) in states.items() if state not in SETTLED]
    if not found:
        return ""
    count = "1 unfinished job" if len(found) == 1 else f"{len(found)} unfinished jobs"
    more = f" (and {len(found) - NAMED} more, see {commands.status()})" if len(found) > NAMED else ""
    told = f"{name}: {count} of earlier runs: not waited for. To cancel: {commands.cancel(found[:NAMED])}"
    return told + more


def going_on(name: str, tracker: Tracker, commands: Commands) -> str:
    """Tell what becomes of a run's jobs that nobody watches any more."""
    counts = tracker.counts()
    words = ", ".join(f"{counts[state]} {state.value}" for state in State if counts[state] and not state.settled)
    if not words:
        return "No job is unfinished."
    return f"Its jobs go on ({words}). To attach again, run the script again. To cancel: {commands.cancel_all(name)}"


def interrupted(name: str, tracker: Tracker, store: Store, commands: Commands) -> None:
    """Ctrl-C was pressed: say that the jobs go on. Pressed again within a moment: cancel what has not started."""
    try:
        say(f"\n{name}: stopped watching. {going_on(name, tracker, commands)}")
        if not any(tracker.counts()[state] for state in _UNSTARTED):
            return
        say(f"Ctrl-C again within {SECOND_CTRL_C_S:.0f} s also cancels what has not started.")
        time.sleep(SECOND_CTRL_C_S)
    except KeyboardInterrupt:
        cancel_unstarted(name, tracker, store)
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # all is said: one more ends the script, without a traceback


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let Ctrl-C do nothing for the short while that it takes to stop."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: None)  # not SIG_IGN, which children would inherit
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)


def cancel_unstarted(name: str, tracker: Tracker, store: Store) -> None:
    """Cancel this run's jobs that have not started, the last ones first, for workers take them from the other end."""
    cancelled = 0
    with contextlib.suppress(KeyboardInterrupt):  # a third Ctrl-C
        try:
            for job in reversed(list(tracker.jobs.values())):
                if job.state in _UNSTARTED:
                    code, _, _ = store.cancel(job.identity)
                    cancelled += code is CancelCode.CANCELLED
        except OUTAGES as error:
            say(f"{name}: Redis is out of reach ({error}), so not all could be cancelled.")
    say(f"{name}: {cancelled} jobs cancelled that had not started.")
